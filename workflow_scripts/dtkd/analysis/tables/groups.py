"""The group of each label and of each video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dtkd.analysis.tables.rows import Row
from dtkd.analysis.tables.scores import read_alike
from dtkd.common.errors import DtkdError
from dtkd.data.datasets import class_names
from dtkd.data.groups import split_name
from dtkd.training.metrics import Predictions


def subsets_of(dataset: str, split: Row, index: pd.DataFrame) -> np.ndarray:
    """(C,) the subset of each label."""
    names, classes = class_names(index), split["classes"]
    if set(names) != set(classes):
        raise DtkdError(f"{dataset}: split.json and videos.parquet have different classes; make the split again")
    return np.array([classes[name]["subset"] for name in names])


def own_subsets(row: Row, splits: Mapping[str, Row], indexes: Mapping[str, pd.DataFrame]) -> np.ndarray:
    """(C,) the subset of each label by the split that a teacher is of."""
    return subsets_of(row["dataset"], splits[split_name(row["dataset"], row.get("split"))], indexes[row["dataset"]])


def of_videos(file: str | Path, run: Predictions, subsets: np.ndarray) -> np.ndarray:
    """(N,) the subset of each video."""
    if run.logits.shape[1] != len(subsets):
        raise DtkdError(f"{file}: has {run.logits.shape[1]} classes, the dataset {len(subsets)}; make it again")
    return subsets[run.labels]


def of_subset(files: Sequence[str | Path], subsets: np.ndarray, subset: str) -> list[Predictions]:
    """Predictions of the videos of a subset's classes alone; ``subsets`` (C,) is that of each label."""
    runs = zip(files, read_alike(files), strict=True)
    return [run.only(chosen_videos(file, of_videos(file, run, subsets), subset)) for file, run in runs]


def chosen_videos(file: str | Path, own: np.ndarray, subset: str) -> np.ndarray:
    """(N,) bool: the videos of ``subset``, at least one."""
    if not (chosen := own == subset).any():
        raise DtkdError(f"{file}: has no test video of a {subset} class; make it again")
    return chosen
