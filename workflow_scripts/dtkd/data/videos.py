"""Videos of an index: those of one side of a list, the classes, and how many there are (the paper's Table 2)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dtkd.common.errors import DtkdError
from dtkd.data.groups import SUBSETS

if TYPE_CHECKING:
    import pandas as pd

    from dtkd.data.video_info import VideoInfo


@dataclass(frozen=True)
class Videos:
    """Some videos of one dataset: absolute or cwd-relative paths, labels and names, in a fixed order."""

    names: tuple[str, ...]
    paths: tuple[Path, ...]
    labels: tuple[int, ...]
    infos: tuple["VideoInfo", ...] = ()
    """What an inspection has found of each, or nothing."""

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def of(
        cls, index: "pd.DataFrame", root: str | Path, column: str, side: str, classes: Iterable[str] | None = None
    ) -> "Videos":
        """The rows of an index (`videos.parquet`) that are on ``side`` of a list, of some classes or of all."""
        from dtkd.data.video_info import infos

        if column not in index:
            known = ", ".join(name for name in index.columns if re.fullmatch(r"list\d+", name))
            raise DtkdError(
                f"the dataset has no {column}; it has {known}: choose one of these in baselines and students"
            )
        rows = index[index[column] == side]
        if classes is not None:
            rows = rows[rows["class"].isin(list(classes))]
        paths = tuple(Path(root) / path for path in rows["path"])
        return cls(tuple(rows["path"]), paths, tuple(int(label) for label in rows["label"]), infos(rows))


def class_names(index: "pd.DataFrame") -> list[str]:
    """The classes of an index, in the order of their labels."""
    return list(index.drop_duplicates("class").sort_values("label")["class"])


def counts(
    index: "pd.DataFrame", subsets: dict[str, str] | None = None, groups: Sequence[str] = SUBSETS
) -> "pd.DataFrame":
    """Classes and videos per list and subset: the paper's Table 2.

    `subsets` gives each class's subset, one of `groups`; without it there are only the overall rows. Columns: list
    (number), subset (overall, then the groups, the last first), classes, train, test, total (train + test, so without
    the unused videos of HMDB51), all counts. ``DtkdError`` if `subsets` and the index have different classes.
    """
    import pandas as pd

    classes = set(index["class"])
    if subsets is not None:
        if odd := sorted(classes ^ set(subsets)):
            where = "subsets" if odd[0] in classes else "videos"
            raise DtkdError(f"class {odd[0]} is missing from the {where}: split and videos are of different datasets")
        if odd := sorted(name for name in classes if subsets[name] not in groups):
            raise DtkdError(f"class {odd[0]} has subset {subsets[odd[0]]!r}; choose one of {', '.join(groups)}")
    rows = []
    for column in (name for name in index.columns if re.fullmatch(r"list\d+", name)):
        for subset in ("overall", *(reversed(groups) if subsets is not None else ())):
            own = {name for name in classes if subset == "overall" or subsets[name] == subset}
            sides = index.loc[index["class"].isin(own), column]
            train, test = int((sides == "train").sum()), int((sides == "test").sum())
            rows.append((int(column[4:]), subset, len(own), train, test, train + test))
    return pd.DataFrame(rows, columns=["list", "subset", "classes", "train", "test", "total"])
