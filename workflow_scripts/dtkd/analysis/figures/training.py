"""Figures 5 and 6: training loss and test accuracy over epochs (paper, Sections 4.2 and 4.4.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    seeds_patch,
    styled,
    title,
)

Histories = Mapping[str, Mapping[str, Sequence[pd.DataFrame]]]  # dataset -> label -> a `history.parquet` per seed
LOSS = ("train_loss", "training loss")  # a history's column, and its axis's label
STUDENTS_LOSS = ("L_total", "loss (Eq. 13)")
TOP1 = ("top1", "test top-1 (%)")
REFERENCE = Stroke(COLOURS["baseline"], "-", "")


@styled
def figure5(histories: Histories) -> Figure:
    """Figure 5: training loss and test top-1 (per cent) of every epoch, of the baselines trained on each list.

    Args:
        histories: dataset -> label such as ``U1 (list 1)`` -> the history of every seed.
    """
    return _curves(histories, LOSS, baseline_last=False)


@styled
def figure6(histories: Histories) -> Figure:
    """Figure 6: the same of a DTKD and a BSKD student, whose loss is Eq. 13 alone (`eq13`).

    The two losses have different soft targets: their heights are not comparable, their course is.

    Args:
        histories: dataset -> label -> the history of every seed: DTKD, BSKD if there is one and, last, the baseline,
            whose top-1 is a thin grey line.
    """
    shown = {
        dataset: {name: [run.assign(L_total=eq13(run)) for run in runs] for name, runs in series.items()}
        for dataset, series in histories.items()
    }
    return _curves(shown, STUDENTS_LOSS, baseline_last=True)


def eq13(history: pd.DataFrame) -> pd.Series:
    """A student's own loss, without that of teachers which go on learning beside it (``L_teachers``).

    Histories from before the column ``L_total`` have the sum of both.
    """
    if "L_total" in history:
        return history["L_total"]
    return history["train_loss"] - history.get("L_teachers", 0.0)


def _curves(histories: Histories, loss: tuple[str, str], baseline_last: bool) -> Figure:
    """Two panels a dataset; with ``baseline_last`` the last series is a reference, whose top-1 alone is shown."""
    quantities = (loss, TOP1)
    figure, axes = panels(histories, height=1.75, rows=len(quantities))
    entries = []
    for dataset, series in histories.items():
        for axis, (column, label) in zip(axes[dataset], quantities, strict=True):
            for n, (name, runs) in enumerate(series.items()):
                reference = baseline_last and n == len(series) - 1
                stroke = REFERENCE if reference else STROKES[n % len(STROKES)]
                if not reference or column == "top1":
                    width = {"linewidth": 0.8, "zorder": 1} if reference else {}
                    over_epochs(axis, runs, column, label=name, **stroke._asdict(), **width)
            axis.set_ylabel(label)
            epochs_axis(axis, label=axis is axes[dataset][-1])
        seeds = seeds_patch([len(runs) for runs in series.values()])
        entries.append((axes[dataset][0], title(histories, dataset), [*axes[dataset][-1].lines, *seeds]))
    heads(entries)
    figure.align_ylabels()
    return figure
