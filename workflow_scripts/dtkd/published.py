"""The paper's own numbers: Tables 1 to 6, Figure 7 and the static classes, as printed (``published/*.csv``).

``published/misprints.csv`` marks what is printed wrongly. ``published/classes.csv`` lists every class of UCF101 and
HMDB51 by the name of its directory, as in the datasets' own annotations.
"""

from pathlib import Path

import pandas as pd

from .errors import DtkdError

FOLDER = Path(__file__).with_name("published")
DATASETS = ("ucf101", "hmdb51")


def table(n: int) -> pd.DataFrame:
    """Table ``n`` (1 to 6), one row per printed row and dataset; percentages stay so. ValueError for another ``n``."""
    if n not in range(1, 7):
        raise ValueError(f"the paper has Tables 1 to 6, not {n}")
    return pd.read_csv(FOLDER / f"table{n}.csv")


def gains(dataset: str, baseline: str, student: str) -> dict[str, float]:
    """Figure 7: measure -> gain of a student over a baseline, in points; empty of a pair that it does not show."""
    rows = pd.read_csv(FOLDER / "figure7.csv")
    rows = rows[(rows["dataset"] == dataset) & (rows["baseline"] == baseline) & (rows["student"] == student)]
    return dict(zip(rows["measure"], rows["gain"], strict=True))


def classes(dataset: str) -> list[str]:
    """All classes of ``ucf101`` (101) or ``hmdb51`` (51), sorted. DtkdError for another dataset."""
    return _names("classes.csv", dataset)


def static_classes(dataset: str) -> list[str]:
    """The static classes of ``ucf101`` (26) or ``hmdb51`` (13), sorted (section 3.1). DtkdError for another dataset."""
    return _names("static_classes.csv", dataset)


def _names(file: str, dataset: str) -> list[str]:
    if dataset not in DATASETS:
        raise DtkdError(
            f"the paper has no split of dataset {dataset!r}, only of {' and '.join(DATASETS)}: use split.source flow."
        )
    names = pd.read_csv(FOLDER / file)
    return sorted(names.loc[names["dataset"] == dataset, "class"])
