"""The paper's own numbers: Tables 1 to 6, Figure 7 and the static classes, as printed (``*.csv`` beside this file).

``misprints.csv`` marks what is printed wrongly. ``classes.csv`` lists every class of UCF101 and
HMDB51 by the name of its directory, with its videos and those that each list trains and tests on, as counted in the
datasets' own annotations.

pandas is imported where a table is asked for: classes and counts are for commands that answer at once.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from dtkd.common.errors import DtkdError

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).parent
DATASETS = ("ucf101", "hmdb51")
LISTS = (1, 2, 3)


def table(n: int) -> pd.DataFrame:
    """Table ``n`` (1 to 6), one row per printed row and dataset; percentages stay so. ValueError for another ``n``."""
    if n not in range(1, 7):
        raise ValueError(f"the paper has Tables 1 to 6, not {n}")
    import pandas as pd

    return pd.read_csv(FOLDER / f"table{n}.csv")


def gains(dataset: str, baseline: str, student: str) -> dict[str, float]:
    """Figure 7: measure -> gain of a student over a baseline, in points; empty of a pair that it does not show."""
    import pandas as pd

    rows = pd.read_csv(FOLDER / "figure7.csv")
    rows = rows[(rows["dataset"] == dataset) & (rows["baseline"] == baseline) & (rows["student"] == student)]
    return dict(zip(rows["measure"], rows["gain"], strict=True))


def classes(dataset: str) -> list[str]:
    """All classes of ``ucf101`` (101) or ``hmdb51`` (51), sorted. DtkdError for another dataset."""
    return sorted(row["class"] for row in _rows("classes.csv", dataset))


def static_classes(dataset: str) -> list[str]:
    """The static classes of ``ucf101`` (26) or ``hmdb51`` (13), sorted (section 3.1). DtkdError for another dataset."""
    return sorted(row["class"] for row in _rows("static_classes.csv", dataset))


def videos(dataset: str) -> dict[str, int]:
    """Class -> its videos, those that a list leaves unused too (13,320 and 6,766 in all)."""
    return {row["class"]: int(row["videos"]) for row in _rows("classes.csv", dataset)}


def list_counts(dataset: str) -> dict[int, dict[str, tuple[int, int]]]:
    """List -> class -> (videos to train on, to test on), as `datasets.side_counts` finds in the official lists."""
    rows = _rows("classes.csv", dataset)
    return {k: {row["class"]: (int(row[f"train{k}"]), int(row[f"test{k}"])) for row in rows} for k in LISTS}


def _rows(file: str, dataset: str) -> list[dict[str, str]]:
    if dataset not in DATASETS:
        raise DtkdError(
            f"the paper has no split of dataset {dataset!r}, only of {' and '.join(DATASETS)}: use split.source flow."
        )
    with (FOLDER / file).open(encoding="utf-8", newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["dataset"] == dataset]
