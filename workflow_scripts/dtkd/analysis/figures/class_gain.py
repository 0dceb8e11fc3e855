"""The gain of a student over the baseline in every class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from dtkd.analysis import significance
from dtkd.analysis.figures.base import COLUMN, heads, looks, panels, styled, text_width, title
from dtkd.analysis.figures.pairs import Runs, Split, classes_of, points_of, read_pairs
from dtkd.data.groups import group_names
from dtkd.training.metrics import Predictions, per_class_top1

ONE_COLUMN = 34  # so many classes fit under one another in a third of a page
LONG = 85  # points: wider names take more than half of such a column
read = read_pairs


@styled
def class_gain(runs: Runs, splits: Mapping[str, Split]) -> Figure:
    """The student's gain over the baseline in every class's top-1 (points; the mean over seeds), from most to least.

    With its 95 % interval over the class's test videos: where the models agree on all of them, there is none to see.
    Up to `ONE_COLUMN` classes stand under one another; more take three columns of a full page, or two if names are
    long. Classes without test videos are left out.

    Args:
        runs: dataset -> name -> predictions of every seed; first the baseline, then the student.
        splits: dataset -> its `split.json`, the classes in the labels' order (`subsets.read_splits`).
    """
    gains = {dataset: class_gains(models) for dataset, models in runs.items()}
    many = max(np.isfinite(gain).sum() for gain in gains.values()) > ONE_COLUMN
    longest = max(text_width(name) for dataset in gains for name, _ in classes_of(splits[dataset]))
    figure, axes = _columns(gains, 3 if longest < LONG else 2) if many else _side_by_side(gains)
    entries = []
    for dataset, gain in gains.items():
        classes, style = classes_of(splits[dataset]), looks(group_names(splits[dataset]))
        order = [n for n in np.argsort(-gain, kind="stable") if np.isfinite(gain[n])]
        rows = math.ceil(len(order) / len(axes[dataset]))
        labels, points = points_of(runs[dataset])
        ends = {n: significance.interval_of_classes(points[labels == n], labels[labels == n]) for n in order}
        low, high = min([0, *(end for end, _ in ends.values())]), max([0, *(end for _, end in ends.values())])
        room = 0.05 * (high - low) or 1.0
        for n, axis in enumerate(axes[dataset]):
            own = order[n * rows : (n + 1) * rows]
            for y, label in enumerate(own):
                look = style[classes[label][1]]
                axis.barh(y, gain[label], 0.75, color=look.colour, hatch=look.hatch, edgecolor="white", lw=0)
                axis.hlines(y, *ends[label], color="black", linewidth=0.8)
            axis.set_yticks(range(len(own)), [classes[label][0] for label in own])
            for text, label in zip(axis.get_yticklabels(), own, strict=True):
                text.set_color(style[classes[label][1]].colour)
            axis.tick_params(axis="y", length=0)
            axis.axvline(0, color="black", linewidth=0.6)
            axis.spines["left"].set_visible(False)
            axis.set(ylim=(rows - 0.4, -0.6), xlim=(low - room, high + room))
            axis.xaxis.set_major_locator(MaxNLocator(3 if many else 5, steps=[1, 2, 2.5, 5, 10]))
            axis.grid(axis="x", linewidth=0.3, color="#CCCCCC")
        baseline, student = runs[dataset]
        axes[dataset][len(axes[dataset]) // 2].set_xlabel(f"gain in top-1 (points)\n{_videos(labels, len(classes))}")
        subsets = [Patch(facecolor=look.colour, hatch=look.hatch, edgecolor="white", lw=0, label=group)
                   for group, look in style.items()]  # fmt: skip
        subsets += [Line2D([], [], color="black", linewidth=0.8, label="95 % interval")]
        entries.append((axes[dataset][0], f"{title(runs, dataset)}: {student} − {baseline}", subsets))
    heads(entries, 2 * COLUMN if many else COLUMN)
    return figure


def class_gains(models: Mapping[str, Sequence[Predictions]]) -> np.ndarray:
    """(C,) points of top-1 that the second model has more than the first, mean over seeds; NaN without test videos."""
    baseline, student = (
        np.mean([per_class_top1(each.logits, each.labels) for each in runs], axis=0) for runs in models.values()
    )
    return student - baseline


def _videos(labels: np.ndarray, classes: int) -> str:
    """How many test videos there are, in all and of each class, and what guessing would be."""
    own = np.unique(labels, return_counts=True)[1]
    each = f"{own.min()}" if own.min() == own.max() else f"{own.min()} to {own.max()}"
    return f"{len(labels)} test videos, {each} a class\nchance {100 / classes:.2g} %"


def _side_by_side(gains: Mapping[str, np.ndarray]) -> tuple[Figure, dict[str, list[Axes]]]:
    return panels(gains, height=1.2 + 0.14 * max(len(gain) for gain in gains.values()))


def _columns(gains: Mapping[str, np.ndarray], columns: int) -> tuple[Figure, dict[str, list[Axes]]]:
    heights = [1.1 + 0.125 * math.ceil(np.isfinite(gain).sum() / columns) for gain in gains.values()]
    figure = Figure(figsize=(2 * COLUMN, sum(heights)), layout="constrained")
    grid = figure.subplots(len(gains), columns, squeeze=False, height_ratios=heights)
    return figure, {name: list(row) for name, row in zip(gains, grid, strict=True)}
