"""Gains over a baseline, and whether they may be chance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from dtkd.analysis import significance
from dtkd.analysis.tables.rows import Row
from dtkd.analysis.tables.scores import accuracies, check_alike, over_seeds, read_alike
from dtkd.common.errors import DtkdError
from dtkd.training.metrics import Predictions, top_k_correct


def against_baselines(rows: Iterable[Row]) -> list[Row]:
    """`table5`'s rows with their scores, and each student's gain over the baseline of its list and network, which comes
    before it; Holm's family are all students of a list."""
    table, baselines = [], {}
    for row in rows:
        runs, family = read_alike(row["predictions"]), (row["dataset"], row["list"])
        alike = *family, row.get("network")
        scores, gain = over_seeds([accuracies(run) for run in runs]), {"p": math.nan}
        size = {"test_videos": len(runs[0].videos), "classes": runs[0].logits.shape[1]}
        if row["method"] == "baseline":
            baselines[alike] = row["predictions"], runs
        elif alike in baselines:
            gain = gain_of(row["predictions"], runs, *baselines[alike])
            gain["differing"] = _differing(runs, baselines[alike][1])
        table.append({**row, **size, **scores, **gain, "family": family})
    for family in {row["family"] for row in table}:
        adjust([row for row in table if row["family"] == family])
    return table


def adjust(rows: Sequence[dict[str, Any]]) -> None:
    """Add ``p_holm``, adjusted for all of ``rows``."""
    for row, p in zip(rows, significance.holm(np.array([row["p"] for row in rows])), strict=True):
        row["p_holm"] = p


def gain_of(
    files: Sequence[str], runs: Sequence[Predictions], baseline_files: Sequence[str], baseline: Sequence[Predictions]
) -> dict[str, float]:
    """Gain of a student over its baseline (points of top-1), its interval and its p."""
    difference = difference_of(files, runs, baseline_files, baseline)
    return tested(100 * difference / len(runs), difference)


def difference_of(
    files: Sequence[str], runs: Sequence[Predictions], baseline_files: Sequence[str], baseline: Sequence[Predictions]
) -> np.ndarray:
    """(N,) correct predictions of a student less those of its baseline, per test video and over all seeds."""
    check_alike(baseline_files[0], baseline[0], files[0], runs[0])
    if len(runs) != len(baseline):
        raise DtkdError(f"{files[0]}: {len(runs)} seeds, but its baseline {baseline_files[0]} has {len(baseline)}")
    right = [sum(top_k_correct(run.logits, run.labels).astype(int) for run in side) for side in (runs, baseline)]
    return right[0] - right[1]


def _differing(runs: Sequence[Predictions], baseline: Sequence[Predictions]) -> float:
    """The share of the videos that one of two models alone is right about, mean over seeds."""
    right = [[top_k_correct(run.logits, run.labels) for run in side] for side in (runs, baseline)]
    return float(np.mean([one != other for one, other in zip(*right, strict=True)]))


def tested(points: np.ndarray, difference: np.ndarray) -> dict[str, float]:
    """The gain as the mean of the videos' ``points``, its interval, and the p of the ``difference`` in correct ones."""
    low, high = significance.interval(points)
    p = significance.sign_flip_p(difference)
    return {"gain": float(points.mean()), "gain_low": low, "gain_high": high, "p": p}
