"""What a data set's lists say, however they are written: entries, and the checks that each has to pass."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dtkd.common.errors import DtkdError

SIDES = ("train", "test", "unused")
NUMBER = re.compile(r"[0-9]{1,6}")
# A part that is empty, "." or ".."; a drive letter; a backslash, a control or line separator, undecodable bytes.
UNSAFE = re.compile(r"(?:^|/)\.{0,2}(?=/|$)|^[A-Za-z]:/|[\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_WILDCARD = re.compile(r"[{}<>]")  # Snakemake replaces what stands in these, and knows no way to escape them
_NOT_A_CLASS = re.compile(r",|^['\"]|['\"]$")  # a job on a cluster is told of its class as cls=<name>,...
_LONGEST_NAME = 200  # bytes; file systems have 255, of which a temporary file's name takes some


@dataclass
class Lists:
    """What the lists say: class -> label, path -> class, per list path -> (side, file, line), and a CSV's groups."""

    labels: dict[str, int]
    classes: dict[str, str] = field(default_factory=dict)
    lists: dict[int, dict[str, tuple[str, Path, int]]] = field(default_factory=lambda: defaultdict(dict))
    groups: dict[str, str] = field(default_factory=dict)  # path -> group

    def add(self, number: int, path: str, class_name: str, side: str, file: Path, line: int) -> None:
        """Enter a video into a list, or refuse it with the file and line."""
        known = self.classes.get(path)
        if known is None:
            check_video(path, class_name, file, line)
            self.classes[path] = class_name
        elif known != class_name:
            raise at(file, line, f"{path} is of class {class_name} here and of {known} before; keep one of the two")
        entries = self.lists[number]
        if path in entries:
            before, first_file, first_line = entries[path]
            where = f"line {first_line}" if first_file == file else f"{first_file.name} line {first_line}"
            if before == side:
                raise at(file, line, f"{path} is listed twice (first on {where}); remove one of the two lines")
            raise at(file, line, f"{path} is {side} here and {before} on {where} of the same list; keep one")
        entries[path] = (side, file, line)

    def checked(self, where: Path) -> "Lists":
        """Itself, if each class has train and test videos in each list."""
        for number, entries in sorted(self.lists.items()):
            found = {(self.classes[path], side) for path, (side, _, _) in entries.items()}
            for name in self.labels:
                for side in ("train", "test"):
                    if (name, side) not in found:
                        raise DtkdError(
                            f"{where}: class {name} has no {side} video in list {number}; add one to the "
                            "list, or remove the class from every list"
                        )
        return self


def video_name(path: str, class_name: str) -> str:
    """A video's name, unique within its class: the file name, or for a CSV's deeper folders ``<folder>__<file name>``.

    >>> video_name("Archery/v_Archery_g01_c01.avi", "Archery"), video_name("monday/1.mp4", "wave")
    ('v_Archery_g01_c01.avi', 'monday__1.mp4')
    """
    return path.removeprefix(f"{class_name}/").replace("/", "__")


def text_of(file: Path) -> str:
    """A list's text without byte-order mark, lines ending in a newline however they did in the file."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DtkdError(f"{file}: there is no such file; correct `annotations` or add the file") from error
    except UnicodeDecodeError as error:
        raise DtkdError(f"{file}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise DtkdError(f"{file}: cannot be read as a file: {error.strerror}") from error


def lines_of(file: Path) -> Iterator[tuple[int, str]]:
    """The number and stripped text of each line that is not blank."""
    for number, text in enumerate(text_of(file).split("\n"), start=1):
        if text := text.strip():
            yield number, text


def last_word(text: str) -> tuple[str, str]:
    """'a b.avi 1' -> ('a b.avi', '1'); '' before a single word."""
    first, last = ("", *text.rsplit(None, 1))[-2:]
    return first, last


def check_path(path: str, file: Path, line: int) -> None:
    if UNSAFE.search(path):
        raise at(file, line, f"{path!r} must be a relative path inside the videos folder, with / between folders")


def check_video(path: str, class_name: str, file: Path, line: int) -> None:
    check_path(path, file, line)
    if _WILDCARD.search(path):
        raise at(file, line, f"{path!r} has one of {{ }} < >, which stand for wildcards in the workflow; rename it")
    if len(video_name(path, class_name).encode()) > _LONGEST_NAME:
        raise at(file, line, f"{path!r} makes a name of more than {_LONGEST_NAME} bytes; shorten it")


def check_class(name: str, file: Path, line: int) -> None:
    if "/" in name or UNSAFE.search(name):
        raise at(file, line, f"{name!r} cannot be a class: a class is the name of a folder, without slashes")
    if _WILDCARD.search(name) or _NOT_A_CLASS.search(name):
        raise at(file, line, f"{name!r} cannot be a class: no {{ }} < > and comma, and no quote at an end; rename it")
    if len(name.encode()) > _LONGEST_NAME:
        raise at(file, line, f"{name!r} cannot be a class: it has more than {_LONGEST_NAME} bytes; shorten it")


def at(file: Path, line: int, problem: str) -> DtkdError:
    return DtkdError(f"{file}, line {line}: {problem}" if line else f"{file}: {problem}")
