"""``features``: lists as in ``csv``, or UCF101's or HMDB51's, of features: one ``.npy`` a video in place of it."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from dtkd.common.errors import DtkdError
from dtkd.data import scene_names
from dtkd.data.folders import SUFFIXES
from dtkd.data.formats import hmdb51, table, ucf101
from dtkd.data.formats.lists import Lists

SUFFIX = ".npy"


def read(place: Path) -> Lists:
    """What the lists at a place say, each video's path with the suffix ``.npy`` in place of its own."""
    if not place.is_dir():
        return _of_features(table.read(place), place)
    official = ucf101 if (place / "classInd.txt").exists() else hmdb51
    return _of_features(official.read(place), place)


def groups(place: Path, paths: Iterable[str]) -> dict[str, str]:
    """Path -> what lists keep on one side, as the lists' own format has it."""
    if place.is_dir():
        return scene_names.groups("UCF101" if (place / "classInd.txt").exists() else "HMDB51", paths)
    return table.groups(place, paths)


def _of_features(found: Lists, place: Path) -> Lists:
    def renamed(by_path: dict) -> dict:
        return {file_of(path): value for path, value in by_path.items()}

    if twice := [file for file, count in Counter(map(file_of, found.classes)).items() if count > 1]:
        raise DtkdError(f"{place}: several videos would have the features {twice[0]}; give their files different names")
    lists = {number: renamed(entries) for number, entries in found.lists.items()}
    return Lists(found.labels, renamed(found.classes), lists, renamed(found.groups))


def file_of(path: str) -> str:
    """The features of a video.

    >>> file_of("Run/v_Run_g01_c01.avi"), file_of("Run/1.npy"), file_of("Run/take.2")
    ('Run/v_Run_g01_c01.npy', 'Run/1.npy', 'Run/take.2.npy')
    """
    name = PurePosixPath(path)
    return str(name.with_suffix("") if name.suffix.lower() in (*SUFFIXES, SUFFIX) else name) + SUFFIX
