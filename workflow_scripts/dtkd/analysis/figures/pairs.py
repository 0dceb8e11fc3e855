"""What figures of a student beside its baseline share: the pair's predictions, the classes' names and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dtkd.analysis.figures.base import read_runs, short
from dtkd.motion.subsets import read_splits
from dtkd.training.metrics import Predictions, top_k_correct

Runs = Mapping[str, Mapping[str, Sequence[Predictions]]]  # dataset -> name -> per seed: the baseline, then the student
Split = Mapping[str, Any]  # the content of a `split.json`, its classes in the order of their labels
NAME = 120  # points that a name may take in any case


def read_pairs(given: Any, params: Any) -> tuple[dict[str, dict[str, list[Predictions]]], dict[str, Split]]:
    """The pairs' predictions and the splits, of a job's inputs and parameters."""
    splits = read_splits(params.datasets, given.splits, given.indexes)
    return read_runs(params.shown, Predictions.read), splits


def classes_of(split: Split) -> list[tuple[str, str]]:
    """Name, cut where it is very long, and subset of every class, by label."""
    return [(short(name, NAME), entry["subset"]) for name, entry in split["classes"].items()]


def subsets_of(split: Split) -> list[str]:
    return [subset for _, subset in classes_of(split)]


def points_of(models: Mapping[str, Sequence[Predictions]]) -> tuple[np.ndarray, np.ndarray]:
    """(N,) the label of every test video, and (N,) the points that the second model has more there, mean over seeds."""
    right = [np.mean([top_k_correct(each.logits, each.labels) for each in runs], axis=0) for runs in models.values()]
    return next(iter(models.values()))[0].labels, 100 * (right[1] - right[0])
