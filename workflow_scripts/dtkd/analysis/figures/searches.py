"""Searches for settings: validation top-1 of every candidate over the epochs that it was trained for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dtkd.analysis.figures.base import COLOURS, COLUMN, STROKES, epochs_axis, heads, panels, styled, title
from dtkd.analysis.tables.searches import last_seen

WINNER, OTHER, RUNG = STROKES[0].color, "#999999", COLOURS["threshold"]


@dataclass(frozen=True)
class Searched:
    """What a search has seen."""

    rungs: Sequence[int]  # the epochs after which candidates were compared
    candidates: Mapping[str, Sequence[float]]  # settings -> validation top-1 of each epoch, per cent; the winner first


def read(given: Any, params: Any) -> tuple[dict[str, Searched]]:
    """The searches by name, of a job's parameters."""
    return ({_name(row): _searched(row) for row in params.shown},)


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['dataset']}, {row['model']}" + (f", list {row['list']}" if row["list"] > 1 else "")


def _searched(row: Mapping[str, Any]) -> Searched:
    rankings = [json.loads(Path(file).read_text(encoding="utf-8")) for file in row["rankings"]]
    seen = {row["candidates"][name]: last["val_top1"] for name, last in last_seen(rankings).items()}
    return Searched(row["epochs"][:-1], seen)


@styled
def searches(searched: Mapping[str, Searched]) -> Figure:
    """A line for each candidate, which ends where it was out; the winner's is thick, and rungs are vertical lines.

    Args:
        searched: by the name of each search's panel.
    """
    figure, axes = panels([str(number) for number in range(len(searched))], height=2.1)
    entries = []
    for (axis,), (name, search) in zip(axes.values(), searched.items(), strict=True):
        _draw(axis, search)
        entries.append((axis, title(searched, name), axis.get_legend_handles_labels()[0]))
    heads(entries, COLUMN)
    return figure


def _draw(axis: Axes, search: Searched) -> None:
    (best, top1), *others = search.candidates.items()
    for epoch in search.rungs:
        axis.axvline(epoch, color=RUNG, linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)
    for number, (_, values) in enumerate(others):
        label = {"label": f"{len(others)} other candidate{'s' * (len(others) > 1)}"} if number == 0 else {}
        axis.plot(range(1, 1 + len(values)), values, color=OTHER, linewidth=0.7, marker=".", markersize=2, **label)
        if values:
            axis.plot(len(values), values[-1], color=OTHER, marker="x", markersize=4, zorder=3)
    axis.plot(range(1, 1 + len(top1)), top1, color=WINNER, linewidth=1.8, marker="o", label=f"winner: {best}", zorder=4)
    axis.set_ylabel("validation top-1 (%)")
    epochs_axis(axis, label=True)
