"""ZIP and RAR archives, told by their first bytes: their members written one by one, each checked.

Names, sizes and checksums of a RAR archive are read here, by `rarfile`; to decompress it takes a program of the
machine's. One call of it writes all members in a row to its standard output, where they are told apart by their sizes:
that is as quick as it can be, also where members are compressed together ("solid"), and the program chooses no file's
name. No program is trusted: a member whose checksum is wrong was not written, and the next program is asked for it.
"""

import re
import shutil
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

import rarfile

from dtkd.common.errors import DtkdError

CHUNK = 1 << 20  # bytes
MAGIC = {b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"Rar!\x1a\x07": "rar"}
PROGRAMS = {  # how each gives all members in a row; the best first: the lower half cannot read every archive
    "unrar": ("p", "-inul", "-p-", "--"),
    "unar": ("-quiet", "-output-directory", "-"),
    "7z": ("e", "-so", "-bd", "-p", "--"),  # Debian's reads no RAR, others do
    "7zz": ("e", "-so", "-bd", "-p", "--"),
    "bsdtar": ("-xOf",),  # libarchive: no solid archives, no filters
}
INSTALL = (
    "install unar or unrar (Debian, Ubuntu: apt-get install unar; Fedora: dnf install unar; macOS: brew install unar; "
    "without root: conda install -c conda-forge 7zip, or the 7zz of 7-zip.org in a folder of your PATH)"
)


class Member(Protocol):
    """What `zipfile` and `rarfile` both tell of a file in an archive."""

    filename: str
    file_size: int
    CRC: int | None


class _Damaged(Exception):
    """A member did not come as its archive's header announces it."""


def kind(first: bytes) -> str | None:
    """The kind of archive that begins with these bytes: "zip" or "rar"; None if it is neither."""
    return next((name for magic, name in MAGIC.items() if first.startswith(magic)), None)


def wrong(first: bytes) -> str | None:
    """What a file that begins with these bytes is, where it is no archive; None if it is one."""
    if kind(first):
        return None
    if re.match(rb"\s*(\xef\xbb\xbf)?\s*<(!doctype|html|head|\?xml)", first, re.IGNORECASE):
        title = re.search(rb"<title[^>]*>([^<]*)", first, re.IGNORECASE)
        words = " ".join(title[1].decode("utf-8", "replace").split()) if title else ""
        return f'a web page ("{words}") and no archive' if words else "a web page and no archive"
    return "something that is neither a RAR nor a ZIP archive" if first else "an empty file"


def check_program() -> None:
    """Raises DtkdError if the machine has nothing that unpacks RAR archives."""
    if not programs():
        raise DtkdError(f"none of {', '.join(PROGRAMS)} is on this machine to unpack RAR archives: {INSTALL}")


