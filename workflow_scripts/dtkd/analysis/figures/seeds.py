"""What every training gains: how far seeds and lists scatter."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dtkd.analysis.figures.bars import rows_of_gains, signed
from dtkd.analysis.figures.base import SMALL, STROKES, heads, panels, short, styled, title
from dtkd.training.metrics import Predictions, top_k

Gains = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]  # dataset -> row -> list -> of each seed, in points
NAME = 110  # points that a name may take
MEAN = "#333333"


def read(given: Any, params: Any) -> tuple[Gains]:
    """What `seeds` draws, of a job's parameters."""

    @functools.cache
    def top1(file: str) -> float:
        run = Predictions.read(file)
        return top_k(run.logits, run.labels, 1)

    def gains(side: Mapping[str, Sequence[str]]) -> list[float]:
        return [top1(own) - top1(other) for own, other in zip(side["predictions"], side["baseline"], strict=True)]

    return ({
        dataset: {name: {number: gains(side) for number, side in lists.items()} for name, lists in rows.items()}
        for dataset, rows in params.shown.items()
    },)  # fmt: skip


@styled
def seeds(gained: Gains) -> Figure:
    """The gain in top-1 (points) of every seed and list as a point, over the baseline of the same; a line at the mean.

    The mean is over the lists, of each the mean over its seeds: the gain of the table `methods`.
    """
    longest = max(len(rows) for rows in gained.values())
    numbers = sorted({number for rows in gained.values() for lists in rows.values() for number in lists}, key=int)
    figure, axes = panels(gained, height=0.95 + 0.17 * longest)
    entries = []
    for dataset, rows in gained.items():
        (axis,) = axes[dataset]
        for y, lists in enumerate(rows.values()):
            _strip(axis, y, lists, numbers)
        rows_of_gains(axis, [short(name, NAME) for name in rows])
        axis.set_xlabel("gain in top-1 (points)")
        entries.append((axis, title(gained, dataset), _explained(rows, numbers)))
    heads(entries)
    return figure


def _strip(axis: Axes, y: int, lists: Mapping[str, Sequence[float]], numbers: Sequence[str]) -> None:
    """One row: its points, those of each list at a height of its own, and its mean."""
    for number, points in lists.items():
        place = numbers.index(number)
        offset = 0.4 * ((place + 0.5) / len(numbers) - 0.5)
        stroke = STROKES[place % len(STROKES)]
        axis.plot(points, [y + offset] * len(points), stroke.marker, color=stroke.color, alpha=0.7, markersize=3.5,
                  markeredgewidth=0)  # fmt: skip
    mean = sum(sum(points) / len(points) for points in lists.values()) / len(lists)
    axis.vlines(mean, y - 0.35, y + 0.35, color=MEAN, linewidth=1.6)
    axis.text(
        1.02, y, signed(round(mean, 9)), transform=axis.get_yaxis_transform(), va="center_baseline", fontsize=SMALL
    )


def _explained(rows: Mapping[str, Mapping[str, Sequence[float]]], numbers: Sequence[str]) -> list[Artist]:
    """For a legend: the points of each list, how many seeds they are of, and the mean."""
    count = max(len(points) for lists in rows.values() for points in lists.values())
    own = {number for lists in rows.values() for number in lists}
    handles: list[Artist] = [
        Line2D([], [], color=stroke.color, marker=stroke.marker, markersize=3.5, linestyle="None",
               label=f"list {number}, {count} seed{'s' if count > 1 else ''}")
        for place, number in enumerate(numbers)
        for stroke in [STROKES[place % len(STROKES)]]
        if number in own
    ]  # fmt: skip
    return [*handles, Line2D([], [], color=MEAN, marker="|", markersize=7, markeredgewidth=1.6, linestyle="None",
                             label="mean")]  # fmt: skip
