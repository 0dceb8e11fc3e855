"""What figures of the classes' mean flow share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dtkd.common.errors import DtkdError
from dtkd.motion.subsets import read_splits
from dtkd.motion.thresholds import THRESHOLDS

Split = Mapping[str, Any]  # the content of a `split.json`
ALL_NAMED = 20  # up to so many classes, each is named


def read_means(given: Any, params: Any) -> tuple[dict[str, Split]]:
    """The splits, of a job's inputs and parameters."""
    return (read_splits(params.datasets, given.splits),)


def with_means(figure: str, splits: Mapping[str, Split]) -> Mapping[str, Split]:
    for name, split in splits.items():
        if any(entry["mean"] is None for entry in split["classes"].values()):
            raise DtkdError(
                f"{figure}: the split of {name} does not come from its flow and has no class means; use motion.json"
            )
    return splits


def means_of(split: Split, subset: str, column: str) -> np.ndarray:
    return np.array([entry[column] for entry in split["classes"].values() if entry["subset"] == subset], np.float64)


def threshold_lines(split: Split) -> list[tuple[float, str]]:
    """Where the lines between the groups are, and what they are called: one, or of several groups all."""
    if split["threshold"] is None:
        quartile = float(np.quantile([entry["mean"] for entry in split["classes"].values()], 0.25))
        return [(quartile, f"Q1 of the means = {quartile:.3f}")]
    criterion = split["criterion"]
    if isinstance(split["threshold"], list):
        return [(place, f"{quantile:g} quantile = {place:.3f}")
                for place, quantile in zip(split["threshold"], criterion["quantile"], strict=True)]  # fmt: skip
    name = "Q1" if criterion.get("quantile") == 0.25 else THRESHOLDS[criterion.get("threshold", "quantile")].label
    return [(split["threshold"], f"{name} = {split['threshold']:.3f}")]
