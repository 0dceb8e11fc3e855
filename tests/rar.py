"""RAR archives whose members are stored, not compressed: headers, checksums and data. No free program writes RAR."""

import struct
import tempfile
import zlib
from pathlib import Path

import pytest

from dtkd.common.errors import DtkdError
from dtkd.data import archives


def rar3(files: dict[str, bytes]) -> bytes:
    """An archive of the format of RAR 2.9 to 4, as UCF101's and HMDB51's are."""

    def block(kind: int, flags: int, fields: bytes, data: bytes = b"") -> bytes:
        header = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
        return struct.pack("<H", zlib.crc32(header) & 0xFFFF) + header + data

    blocks = [b"Rar!\x1a\x07\x00", block(0x73, 0, bytes(6))]
    for name, data in files.items():
        written, unix, version, stored = 0x41410000, 3, 20, 0x30  # October 2012
        fields = struct.pack("<IIBIIBBHI", len(data), len(data), unix, zlib.crc32(data), written, version, stored,
                             len(name.encode()), 0o100644)  # fmt: skip
        blocks.append(block(0x74, 0x8000, fields + name.encode(), data))
    return b"".join([*blocks, block(0x7B, 0x4000, b"")])


def rar5(files: dict[str, bytes]) -> bytes:
    """An archive of the format of RAR 5 and later."""

    def number(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + number(value >> 7)

    def block(*fields: bytes, data: bytes = b"") -> bytes:
        header = b"".join(fields)
        header = number(len(header)) + header
        return struct.pack("<I", zlib.crc32(header)) + header + data

    blocks = [b"Rar!\x1a\x07\x01\x00", block(number(1), number(0), number(0))]
    for name, data in files.items():
        has_data, has_crc, stored, unix = 2, 4, 0, 1
        fields = [number(2), number(has_data), number(len(data)), number(has_crc), number(len(data)), number(0o100644)]
        fields += [struct.pack("<I", zlib.crc32(data)), number(stored), number(unix), number(len(name.encode()))]
        blocks.append(block(*fields, name.encode(), data=data))
    return b"".join([*blocks, block(number(5), number(0), number(0))])


def _unpacks() -> bool:
    """Whether something here unpacks RAR; that a program is there says little: Debian's 7zz and unrar-free do not."""
    with tempfile.TemporaryDirectory() as folder:
        archive, there = Path(folder, "a.rar"), Path(folder, "there")
        archive.write_bytes(rar3({"a": b"a"}))
        try:
            return list(archives.unpack(archive, lambda member: there)) == [there]
        except DtkdError:
            return False


needs_program = pytest.mark.skipif(not _unpacks(), reason="nothing here unpacks RAR archives: apt-get install unar")
