"""Accuracies of runs, their mean and deviation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from dtkd.common.errors import DtkdError
from dtkd.training.metrics import Predictions, top_k


def accuracies(predictions: Predictions) -> dict[str, float]:
    """Top-1 and top-5 (per cent) by the selected (``top1``, ``top5``) and the last epoch's weights (``_last``)."""
    scores = {}
    for suffix, logits in (("", predictions.logits), ("_last", predictions.logits_last)):
        scores |= {f"top{k}{suffix}": top_k(logits, predictions.labels, k) for k in (1, 5)}
    return scores


def read_alike(files: Sequence[str | Path]) -> list[Predictions]:
    """Predictions of the same videos, checked to be."""
    runs = [Predictions.read(file) for file in files]
    for file, run in zip(files, runs, strict=True):
        check_alike(files[0], runs[0], file, run)
    return runs


def check_alike(file: str | Path, run: Predictions, other_file: str | Path, other: Predictions) -> None:
    if run.videos != other.videos or (run.labels != other.labels).any():
        raise DtkdError(
            f"{other_file}: its {len(other.videos)} test videos are not the {len(run.videos)} of {file}; "
            "delete both and let the workflow make them"
        )
    if run.logits.shape != other.logits.shape:
        raise DtkdError(f"{other_file}: has another number of classes than {file}; delete both and make them again")


def scores_of(files: Sequence[str | Path]) -> dict[str, float]:
    return over_seeds([accuracies(run) for run in read_alike(files)])


def over_seeds(values: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return spread(values, values[0]) | {"seeds": len(values)}


def spread(values: Sequence[Mapping[str, float]], names: Iterable[str]) -> dict[str, float]:
    """Of each name the mean, and the sample standard deviation as ``<name>_std``, NaN for a single value."""
    spread = {}
    for name in names:
        numbers = np.array([each[name] for each in values], np.float64)
        with np.errstate(invalid="ignore"):  # a ratio may be infinite
            deviation = numbers.std(ddof=1) if len(numbers) > 1 else math.nan
        spread |= {name: float(numbers.mean()), f"{name}_std": float(deviation)}
    return spread
