"""What accuracy costs: how much of it a smaller network keeps, by each method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from dtkd.analysis.figures.base import COLOURS, STROKES, Stroke, deviation, heads, panels, styled, title
from dtkd.analysis.tables.rows import network_of
from dtkd.training.metrics import Predictions, top_k

CLOSE = 1.15  # networks whose costs differ by less share a tick
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
    figure, axes = panels(curves, height=2.9)
    order = list(dict.fromkeys(method for methods in curves.values() for method in methods if method != "baseline"))
    entries = []
    for dataset, methods in curves.items():
        (axis,), handles = axes[dataset], []
        for method, points in methods.items():
            place = order.index(method) if method in order else None
            stroke = BASELINE if place is None else STROKES[place % len(STROKES)]
            handles.append(_curve(axis, method, points, stroke, hollow=place is not None and place >= len(STROKES)))
        _ticks(axis, [point for points in methods.values() for point in points])
        axis.set_xlabel("GFLOPs of one clip, on a logarithmic scale")
        axis.set_ylabel("test top-1 (%)")
        entries.append((axis, title(curves, dataset), handles))
    heads(entries)
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


def _ticks(axis: Axes, points: Sequence[Point]) -> None:
    """A tick at each network's cost, with its name."""
    axis.set_xscale("log")
    costs = sorted({(point.gflops, point.network) for point in points})
    shared: list[list[tuple[float, str]]] = []
    for cost in costs:
        if shared and cost[0] < CLOSE * shared[-1][0][0]:
            shared[-1].append(cost)
        else:
            shared.append([cost])
    labels = [", ".join(f"{name} ({gflops:.3g})" for gflops, name in each) for each in shared]
    axis.set_xticks([each[0][0] for each in shared], labels, rotation=25, ha="right", rotation_mode="anchor")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.margins(x=0.08)
