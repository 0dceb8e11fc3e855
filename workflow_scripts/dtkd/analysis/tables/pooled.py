"""Gains over several lists and seeds, per test video: a video counts once, however many lists and seeds test on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dtkd.analysis.tables.comparisons import difference_of
from dtkd.training.metrics import Predictions


def differences(
    lists: Sequence[Mapping[str, Any]], runs: Sequence[tuple[Sequence[Predictions], Sequence[Predictions]]]
) -> pd.DataFrame:
    """What a student and its baselines differ by on each video that some list tests on.

    Args:
        lists: per list the files of a student's ``predictions`` and of its ``baseline``'s, of the same seeds.
        runs: what these hold.

    Returns:
        Per label and video (a video's name may be its own within its class only): ``won``, the student's correct
        predictions less the baseline's (int, summed over lists and seeds); ``share``, what the video contributes to the
        gain, the mean over the lists, so that shares sum to it; ``weight``, what it would contribute at most (sum 1).
    """
    tables = []
    for own, (student, baseline) in zip(lists, runs, strict=True):
        won = difference_of(own["predictions"], student, own["baseline"], baseline)
        videos = pd.MultiIndex.from_arrays([student[0].labels, student[0].videos])
        weight = 1 / (len(won) * len(lists))
        columns = {"won": won, "share": won * weight / len(student), "weight": np.full(len(won), weight)}
        tables.append(pd.DataFrame(columns, index=videos))
    return pd.concat(tables).groupby(level=[0, 1]).sum()
