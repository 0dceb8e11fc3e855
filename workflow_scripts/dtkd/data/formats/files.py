"""The files that lists name: their sizes and times, and all that are missing in one message."""

import os
import stat
from pathlib import Path

from dtkd.common.errors import DtkdError
from dtkd.data.folders import entries, file_hint, names_in
from dtkd.data.formats.lists import Lists


def statuses(root: Path, read: Lists, paths: list[str]) -> list[tuple[int, int]]:
    """(bytes, mtime_ns) of each video; each folder is scanned once, so that a missing file costs nothing."""
    names_in(root, "videos")  # refuses a root that is not there
    folders: dict[str, dict[str, os.DirEntry]] = {}
    missing, status = [], []
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in folders:
            folders[folder] = entries(root / folder)
        entry = folders[folder].get(name)
        try:
            found = entry.stat() if entry else None
        except FileNotFoundError:  # a link to nowhere
            found = None
        except OSError as error:
            raise DtkdError(f"{root / path}: cannot be read: {error.strerror}; check links and permissions") from error
        if found is None or not stat.S_ISREG(found.st_mode):
            missing.append(path)
        else:
            status.append((found.st_size, found.st_mtime_ns))
    if missing:
        shown = [f"{path}{file_hint(root, path, folders)}" for path in missing[:3]]
        raise DtkdError(
            _report(root, read, missing, shown, len(paths)) + "; put the files there, or correct the lists or `videos`"
        )
    return status


def _report(root: Path, read: Lists, missing: list[str], shown: list[str], total: int) -> str:
    """'<root>: 3 of 90 videos are missing: ...; a/b.avi is named in <list> line 7'."""
    more = f" and {len(missing) - len(shown)} more" if len(missing) > len(shown) else ""
    verb = "is" if len(missing) == 1 else "are"
    message = f"{root}: {len(missing)} of {total} videos {verb} missing: {', '.join(shown)}{more}"
    for _, listed in sorted(read.lists.items()):
        if missing[0] in listed and listed[missing[0]][2]:
            _, file, line = listed[missing[0]]
            return f"{message}; {missing[0]} is named in {file} line {line}"
    return message
