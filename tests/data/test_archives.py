"""Archives unpacked by whatever program is there, and what becomes of damaged ones and of bad programs."""

import io
import os
import shutil
import time
import zipfile

import pytest
import rar

from dtkd.common.errors import DtkdError
from dtkd.data import archives

FILES = {
    "UCF-101/Run/v_Run_g01_c01.avi": b"run" * 1000,
    "UCF-101/Run/__MACOSX.txt": b"of no interest",
    "UCF-101/Jump/[one]_(jump);_caf\u00e9!.avi": bytes(range(256)) * 300,
    "UCF-101/Jump/last.avi": b"jump",
}


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


WRITERS = {"rar3": rar.rar3, "rar5": rar.rar5, "zip": zipped}
VIDEOS = {name.removeprefix("UCF-101/"): data for name, data in FILES.items() if name.endswith(".avi")}
either = pytest.mark.parametrize("writer", [pytest.param("rar3", marks=rar.needs_program), "zip"])


@pytest.fixture
def unpack(tmp_path):
    """unpack(bytes) unpacks an archive's videos to tmp_path / "new" and returns the names of what it has written."""

    def unpack(content, written=None):
        (tmp_path / "a.rar").write_bytes(content)  # the content says what it is, not the name
        written = [] if written is None else written

        def place(member):
            return tmp_path / "new" / member.removeprefix("UCF-101/") if member.endswith(".avi") else None

        for path in archives.unpack(tmp_path / "a.rar", place):
            written.append(str(path.relative_to(tmp_path / "new")))
        return written

    return unpack


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def error(function, *arguments):
    """The message of the DtkdError that a call raises, seen to be one line."""
    with pytest.raises(DtkdError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("writer", [*(pytest.param(each, marks=rar.needs_program) for each in ("rar3", "rar5")), "zip"])
def test_what_is_wanted_is_unpacked(unpack, tmp_path, writer):
    assert sorted(unpack(WRITERS[writer](FILES))) == sorted(VIDEOS)
    assert contents(tmp_path / "new") == VIDEOS


@either
def test_a_second_call_writes_what_is_not_there_or_not_whole(unpack, tmp_path, monkeypatch, writer):
    unpack(WRITERS[writer](FILES))
    run, last = tmp_path / "new/Run/v_Run_g01_c01.avi", tmp_path / "new/Jump/last.avi"
    before = run.stat().st_mtime_ns
    last.write_bytes(b"JUMP")  # of the right size, as after a power failure
    next((tmp_path / "new/Jump").glob("[[]*")).write_bytes(b"half")
    time.sleep(0.01)
    assert sorted(unpack(WRITERS[writer](FILES))) == sorted(VIDEOS)
    assert contents(tmp_path / "new") == VIDEOS
    assert run.stat().st_mtime_ns == before
    monkeypatch.setattr(archives, "PROGRAMS", {})
    assert sorted(unpack(WRITERS[writer](FILES))) == sorted(VIDEOS), "there is nothing left to unpack"


@either
def test_a_damaged_member_is_not_written(unpack, tmp_path, writer):
    content = WRITERS[writer](FILES)
    where = content.index(b"last.avijump") + 8
    written = []
    message = error(unpack, content[:where] + b"J" + content[where + 1 :], written)
    assert "last.avi" in message
    assert message.endswith("it is damaged; remove it, and download it again")
    assert set(contents(tmp_path / "new")) == set(written) == set(VIDEOS) - {"Jump/last.avi"}
    unpack(content)
    assert contents(tmp_path / "new") == VIDEOS


@rar.needs_program
def test_an_archive_that_is_cut_short(unpack, tmp_path):
    message = error(unpack, rar.rar3(FILES)[:20_000])
    assert f"{tmp_path / 'a.rar'} cannot be unpacked" in message
    assert contents(tmp_path / "new") == {"Run/v_Run_g01_c01.avi": VIDEOS["Run/v_Run_g01_c01.avi"]}


@rar.needs_program
def test_members_of_no_bytes(unpack, tmp_path):
    unpack(rar.rar3({"a/empty.avi": b"", "a/full.avi": b"x"}))
    assert contents(tmp_path / "new") == {"a/empty.avi": b"", "a/full.avi": b"x"}


# Programs


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """stand_in("unrar", "echo wrong") puts such a program before all others."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def stand_in(name, script):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return stand_in


@rar.needs_program
def test_what_one_program_cannot_do_the_next_does(unpack, tmp_path, stand_in, monkeypatch):
    """As Debian's 7zz, which knows no RAR, and bsdtar, which fails at some members."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(archives, "PROGRAMS", {"lists": (), "halfway": ()} | archives.PROGRAMS)
    stand_in("lists", "echo RAR archive a.rar, 4 files; touch stray")
    stand_in("halfway", "printf run%.0s $(seq 1000); echo 'a.rar: filters are unsupported' >&2")
    assert unpack(rar.rar3(FILES))[0] == "Run/v_Run_g01_c01.avi"
    assert contents(tmp_path / "new") == VIDEOS
    assert not (tmp_path / "stray").exists(), "a program writes nothing where the user is"


def test_an_unrar_of_another_command_line_is_not_called(unpack, tmp_path, stand_in, monkeypatch):
    """Debian's unrar-free, which would unpack everything into the current folder."""
    monkeypatch.setattr(archives, "PROGRAMS", {"unrar": archives.PROGRAMS["unrar"]})
    stand_in("unrar", f"[ $# = 0 ] || touch {tmp_path}/called; echo unrar-free 0.1.3")
    error(unpack, rar.rar3(FILES))
    assert not (tmp_path / "called").exists()
    stand_in("unrar", "echo 'UNRAR 7.21 freeware      Copyright (c) 1993-2026 Alexander Roshal'")
    assert archives.programs() == ["unrar"]


def test_each_program_says_what_went_wrong(unpack, tmp_path, stand_in, monkeypatch):
    monkeypatch.setattr(archives, "PROGRAMS", {"lists": (), "halfway": ()})
    stand_in("lists", "yes")
    stand_in("halfway", "printf run%.0s $(seq 1000); echo 'a.rar: filters are unsupported' >&2")
    message = error(unpack, rar.rar3(FILES))
    assert "lists: UCF-101/Run/v_Run_g01_c01.avi has not the checksum" in message
    assert "halfway: UCF-101/Run/__MACOSX.txt ends after 0 of 14 bytes: a.rar: filters are unsupported" in message
    assert archives.INSTALL in message, "there is neither unrar nor unar"
    assert set(contents(tmp_path / "new")) == {"Run/v_Run_g01_c01.avi"}


def test_without_a_program(unpack, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert error(unpack, rar.rar3(FILES)) == error(archives.check_program)
    assert "apt-get install unar" in error(archives.check_program)
    unpack(zipped(FILES))
    assert contents(tmp_path / "new") == VIDEOS


# Other files


@pytest.mark.parametrize(("content", "what"), [
    (b"<!DOCTYPE html>\n<html><head><title>404\n Not Found</title>", 'a web page ("404 Not Found") and no archive'),
    (b"\xef\xbb\xbf\n<html><body>", "a web page and no archive"),
    (b"", "an empty file"),
    (b"RIFF....AVI ", "something that is neither a RAR nor a ZIP archive"),
])  # fmt: skip
def test_what_is_no_archive(unpack, tmp_path, content, what):
    assert error(unpack, content) == f"{tmp_path / 'a.rar'} is {what}: remove it, and download it again"


def test_a_disk_without_room(unpack, tmp_path, monkeypatch):
    need = sum(map(len, VIDEOS.values()))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: type("usage", (), {"free": need - 1})())
    assert f"{tmp_path} has 0.0 GB free" in error(unpack, zipped(FILES))
    assert not (tmp_path / "new").exists()
