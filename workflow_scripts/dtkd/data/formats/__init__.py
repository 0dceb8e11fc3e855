"""The formats of lists: what each reads, and from where. A format is one module here and one entry in FORMATS."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dtkd.data import scene_names
from dtkd.data.folders import SUFFIXES
from dtkd.data.formats import class_folders, features, hmdb51, table, ucf101
from dtkd.data.formats.lists import Lists


@dataclass(frozen=True)
class Format:
    """A way to say which videos there are, of which classes, and on which side of each list."""

    read: Callable[[Path], Lists]
    """What the lists at `annotations` say; where these are None, what the folder of the videos holds."""
    annotations: str | None
    """What `annotations` is to be, in words; None: the format has no lists, and they are drawn."""
    groups: Callable[[Path, Iterable[str]], dict[str, str]] | None = None
    """Path -> what lists keep on one side, from `annotations` and some paths; None: by `group_pattern`."""
    one_folder_per_class: bool = True
    suffixes: tuple[str, ...] = SUFFIXES
    """Of its files."""
    of_features: bool = False
    """Whether its files are features of videos (`dtkd.data.features`), and no videos."""


FORMATS = {
    "ucf101": Format(
        ucf101.read,
        "the folder of classInd.txt, trainlist01.txt, testlist01.txt ...",
        lambda _, paths: scene_names.groups("UCF101", paths),
    ),
    "hmdb51": Format(
        hmdb51.read,
        "the folder of <class>_test_split1.txt ...",
        lambda _, paths: scene_names.groups("HMDB51", paths),
    ),
    "folders": Format(class_folders.read, None),
    "csv": Format(table.read, "a CSV file with columns video, class, split", table.groups, one_folder_per_class=False),
    "features": Format(
        features.read,
        "a CSV file with columns video, class, split, or the folder of the UCF101 or HMDB51 lists",
        features.groups,
        one_folder_per_class=False,
        suffixes=(features.SUFFIX,),
        of_features=True,
    ),
}
