"""What accuracy costs: how much of it a smaller network keeps, by each method."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from dtkd.analysis.figures.base import (
    COLOURS,
    COLUMN,
    SMALL,
    STROKES,
    Stroke,
    deviation,
    heads,
    panels,
    styled,
    text_width,
    title,
)
from dtkd.analysis.tables.rows import network_of
from dtkd.training.metrics import Predictions, top_k

MARGIN = 0.1  # of the axis on both sides of the points
WIDTH = 0.8 * 72 * (2 * COLUMN - 0.6)  # points between the cheapest network and the dearest
LINE, GAP = 1.4 * SMALL, 8  # points from one row of names to the next, and between names
BASELINE = Stroke(COLOURS["baseline"], (0, (4, 2)), "o")


class Point(NamedTuple):
    """A row: its network's name, the multiply-adds of one clip (1e9), and top-1 (per cent) of every seed."""

    network: str
    gflops: float
    top1: Sequence[float]


Curves = Mapping[str, Mapping[str, Sequence[Point]]]  # dataset -> method -> of each network


def read(given: Any, params: Any) -> tuple[Curves]:
    """What `accuracy_cost` draws, of a job's parameters."""

    def top1(file: str) -> float:
        run = Predictions.read(file)
        return top_k(run.logits, run.labels, 1)

    return ({
        dataset: {
            method: [Point(names[row["backbone"], row["clip"]], network_of(row["record"])["gflops"],
                           [*map(top1, row["predictions"])]) for row in rows.values()]
            for method, rows in methods.items()
        }
        for dataset, methods in params.shown.items()
        for names in [_names(row for rows in methods.values() for row in rows.values())]
    },)  # fmt: skip


def _names(rows: Any) -> dict[tuple[str, str], str]:
    """Backbone and clip -> the backbone, with its clip where that tells two apart."""
    found = {(row["backbone"], row["clip"]) for row in rows}
    several = {backbone for backbone, _ in found if sum(other == backbone for other, _ in found) > 1}
    return {(name, clip): f"{name} {clip}" if name in several else name for name, clip in found}


@styled
def accuracy_cost(curves: Curves) -> Figure:
    """Top-1 over the multiply-adds of one clip: a curve a method, a point a network, over seeds with error bars."""
    named = {dataset: _labels(point for points in methods.values() for point in points)
             for dataset, methods in curves.items()}  # fmt: skip
    most = 1 + max(row for labels in named.values() for _, _, row in labels)
    figure, axes = panels(curves, height=2.6 + LINE * most / 72, wide=True)
    order = list(dict.fromkeys(method for methods in curves.values() for method in methods if method != "baseline"))
    entries = []
    for dataset, methods in curves.items():
        (axis,), handles = axes[dataset], []
        for method, points in methods.items():
            place = order.index(method) if method in order else None
            stroke = BASELINE if place is None else STROKES[place % len(STROKES)]
            handles.append(_curve(axis, method, points, stroke, hollow=place is not None and place >= len(STROKES)))
        _name_costs(axis, named[dataset])
        axis.set_xlabel("GFLOPs of one clip, on a logarithmic scale", labelpad=6 + LINE * most)
        axis.set_ylabel("test top-1 (%)")
        entries.append((axis, title(curves, dataset), handles))
    heads(entries, 2 * COLUMN)
    return figure


def _curve(axis: Axes, method: str, points: Sequence[Point], stroke: Stroke, hollow: bool) -> Line2D:
    """One method's networks, the cheapest first; returns its line for the legend."""
    ordered = sorted(points, key=lambda point: point.gflops)
    values = np.array([point.top1 for point in ordered]).T  # (seeds, networks)
    style = {"color": stroke.color, "linestyle": stroke.linestyle, "marker": stroke.marker, "markersize": 4.0,
             "markerfacecolor": "white" if hollow else stroke.color}  # fmt: skip
    axis.errorbar([point.gflops for point in ordered], values.mean(axis=0), deviation(values), capsize=1.5,
                  elinewidth=0.7, **style)  # fmt: skip
    return Line2D([], [], label=method, **style)


def _labels(points: Iterable[Point]) -> list[tuple[float, str, int]]:
    """Each network's cost, its name with that, and its row below the axis: no name touches another."""
    costs = sorted({(point.gflops, point.network) for point in points})
    span = math.log(costs[-1][0] / costs[0][0]) or 1.0
    ends: list[float] = []  # of each row: where its last name ends, in points
    found = []
    for gflops, name in costs:
        text = f"{name} ({gflops:.3g})"
        middle, half = WIDTH * math.log(gflops / costs[0][0]) / span, text_width(text) / 2
        row = next((row for row, end in enumerate(ends) if end + GAP < middle - half), len(ends))
        ends[row : row + 1] = [middle + half]
        found.append((gflops, text, row))
    return found


def _name_costs(axis: Axes, labels: Sequence[tuple[float, str, int]]) -> None:
    """A tick at each network's cost, with its name below."""
    axis.set_xscale("log")
    axis.set_xticks(sorted({gflops for gflops, _, _ in labels}), labels=[])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.margins(x=MARGIN)
    for gflops, text, row in labels:
        axis.annotate(text, (gflops, 0), (0, -6 - LINE * row), xycoords=axis.get_xaxis_transform(),
                      textcoords="offset points", ha="center", va="top", fontsize=SMALL)  # fmt: skip
