"""On-disk datasets -> one table of videos and lists.

A list (a split in some papers) says of each video whether it is for training, for testing, or unused. Five formats:

``ucf101``   `annotations` holds ``classInd.txt``, ``trainlist01.txt``, ``testlist01.txt`` ...; videos are at
             ``<class>/<name>``. The class is the folder (files of HandstandPushups are ``v_HandStandPushups_*``).
``hmdb51``   `annotations` holds ``<class>_test_split<k>.txt`` with lines ``<name> <id>``, id 0 unused, 1 train, 2 test.
``folders``  one folder per class, no lists: they are drawn, with the groups of `group_pattern` kept together.
``csv``      `annotations` is a CSV file with columns video (relative path), class, split (train, test or unused) and,
             where wanted, split2, split3 ... for more lists and group (never on both sides of one list).
``features`` `annotations` is such a CSV file, or a folder of UCF101's or HMDB51's lists; `videos` holds features, one
             ``.npy`` in place of each video.

``formats`` has a module for each. ``videos_by_class`` reads the lists only, for the workflow, which does it at every
start: this module's top level imports nothing outside the standard library. ``index`` is the checked table, ``counts``
the paper's Table 2.
Whatever is wrong with the lists or the videos is a ``DtkdError`` that names the file and line.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dtkd.common.errors import DtkdError
from dtkd.data.drawing import draw_groups, draw_lists
from dtkd.data.folders import SUFFIXES
from dtkd.data.formats import FORMATS
from dtkd.data.formats.files import statuses
from dtkd.data.formats.lists import SIDES, Lists, video_name
from dtkd.data.scene_names import check_scenes, scenes_in_names
from dtkd.data.videos import Videos, class_names, counts

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "SIDES", "SUFFIXES", "Source", "Videos", "check_scenes", "class_names", "counts", "draw_groups", "draw_lists",
    "groups", "index", "scenes_in_names", "side_counts", "video_name", "videos_by_class",
]  # fmt: skip


@dataclass(frozen=True)
class Source:
    """Where a dataset lies, and how its lists are drawn where it has none.

    `videos` is the root of the videos; `annotations` the folder of lists (ucf101, hmdb51) or the file (csv).
    Only ``folders`` uses the rest: `group_pattern` is a regular expression searched in a video's relative path,
    whose group named "group" (or else its first) is the video's group, by default each video is its own; `lists`
    is how many lists to draw, `test_fraction` the share of each class's videos to test on, `seed` the draw.
    """

    format: str
    videos: str | Path
    annotations: str | Path | None = None
    group_pattern: str | None = None
    lists: int = 3
    test_fraction: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise DtkdError(f"format: {self.format!r} is unknown; choose one of {', '.join(FORMATS)}")
        if self.drawn:
            if self.annotations is not None:
                raise DtkdError(f"annotations: format {self.format} draws its own lists; remove it, or use format csv")
        elif not self.annotations:
            raise DtkdError(f"annotations: format {self.format} needs it: {FORMATS[self.format].annotations}")
        elif self.group_pattern is not None:
            raise DtkdError(f"group_pattern: format {self.format} has its own lists; remove it, or use format folders")
        if self.lists < 1:
            raise DtkdError(f"lists: must be at least 1, not {self.lists}")
        if not 0 < self.test_fraction < 1:
            raise DtkdError(f"test_fraction: must lie between 0 and 1, not {self.test_fraction}")
        if self.group_pattern is not None:
            try:
                groups = re.compile(self.group_pattern).groups
            except re.error as error:
                raise DtkdError(f"group_pattern: {self.group_pattern!r} is no regular expression: {error}") from error
            if not groups:
                raise DtkdError(f"group_pattern: {self.group_pattern!r} needs parentheses around the group's name")

    @property
    def drawn(self) -> bool:
        """Whether there are no lists, so that they are drawn."""
        return FORMATS[self.format].annotations is None

    @property
    def of_features(self) -> bool:
        """Whether files are features of videos, and no videos."""
        return FORMATS[self.format].of_features

    def read(self) -> Lists:
        """What the lists say; of a format without, the classes and videos that the folder has."""
        return FORMATS[self.format].read(Path(self.videos if self.drawn else self.annotations or ""))


def videos_by_class(source: Source) -> dict[str, list[str]]:
    """Class -> its videos' sorted paths relative to the root, classes in label order; no video is looked at.

    Videos of every list count, unused ones too. Reads the lists (folders: scans the folders); ``DtkdError`` for any
    entry that is malformed, leaves the root, or contradicts another, and for a class without train or test videos.
    """
    read = source.read()
    classes = {name: [] for name in read.labels}
    for path, name in read.classes.items():
        classes[name].append(path)
    for paths in classes.values():
        paths.sort()
    return classes


def side_counts(source: Source) -> dict[int, dict[str, tuple[int, int]]]:
    """List -> class -> how many videos it trains and tests on, from the lists alone; ``DtkdError`` as in `index`."""
    read = source.read()
    if source.drawn:
        read = _drawn(source, read)
    counted = {}
    for number, entries in sorted(read.lists.items()):
        found = Counter((read.classes[path], side) for path, (side, _, _) in entries.items())
        counted[number] = {name: (found[name, "train"], found[name, "test"]) for name in read.labels}
    return counted


def index(source: Source) -> "pd.DataFrame":
    """The table of videos, sorted by label and path, after checking lists and files.

    Columns: video (see ``video_name``), path (relative to the root, "/" between its parts), class, label (from 0, the
    order of classInd.txt or of the sorted names), ``list<k>`` for each list k (train, test or unused), bytes (file
    size) and mtime_ns (modification time, nanoseconds since 1970), by which a later stage can tell a changed video.
    Where the lists are drawn by group or a CSV names groups, ``group``: videos that share one belong together; a video
    of no group has its path there.

    ``DtkdError`` as in ``videos_by_class``, and for missing files (all of them in one message) and for classes whose
    groups cannot be put on two sides. Whether the files are videos, ``inspection`` finds out.
    """
    import pandas as pd

    read = source.read()
    if source.drawn:
        read = _drawn(source, read)
    rows = sorted(read.classes.items(), key=lambda item: (read.labels[item[1]], item[0]))
    status = statuses(Path(source.videos), read, [path for path, _ in rows])
    table = {
        "video": [video_name(path, name) for path, name in rows],
        "path": [path for path, _ in rows],
        "class": [name for _, name in rows],
        "label": [read.labels[name] for _, name in rows],
    }
    for number, entries in sorted(read.lists.items()):
        table[f"list{number}"] = [entries[path][0] if path in entries else "unused" for path, _ in rows]
    if groups := _groups(source, read.classes) if source.drawn else read.groups:
        table["group"] = [groups[path] for path, _ in rows]
    table["bytes"] = [size for size, _ in status]
    table["mtime_ns"] = [modified for _, modified in status]
    return pd.DataFrame(table)


def _drawn(source: Source, read: Lists) -> Lists:
    """`read` with lists drawn by group."""
    root = Path(source.videos)
    groups = _groups(source, read.classes)
    what = "video" if source.group_pattern is None else "group"
    lists = draw_lists(read.classes, groups, source.lists, source.test_fraction, source.seed, root, what)
    for number, tested in enumerate(lists, start=1):
        read.lists[number] = {path: ("test" if path in tested else "train", root, 0) for path in groups}
    return read


def groups(source: Source, paths: Iterable[str]) -> dict[str, str]:
    """Path -> the group that lists keep on one side: by `group_pattern`, a CSV's column, UCF101's and HMDB51's names.

    A video of which nothing tells a group is alone.
    """
    known = FORMATS[source.format].groups
    return known(Path(source.annotations or ""), paths) if known else _groups(source, paths)


def _groups(source: Source, paths: Iterable[str]) -> dict[str, str]:
    """Path -> group."""
    if source.group_pattern is None:
        return {path: path for path in paths}
    pattern = re.compile(source.group_pattern)
    which = "group" if "group" in pattern.groupindex else 1
    groups = {}
    for path in paths:
        match = pattern.search(path)
        if not (match and match[which]):
            raise DtkdError(f"group_pattern: {source.group_pattern!r} finds no group in {path}; it must in every video")
        groups[path] = match[which]
    return groups
