"""What lies in folders: names, videos by their suffix, and what a missing file may be called."""

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from dtkd.common.errors import DtkdError

SUFFIXES = (".avi", ".mp4", ".mkv", ".mov", ".webm", ".mpg", ".mpeg", ".m4v", ".wmv")


def entries(folder: Path) -> dict[str, os.DirEntry]:
    """Name -> entry; nothing where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry for entry in entries}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise DtkdError(f"{folder}: cannot be read: {error.strerror}; check its permissions") from error


def names_in(folder: Path, setting: str, folders: bool = False) -> list[str]:
    """Names of the files (or folders) in `folder` that are not hidden, sorted; `setting` is what named the folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir() == folders
            )
    except FileNotFoundError as error:
        raise DtkdError(f"{folder}: there is no such folder; correct `{setting}`") from error
    except NotADirectoryError as error:
        raise DtkdError(f"{folder}: is a file; `{setting}` must be a folder") from error
    except OSError as error:
        raise DtkdError(f"{folder}: cannot be read: {error.strerror}; check its permissions") from error


def is_video(name: str, suffixes: tuple[str, ...] = SUFFIXES) -> bool:
    """By its suffix; hidden files are none, such as those that some systems leave beside each file (``._v.avi``)."""
    return name.lower().endswith(suffixes) and not name.startswith(".")


def deeper(root: Path, class_name: str) -> list[str]:
    """The videos in folders of a class's folder, relative to the root."""
    found = []
    for folder, below, files in os.walk(root / class_name):
        below[:] = sorted(name for name in below if not name.startswith("."))
        if folder != str(root / class_name):
            found += [Path(folder, name).relative_to(root).as_posix() for name in sorted(files) if is_video(name)]
    return found


def some(paths: list[str], one: str, several: str) -> str:
    """'3 videos, such as a/1.avi'; nothing of none."""
    if not paths:
        return ""
    example = paths[0] if paths[0].isprintable() else ascii(paths[0])
    return f"{len(paths)} {one if len(paths) == 1 else several}, such as {example}"


def hint(name: str, candidates: Iterable[str]) -> str:
    """' (did you mean X?)' where a candidate differs only in case, in accents' encoding or in its suffix."""

    def plain(text: str) -> str:
        return unicodedata.normalize("NFC", text).casefold()

    candidates = sorted(candidates)
    for key in (plain, lambda text: plain(Path(text).stem)):
        for candidate in candidates:
            if candidate != name and key(candidate) == key(name):
                return f" (did you mean {candidate}?)"
    return ""


def file_hint(root: Path, path: str, folders: dict[str, dict[str, os.DirEntry]]) -> str:
    """What a missing file may be called on the disk."""
    folder, _, name = path.rpartition("/")
    if folders[folder] or not folder:
        return hint(name, folders[folder])
    parent, _, last = folder.rpartition("/")
    siblings = entries(root / parent)
    return hint(last, siblings) or ("" if last in siblings else f" (there is no folder {folder})")
