"""Whether a video file is whole, by the sizes that its container states in bytes; nothing is decoded.

Headers also state numbers of frames and durations, which are often wrong in sound files. The sizes of the outermost
parts are what a copy that broke off contradicts.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_BOXES = {b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid"}
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def missing_bytes(path: str | Path) -> int:
    """How many bytes the file should have beyond its end; 0 where it is whole or its container does not say.

    Known are AVI (RIFF), MP4 and MOV (ISO base media), Matroska and WebM, WMV (ASF). MPEG program and transport streams
    state no size: they may end anywhere.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(16)
        file.seek(0)
        for known, end in _ENDS:
            if known(head):
                return max(0, end(file, size) - size)
    return 0


def _riff_end(file: BinaryIO, size: int) -> int:
    """An AVI of more than a gigabyte has several RIFF chunks, one after the other."""
    end = 0
    while end < size:
        file.seek(end)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        if head[:4] != b"RIFF" or length in (0, 0xFFFFFFFF):  # written as a stream, or padding
            break
        end += 8 + length + length % 2
    return end - end % 2 if end <= size + 1 else end  # a last chunk may lack its padding byte


def _boxes_end(file: BinaryIO, size: int) -> int:
    end = 0
    while end + 8 <= size:
        file.seek(end)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8 or not head[4:8].isalnum():  # up to the end of the file, or no box
            break
        end += length
    return end


def _segment_end(file: BinaryIO, size: int) -> int:
    file.seek(4)
    header = _ebml_size(file)
    if header is None or header > size:  # damaged
        return 0
    file.seek(header, os.SEEK_CUR)
    if file.read(4) != _SEGMENT:
        return 0
    length = _ebml_size(file)
    return 0 if length is None else file.tell() + length


def _ebml_size(file: BinaryIO) -> int | None:
    """A number whose first byte tells by its leading zeros how many follow; None where all bits are set: unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    follow = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (0x7F >> follow)]) + file.read(follow), "big")
    return None if value == (1 << 7 * (follow + 1)) - 1 else value


def _asf_end(file: BinaryIO, size: int) -> int:
    header = file.read(min(size, 1 << 16))
    place = header.find(_ASF_FILE_PROPERTIES)
    if place < 0 or len(header) < place + 92:
        return 0
    is_broadcast = header[place + 88] & 1  # its sizes mean nothing
    return 0 if is_broadcast else int.from_bytes(header[place + 40 : place + 48], "little")


_ENDS: list[tuple[Callable[[bytes], bool], Callable[[BinaryIO, int], int]]] = [
    (lambda head: head[:4] == b"RIFF", _riff_end),
    (lambda head: head[4:8] in _BOXES, _boxes_end),
    (lambda head: head[:4] == _EBML, _segment_end),
    (lambda head: head[:16] == _ASF, _asf_end),
]
