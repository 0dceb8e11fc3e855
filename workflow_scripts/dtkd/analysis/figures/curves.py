"""Figures over epochs: training loss above, accuracy below (paper, Sections 4.2 and 4.4.3).

The accuracy is that on the test videos, or where these are asked in the end alone, on the held-out ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from dtkd.analysis.figures.base import (
    COLOURS,
    STROKES,
    Stroke,
    epochs_axis,
    heads,
    over_epochs,
    panels,
    read_runs,
    seeds_patch,
    title,
)
from dtkd.common.files import read_parquet

Histories = Mapping[str, Mapping[str, Sequence[pd.DataFrame]]]  # dataset -> label -> a `history.parquet` per seed
TOP1 = ("top1", "test top-1 (%)")
VALIDATION = ("val_top1", "validation top-1 (%)")  # of runs that see the test videos in the end alone
REFERENCE = Stroke(COLOURS["baseline"], "-", "")


def read_histories(given: Any, params: Any) -> tuple[dict[str, dict[str, list[pd.DataFrame]]]]:
    """The runs' histories, of a job's parameters."""
    return (read_runs(params.shown, read_parquet),)


def loss_and_accuracy(histories: Histories, loss: tuple[str, str], baseline_last: bool) -> Figure:
    """Two panels a dataset; with ``baseline_last`` the last series is a reference, whose top-1 alone is shown."""
    runs_shown = [run for series in histories.values() for runs in series.values() for run in runs]
    accuracy = VALIDATION if all(VALIDATION[0] in run for run in runs_shown) else TOP1
    quantities = (loss, accuracy)
    figure, axes = panels(histories, height=1.75, rows=len(quantities))
    entries = []
    for dataset, series in histories.items():
        for axis, (column, label) in zip(axes[dataset], quantities, strict=True):
            for n, (name, runs) in enumerate(series.items()):
                reference = baseline_last and n == len(series) - 1
                stroke = REFERENCE if reference else STROKES[n % len(STROKES)]
                if not reference or column == accuracy[0]:
                    width = {"linewidth": 0.8, "zorder": 1} if reference else {}
                    over_epochs(axis, runs, column, label=name, **stroke._asdict(), **width)
            axis.set_ylabel(label)
            epochs_axis(axis, label=axis is axes[dataset][-1])
        seeds = seeds_patch([len(runs) for runs in series.values()])
        entries.append((axes[dataset][0], title(histories, dataset), [*axes[dataset][-1].lines, *seeds]))
    heads(entries)
    figure.align_ylabels()
    return figure
