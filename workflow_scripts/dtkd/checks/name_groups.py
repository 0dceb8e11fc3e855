"""What videos' names and times of recording tell of who and what belongs together.

A pattern counts where it finds a group in every video and its groups divide the data set (`divides`). On the official
lists of UCF101 and HMDB51 it finds what these lists keep on one side.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import av
import numpy as np

from dtkd.data.video_info import VideoInfo

_PERSONS = "person|subject|subj|actor|actress|player|participant|volunteer|athlete"
_RECORDINGS = "session|sess|set|scene|sequence|seq|recording|rec|take|day|game|match|round|film|movie|group|grp"
PATTERNS = (
    ("person", rf"(?i)(?:^|[/_. -])((?:{_PERSONS})[_-]?\d+)(?=\D)"),
    ("person", r"(P\d{3})R\d{3}A\d{3}"),  # NTU RGB+D
    ("person", r"(?i)(?:/|[_. -])(p\d+)(?=[_. -])"),
    ("group", r"^([^/]+/.*_g\d+)_c\d+"),  # UCF101; a group is one class's
    ("recording", rf"(?i)(?:^|[/_. -])((?:{_RECORDINGS})[_-]?\d+)(?=\D)"),
    ("day", r"(?<!\d)((?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01]))(?!\d)"),
    ("recording", r"^([^/]+/.*?)[_. -]?\d+\.\w+$"),  # what stands before the last number
)
"""(what a group is, a regular expression of `group_pattern`): the first that fits is taken."""

FEWEST = 4
"""Groups of a data set, at least."""
BLOCKS = 12
"""Of neighbouring numbers: with a third of them, a test set is of four stretches of the recording."""
APART = 60.0
"""Seconds between the end of a recording and the start of the next that is still of the same occasion."""
IN_ORDER = 0.95
"""Rank correlation with the paths' order from which on times are those of a copy, not of recordings."""
EARLIEST = datetime(1990, 1, 1).timestamp()
"""Cameras without a clock, and formats that count from 1904 or 1970, give earlier times."""


@dataclass(frozen=True)
class Grouping:
    """A division of the videos by one sign of what belongs together."""

    of: str
    groups: tuple[str, ...]
    """Of each video, in their order."""
    pattern: str = ""
    """What finds them in a path; empty where it was not the names."""
    sure: bool = True
    """Whether the videos themselves say so, and not the times of files that may be copies."""


def by_names(paths: Sequence[str], classes: Sequence[str]) -> Grouping | None:
    """The groups that a usual pattern finds in paths (`<class>/<file>`), or None."""
    for of, pattern in PATTERNS:
        search = re.compile(pattern).search
        found = [search(path) for path in paths]
        if all(found):
            grouping = Grouping(of, tuple(match[1] for match in found), pattern)
            if divides(grouping.groups, classes):
                return grouping
    return None


def by_numbers(paths: Sequence[str], classes: Sequence[str]) -> Grouping | None:
    """Blocks of neighbouring numbers, where names are nothing but numbers, or one word and a number (`IMG_0012`).

    Where numbers follow the order of recording, neighbours are likelier to show the same. None where names are others,
    a number stands twice, or blocks are no division.
    """
    found = [re.fullmatch(r"(\D*)(\d{1,9})", Path(path).stem) for path in paths]
    if not all(found) or len({match[1] for match in found}) > 1:
        return None
    numbers = [int(match[2]) for match in found]
    if len(set(numbers)) < len(numbers):
        return None
    order = np.argsort(numbers)
    groups = np.empty(len(paths), int)
    groups[order] = np.arange(len(paths)) * BLOCKS // len(paths)
    grouping = Grouping("block", tuple(f"block{group + 1}" for group in groups))
    return grouping if divides(grouping.groups, classes) else None


