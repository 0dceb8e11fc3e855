"""The clip as the network sees it: whole frames of some classes with the windows of test and training."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isnan

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dtkd.analysis.figures.base import SMALL, styled
from dtkd.checks.windows import View, rectangle, seen
from dtkd.checks.wording import percent

CLASSES = 6
TEST, TRAIN = "#009E73", "#E69F00"  # Okabe-Ito's
MARK = {"fontsize": SMALL - 1, "color": "white", "va": "top",
        "bbox": {"facecolor": "#000000", "alpha": 0.6, "linewidth": 0, "pad": 1.5}}  # fmt: skip
ROW = 1.15  # inches


def shown(views: Sequence[View], classes: Sequence[str], most: int = CLASSES) -> list[tuple[str, View]]:
    """(class, its most typical view) of some classes, from the one whose motion is seen least to the one with most.

    ``classes`` are of all videos, by their numbers.
    """
    by_class: dict[str, list[View]] = {}
    for view in views:
        if not isnan(view.test):
            by_class.setdefault(classes[view.number], []).append(view)
    means = {name: float(np.mean([view.test for view in own])) for name, own in by_class.items()}
    order = sorted(means, key=lambda name: (means[name], name))
    places = sorted(set(np.linspace(0, len(order) - 1, min(most, len(order))).round().astype(int)))
    typical = {name: min(own, key=lambda view: abs(view.test - means[name])) for name, own in by_class.items()}
    return [(order[place], typical[order[place]]) for place in places]


@styled
def draw(entries: Sequence[tuple[str, View]], crop: int) -> Figure:
    """A row a class: the whole frame with all windows, then what the network gets of it in test and training."""
    figure = Figure(figsize=(7.0, ROW * len(entries) + 0.35), layout="constrained")
    drawn = len(entries[0][1].drawn)
    aspect = max(view.frame.shape[1] / view.frame.shape[0] for _, view in entries)
    grid = figure.subplots(len(entries), 2 + drawn, squeeze=False, width_ratios=[max(1.0, aspect), *[1] * (1 + drawn)])
    for row, (name, view) in zip(grid, entries, strict=True):
        _whole(row[0], view)
        row[0].set_ylabel(_lines(name), fontsize=SMALL, rotation=0, ha="right", va="center", parse_math=False)
        for axis, window, colour in zip(row[1:], (view.windows[0], *view.drawn), (TEST, *[TRAIN] * drawn), strict=True):
            axis.imshow(seen(view.frame, window, crop), interpolation="nearest")
            if window.mirrored:
                axis.text(0.04, 0.95, "mirrored", transform=axis.transAxes, **MARK)
            _frame(axis, colour)
        row[1].set_xlabel(f"{percent(view.test)} of the motion", fontsize=SMALL, color=TEST, labelpad=2)
        row[1 + drawn // 2 + 1].set_xlabel(f"{percent(view.train)} on average", fontsize=SMALL, color=TRAIN, labelpad=2)
    heads = ("whole frame, motion in red", "test", *(f"training, epoch {epoch + 1}" for epoch in range(drawn)))
    for column, text in enumerate(heads):
        grid[0, column].set_title(text, fontsize=SMALL, weight="normal", loc="center", pad=3)
    return figure


def _whole(axis: Axes, view: View) -> None:
    """The frame, what moves in it in red, the test's windows and those of training (dashed)."""
    height, width = view.frame.shape[:2]
    grey = view.frame.mean(-1, keepdims=True).repeat(3, -1) / 255
    axis.imshow(0.25 + 0.75 * grey, extent=(0, width, height, 0), vmin=0, vmax=1)
    strength = np.clip(view.motion / max(float(np.quantile(view.motion, 0.99)), 1e-6), 0, 1)
    red = np.zeros((*strength.shape, 4))
    red[..., 0], red[..., 3] = 0.85, 0.75 * strength
    axis.imshow(red, extent=(0, width, height, 0), interpolation="bilinear")
    for windows, colour, style in ((view.drawn, TRAIN, "--"), (view.windows, TEST, "-")):
        for window in windows:
            top, left, tall, wide = rectangle(window, view.frame.shape)
            edges = {"edgecolor": colour, "linewidth": 1.2, "linestyle": style}
            axis.add_patch(Rectangle((left, top), wide, tall, fill=False, **edges))
    axis.set(xlim=(-1, width + 1), ylim=(height + 1, -1))
    _frame(axis, "#888888")


def _frame(axis: Axes, colour: str) -> None:
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set(visible=True, edgecolor=colour, linewidth=0.8)


def _lines(name: str, width: int = 15, most: int = 4) -> str:
    """A name on a few lines, broken where its words end if they fit."""
    words = re.findall(r"[^_\W]*[_\W]*", name.replace("\n", " "))
    lines = [""]
    for part in (word[start : start + width] for word in words for start in range(0, len(word), width)):
        if len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines[:most]) + ("…" if len(lines) > most else "")
