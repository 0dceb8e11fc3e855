"""Readings of the paper side by side."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from dtkd.analysis.tables.comparisons import against_baselines
from dtkd.analysis.tables.rows import HYPERPARAMETERS, Row, finished, with_std


def readings(rows: Iterable[Row]) -> pd.DataFrame:
    """Readings of the paper side by side: what each gives over the baseline.

    ``rows`` are those of `table5`, each with its ``reading`` in words. One row a run: `table5`'s gain with its interval
    and ``p_holm``, adjusted for all rows of a dataset's list; of the hyperparameters, KD_T and those that vary.
    """
    table = against_baselines(rows)
    students = [row for row in table if row["method"] != "baseline"]
    values = {name: {row.get(name) for row in students} - {None} for name in HYPERPARAMETERS}
    shown = [name for name in HYPERPARAMETERS[1:] if name == "KD_T" or len(values[name]) > 1]
    scores = with_std(["top1", "top1_last"])
    columns = ["dataset", "reading", *shown, "seeds", *scores, "gain", "gain_low", "gain_high", "p_holm"]
    caption = (
        "Readings of the paper. Gain: points of top-1 over the baseline, with its 95 % bootstrap interval over the "
        "test videos; p: exact paired test against the baseline, adjusted for all rows of the list (Holm)"
    )
    return finished("readings", table, columns, caption)