def by_times(
    starts: Sequence[float], seconds: Sequence[float], classes: Sequence[str], sure: bool = True
) -> Grouping | None:
    """Recordings that follow each other within `APART` seconds are of one occasion; None where times do not tell.

    ``starts`` are seconds since 1970 (NaN: unknown), ``seconds`` durations, of videos in the order of their paths;
    ``sure`` is whether the videos themselves say so.
    """
    starts, seconds = np.asarray(starts, float), np.nan_to_num(np.asarray(seconds, float))
    if len(starts) < 3 or not np.isfinite(starts).all() or _as_listed(starts):
        return None
    order = np.argsort(starts, kind="stable")
    ends = np.maximum.accumulate((starts + seconds)[order])
    new = np.concatenate([[True], starts[order][1:] - ends[:-1] > APART])
    groups = np.empty(len(starts), int)
    groups[order] = np.cumsum(new)
    grouping = Grouping("occasion", tuple(f"occasion{number}" for number in groups), sure=sure)
    return grouping if divides(grouping.groups, classes) else None


def _as_listed(starts: np.ndarray) -> bool:
    """Whether times ascend (or descend) with the paths: a copy's do, a folder at a time or all of it."""
    ranks = np.argsort(np.argsort(starts, kind="stable"), kind="stable")
    return abs(np.corrcoef(ranks, np.arange(len(starts)))[0, 1]) > IN_ORDER


def divides(groups: Sequence[str], classes: Sequence[str]) -> bool:
    """Whether there are lists to draw of groups: `FEWEST` or more, several in each class, none with most of all videos;
    and whether they join some."""
    own = defaultdict(set)
    for group, name in zip(groups, classes, strict=True):
        own[name].add(group)
    sizes = Counter(groups)
    return (
        len(sizes) >= FEWEST
        and all(len(each) > 1 for each in own.values())
        and len(groups) >= 1.5 * len(sizes)
        and max(sizes.values()) <= len(groups) / 2
    )


def recorded(path: str | Path) -> float:
    """When a recording began by the file itself (`creation_time`), in seconds since 1970; NaN where it does not say."""
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            told = container.metadata.get("creation_time", "")
        began = datetime.fromisoformat(told).timestamp()
    except (av.FFmpegError, ValueError, OverflowError):
        return float("nan")
    return began if began >= EARLIEST else float("nan")


def start_times(
    paths: Iterable[str | Path], written: Sequence[int], infos: Sequence[VideoInfo]
) -> tuple[np.ndarray, bool]:
    """(when each recording began, in seconds since 1970; whether all files say so themselves).

    Where they do not, it is when they were written, less their duration: a recording is written when it ends. But so is
    a copy. ``written`` are modification times in nanoseconds.
    """
    told = np.array([recorded(path) for path in paths])
    if np.isfinite(told).all():
        return told, True
    return np.array(written) / 1e9 - np.nan_to_num([info.duration for info in infos]), False


def crossing(groups: Sequence[str], sides: Sequence[str]) -> tuple[int, int]:
    """(test videos whose group has training videos, test videos)."""
    trained = {group for group, side in zip(groups, sides, strict=True) if side == "train"}
    tested = [group for group, side in zip(groups, sides, strict=True) if side == "test"]
    return sum(group in trained for group in tested), len(tested)


def joined(count: int, links: Iterable[tuple[int, int]], groupings: Iterable[Sequence[str]] = ()) -> list[int]:
    """Groups of ``count`` videos, as numbers of their first ones: linked videos are together, and those of a group.

    >>> joined(5, [(0, 1), (3, 4)], [["a", "b", "a", "c", "d"]])
    [0, 0, 0, 3, 3]
    """
    parent = list(range(count))

    def top(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    def link(one: int, two: int) -> None:
        one, two = sorted((top(one), top(two)))
        parent[two] = one

    for one, two in links:
        link(one, two)
    for groups in groupings:
        first: Mapping[str, int] = {}
        for number, group in enumerate(groups):
            link(first.setdefault(group, number), number)
    return [top(number) for number in range(count)]
