"""Whether models are as often right as they are confident."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from dtkd.analysis.calibration import BINS, Reliability, binned, ece
from dtkd.analysis.figures.base import COLOURS, COLUMN, SMALL, in_lines, read_runs, styled, title
from dtkd.analysis.figures.pairs import Runs
from dtkd.training.metrics import Predictions

MOST = 4  # models in a row
STUDENT = "#009E73"
CENTRES = (np.arange(BINS) + 0.5) / BINS
FEW = 10  # videos: the accuracy of fewer says little
DOTS = {"color": "black", "marker": "o", "markersize": 2.2, "linestyle": "None"}
TICKS = [0, 0.5, 1]


def read(given: Any, params: Any) -> tuple[Runs]:
    """What `reliability` draws, of a job's parameters."""
    return (read_runs(params.shown, Predictions.read),)


@styled
def reliability(runs: Runs) -> Figure:
    """A reliability diagram of each model: of the test videos of a bin of confidence, how many it is right about.

    Bars that end above the diagonal: it is right more often than it promises; below: it is overconfident. Beneath
    them is how many videos each bin has; bars of fewer than `FEW` are hollow. Videos of all seeds are taken together;
    the ECE is the mean of the seeds' own. The first model of a data set is the baseline, and drawn into the others'
    panels.

    Args:
        runs: dataset -> name -> predictions of every seed.
    """
    across = max(3, min(MOST, max(map(len, runs.values()))))
    down = [math.ceil(len(models) / across) for models in runs.values()]
    figure = Figure(figsize=(2 * COLUMN, sum(0.25 + 2.15 * rows for rows in down)), layout="constrained")
    parts = figure.subfigures(len(runs), 1, height_ratios=[0.25 + 2.15 * rows for rows in down], squeeze=False)[:, 0]
    for part, rows, (dataset, models) in zip(parts, down, runs.items(), strict=True):
        grid = part.subplots(2 * rows, across, squeeze=False, height_ratios=[3, 1] * rows, sharex=True)
        pooled = {name: _pooled(own) for name, own in models.items()}
        baseline = next(iter(pooled.values()))
        for place, axes in enumerate(zip(grid[::2].flat, grid[1::2].flat, strict=True)):
            if place >= len(models):
                for axis in axes:
                    axis.remove()
                continue
            name, own = list(models.items())[place]
            _diagram(axes[0], pooled[name], baseline, place == 0)
            _counts(axes[1], pooled[name].counts, place == 0)
            error = np.mean([ece(each.logits, each.labels) for each in own])
            words = in_lines(name, 72 * 2 * COLUMN / across - 34)
            axes[0].set_title(f"{words}\nECE {error:.1f} %", fontsize=SMALL, fontweight="normal")
            if place % across == 0:
                axes[0].set_ylabel("accuracy")
                axes[1].set_ylabel("videos")
            axes[1].set_xlabel("confidence")
        if len(models) > 1:
            part.legend(handles=[Line2D([], [], **DOTS, label="baseline")], loc="outside upper right")
        part.suptitle(title(runs, dataset), x=0.01, ha="left", fontsize=8, fontweight="bold")
    return figure


def _pooled(runs: Sequence[Predictions]) -> Reliability:
    """The videos of all seeds together."""
    return binned(np.concatenate([run.logits for run in runs]), np.concatenate([run.labels for run in runs]))


def _diagram(axis: Axes, own: Reliability, baseline: Reliability, is_baseline: bool) -> None:
    colour = COLOURS["baseline"] if is_baseline else STUDENT
    faces = [colour if count >= FEW else "white" for count in own.counts]
    axis.bar(CENTRES, own.accuracy, 0.9 / BINS, color=faces, edgecolor=colour, linewidth=0.6)
    if not is_baseline:
        axis.plot(baseline.confidence, baseline.accuracy, clip_on=False, **DOTS)
    axis.plot([0, 1], [0, 1], color=COLOURS["threshold"], linewidth=0.8, linestyle="--")
    axis.set(xlim=(0, 1), ylim=(0, 1), xticks=TICKS, yticks=TICKS)
    axis.tick_params(axis="x", labelbottom=False)


def _counts(axis: Axes, counts: np.ndarray, is_baseline: bool) -> None:
    axis.bar(CENTRES, counts, 0.9 / BINS, color=COLOURS["baseline"] if is_baseline else STUDENT)
    axis.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    axis.set_xticks(TICKS, ["0", "0.5", "1"])
    axis.tick_params(axis="x", labelbottom=True)
