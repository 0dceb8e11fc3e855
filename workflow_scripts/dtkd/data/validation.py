"""The videos of a list's training side that are held out, so that no test video has a say in the choice of an epoch.

The draw depends on the list alone: all runs of a list hold out the same videos, whatever their seed and role.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pandas as pd

from dtkd.common.errors import DtkdError
from dtkd.data import datasets

SIDE = "validation"


def held_out(index: pd.DataFrame, column: str, source: datasets.Source, fraction: float) -> pd.DataFrame:
    """About ``fraction`` of each class's training videos of a list, drawn by group; columns video (path), class, group.

    Raises:
        DtkdError: a class would have nothing to train on or nothing to be held out.
    """
    rows = index[index[column] == "train"]
    groups = datasets.groups(source, rows["path"])
    members: dict[str, Counter[str]] = defaultdict(Counter)
    for path, name in zip(rows["path"], rows["class"], strict=True):
        members[groups[path]][name] += 1
    drawn, lacking = datasets.draw_groups(members, Counter(rows["class"]), fraction, lambda _: 0, SIDE, column)
    if lacking is not None:
        count = sum(lacking in own for own in members.values())
        what = "1 group" if count == 1 else f"{count} groups"
        raise DtkdError(
            f"{source.videos}: the training videos of class {lacking} in list {column.removeprefix('list')} are of "
            f"{what}, too few or too large to hold some out and train on the rest; use train.selection: last, or add "
            "videos of other groups"
        )
    table = pd.DataFrame({"video": rows["path"], "class": rows["class"], "group": rows["path"].map(groups)})
    return table[table["group"].isin(drawn)].reset_index(drop=True)


def apart(index: pd.DataFrame, column: str, file: str | Path | None) -> pd.DataFrame:
    """An index in whose list the videos of ``file`` (`held_out` as a CSV) have a side of their own; None: as it is."""
    if file is None:
        return index
    held = set(pd.read_csv(file, dtype=str, keep_default_na=False)["video"])
    return index.assign(**{column: index[column].mask(index["path"].isin(held) & (index[column] == "train"), SIDE)})
