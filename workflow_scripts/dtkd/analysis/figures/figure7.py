"""Figure 7: accuracy of a baseline and a student, over all videos, over the classes and over each group's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from dtkd.analysis import significance
from dtkd.analysis.figures.bars import above, bar_style, fitting, per_cent, signed
from dtkd.analysis.figures.base import COLOURS, COLUMN, deviation, heads, looks, panels, styled, title
from dtkd.analysis.figures.pairs import Runs, Split, points_of, read_pairs, subsets_of
from dtkd.data import published
from dtkd.data.groups import group_names
from dtkd.training.metrics import Predictions, per_class_top1, top_k

SHORT = {"static": "St-subset", "dynamic": "Dy-subset"}  # what Figure 7 calls the paper's groups
PUBLISHED = (None, "per_class_mean", "static_mean", "dynamic_mean")  # its measures' names in `published.gains`


def read(given: Any, params: Any) -> tuple[Any, ...]:
    """What `figure7` draws, of a job's inputs and parameters; the paper's gains where the pair may be the paper's."""
    runs, splits = read_pairs(given, params)
    return runs, splits, {dataset: published.gains(dataset, *runs[dataset]) for dataset in params.as_published}


@styled
def figure7(runs: Runs, splits: Mapping[str, Split], paper: Mapping[str, Mapping[str, float]] | None = None) -> Figure:
    """Figure 7: top-1, per-class mean and each group's mean (per cent) of a baseline and a student.

    Values stand on the bars (with several seeds their mean, with its standard deviation as an error bar), gains in
    points above them with their 95 % intervals over the test videos, whose number is below; guessing is a line.

    Args:
        runs: dataset -> name -> predictions of every seed; first the baseline, then the student.
        splits: dataset -> its `split.json`, the classes in the labels' order (`subsets.read_splits`).
        paper: dataset -> measure -> the paper's gain, in grey above this study's.
    """
    paper = paper or {}
    wide = max(len(group_names(split)) for split in splits.values()) > 2  # numbers stand on the bars
    figure, axes = panels(runs, height=2.6, wide=wide)
    entries = []
    for dataset, models in runs.items():
        (axis,) = axes[dataset]
        subsets, style = np.array(subsets_of(splits[dataset])), looks(group_names(splits[dataset]))
        measures = {"top-1": None, "per-class\nmean": None} | {f"{SHORT.get(g, g)}\nmean": g for g in style}
        count = len(measures)
        width, tops, means = 0.44, np.zeros(len(measures)), []
        for n, predictions in enumerate(models.values()):
            scores = np.array([group_scores(each, subsets, list(style)) for each in predictions])
            mean, spread = scores.mean(axis=0), deviation(scores)
            means.append(mean)
            for m, (value, subset) in enumerate(zip(mean, measures.values(), strict=True)):
                x, top = m + (n - 0.5) * width, value + (0 if spread is None else spread[m])
                colour = style[subset].colour if subset else COLOURS["overall"]
                axis.bar(x, value, width * 0.94, **bar_style(colour, baseline=n == 0))
                if spread is not None:
                    axis.errorbar(x, value, spread[m], color="black", elinewidth=0.8, capsize=2, capthick=0.8)
                if np.isfinite(value):
                    above(axis, x, top, per_cent(value), 1)
                    tops[m] = max(tops[m], top)
        labels, points = points_of(models)
        groups = [subsets[labels] == group if group else np.full(len(labels), True) for group in measures.values()]
        for m, gain in enumerate(means[1] - means[0]):
            if np.isfinite(gain):
                ends = significance.interval(points) if m == 0 else significance.interval_of_classes(
                    points[groups[m]], labels[groups[m]])  # fmt: skip
                above(axis, m, tops[m], _interval(*ends), 10)
                above(axis, m, tops[m], signed(gain), 19, weight="bold")
                if m < len(PUBLISHED) and (theirs := paper.get(dataset, {}).get(PUBLISHED[m])) is not None:
                    above(axis, m, tops[m], f"paper {signed(theirs)}", 28, color="0.4")
        axis.set_xticks(range(len(measures)), [
            "\n".join([*(fitting(line, count, wide) for line in name.split("\n")), f"n = {group.sum()}"])
            for name, group in zip(measures, groups, strict=True)
        ])  # fmt: skip
        axis.tick_params(axis="x", length=0)
        room = 1.45 if dataset in paper else 1.34  # for the gains
        chance = axis.axhline(100 / len(subsets), color="black", linewidth=0.8, linestyle=":")
        chance.set_label(f"chance {100 / len(subsets):.2g} %")
        axis.set(ylabel="accuracy (%)", xlim=(-0.55, len(measures) - 0.45), ylim=(0, max(1.0, room * tops.max())))
        axis.set_yticks([tick for tick in axis.get_yticks() if tick <= 100])
        handles = [
            Patch(**bar_style(COLOURS["overall"], baseline=n == 0), label=name) for n, name in enumerate(models)
        ] + [chance]
        if (seeds := max(len(predictions) for predictions in models.values())) > 1:
            handles.append(Line2D([], [], color="black", marker="|", lw=0.8, label=f"± std of {seeds} seeds"))
        entries.append((axis, title(runs, dataset), handles))
    heads(entries, 2 * COLUMN if wide else COLUMN)
    return figure


def group_scores(predictions: Predictions, subsets: np.ndarray, groups: Sequence[str]) -> list[float]:
    """Per cent of a run (paper, Section 4.4.4): top-1, the mean over classes, and that over each group's classes.

    ``subsets`` (C,) are the names of the classes' groups.
    """
    own = per_class_top1(predictions.logits, predictions.labels)
    means = [_mean(own), *(_mean(own[subsets == group]) for group in groups)]
    return [top_k(predictions.logits, predictions.labels, 1), *means]


def _mean(values: np.ndarray) -> float:
    """The mean of what is known; NaN of nothing."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan


def _interval(low: float, high: float) -> str:
    """An interval of gains, in as many digits as fit above a bar."""
    decimals = 1 if max(abs(low), abs(high)) < 9.95 else 0
    return f"[{signed(low, decimals)}, {signed(high, decimals)}]"