def unpack(archive: Path, place: Callable[[str], Path | None]) -> Iterator[Path]:
    """Write the members that ``place`` has a path for (None: not wanted), and give each path once its file is whole.

    ``place`` is given a member's path in the archive. A file that is there with the member's size and checksum stays
    as it is, so that an interrupted call can be repeated; every other is written beside its place and renamed. Nothing
    is synced to the disk. An archive that lacks its end may just seem to have fewer members: see that none is missing.

    Raises DtkdError for what is no archive or a damaged one, and where a program or room on the disk is missing; other
    errors of writing are left as OSError.
    """
    with archive.open("rb") as file:
        first = file.read(CHUNK)
    if what := wrong(first):
        raise DtkdError(f"{archive} is {what}: remove it, and download it again")
    try:
        if kind(first) == "zip":
            yield from _unzip(archive, place)
        else:
            yield from _unrar(archive, place)
    except (_Damaged, rarfile.Error, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        remedy = "it is damaged; remove it, and download it again"
        if kind(first) == "rar" and not {"unrar", "unar"} & set(programs()):
            remedy = f"{INSTALL}; where that does not help, {remedy}"
        raise DtkdError(f"{archive} cannot be unpacked ({error}): {remedy}") from error


def _unzip(archive: Path, place: Callable[[str], Path | None]) -> Iterator[Path]:
    with zipfile.ZipFile(archive) as opened:
        wanted = [(member, path) for member in opened.infolist()
                  if not member.is_dir() and (path := place(member.filename))]  # fmt: skip
        fresh = _fresh(archive, wanted)
        for member, path in wanted:
            if path in fresh:
                with opened.open(member) as stream:
                    _write(stream, member, path)
            yield path


def _unrar(archive: Path, place: Callable[[str], Path | None]) -> Iterator[Path]:
    members = [member for member in rarfile.RarFile(archive).infolist() if member.is_file()]
    wanted = [(member, path) for member in members if (path := place(member.filename))]
    fresh = _fresh(archive, wanted)
    yield from (path for _, path in wanted if path not in fresh)
    left = {member.filename: path for member, path in wanted if path in fresh}
    if not left:
        return
    check_program()
    said = []
    for program in programs():
        try:
            with _output(program, archive) as stream:
                for member in members:
                    if path := left.get(member.filename):
                        _write(stream, member, path)
                        del left[member.filename]
                        yield path
                    else:
                        _skip(stream, member)
                    if not left:
                        return
        except _Damaged as problem:
            said.append(f"{program}: {problem}")
    raise _Damaged("; ".join(said))


def programs() -> list[str]:
    """Those of `PROGRAMS` that the machine has."""
    return [name for name in PROGRAMS if shutil.which(name) and (name != "unrar" or _is_rarlabs(name))]


def _is_rarlabs(program: str) -> bool:
    """Whether it is RARLAB's, which says so; Debian's unrar-free has another command line, and the same name."""
    said = subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return b"Roshal" in said.stdout + said.stderr


def _fresh(archive: Path, wanted: Sequence[tuple[Member, Path]]) -> set[Path]:
    """The paths that are to be written, for which there has to be room."""
    fresh = {path: member.file_size for member, path in wanted if not _is_there(member, path)}
    if fresh:
        folder = next(parent for parent in next(iter(fresh)).absolute().parents if parent.exists())
        need, room = sum(fresh.values()), shutil.disk_usage(folder).free
        if room < need:
            raise DtkdError(
                f"{folder} has {room / 1e9:.1f} GB free and {archive} unpacks to {need / 1e9:.1f} GB: free space there"
            )
    return set(fresh)


def _is_there(member: Member, path: Path) -> bool:
    if not path.is_file() or path.stat().st_size != member.file_size:
        return False
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            crc = zlib.crc32(chunk, crc)
    return member.CRC in (None, crc)


@contextmanager
def _output(program: str, archive: Path) -> Iterator[IO[bytes]]:
    """What a program writes of an archive; its own words are added to what is wrong with it."""
    command = [program, *PROGRAMS[program], str(archive.absolute())]
    with (
        tempfile.TemporaryFile() as words,
        tempfile.TemporaryDirectory() as elsewhere,  # for what a program may write of itself
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, cwd=elsewhere
        ) as process,
    ):
        try:
            yield process.stdout
        except _Damaged as problem:
            process.kill()
            process.wait()
            words.seek(0)
            lines = [line.strip() for line in words.read().decode("utf-8", "replace").split("\n") if line.strip()]
            raise _Damaged(" ".join([f"{problem}:", *lines[-2:]]) if lines else str(problem)) from None
        finally:
            process.kill()


def _pieces(stream: IO[bytes], member: Member) -> Iterator[bytes]:
    left = member.file_size
    while left:
        if not (piece := stream.read(min(left, CHUNK))):
            raise _Damaged(f"{member.filename} ends after {member.file_size - left} of {member.file_size} bytes")
        left -= len(piece)
        yield piece


def _skip(stream: IO[bytes], member: Member) -> None:
    for _ in _pieces(stream, member):
        pass


def _write(stream: IO[bytes], member: Member, path: Path) -> None:
    """Write a member at ``path``; where it does not have its checksum, nothing is there afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part, crc = path.with_name(f".{path.name}.partial"), 0
    try:
        with part.open("wb") as file:
            for piece in _pieces(stream, member):
                crc = zlib.crc32(piece, crc)
                file.write(piece)
        if member.CRC not in (None, crc):
            raise _Damaged(f"{member.filename} has not the checksum that the archive has for it")
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
