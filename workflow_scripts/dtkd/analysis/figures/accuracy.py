"""What students and teachers gain; Figure 7 and what is behind it: accuracy per subset, per class, and confusions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from dtkd.analysis import significance
from dtkd.analysis.figures.base import (
    COLOURS,
    COLUMN,
    SMALL,
    deviation,
    heads,
    in_lines,
    looks,
    panels,
    short,
    styled,
    text_width,
    title,
)
from dtkd.data.groups import SUBSETS, group_names
from dtkd.training.metrics import NOISE, Predictions, per_class_top1, top_k, top_k_correct

Runs = Mapping[str, Mapping[str, Sequence[Predictions]]]  # dataset -> name -> per seed: the baseline, then the student
Split = Mapping[str, Any]  # the content of a `split.json`, its classes in the order of their labels
SHORT = {"static": "St-subset", "dynamic": "Dy-subset"}  # what Figure 7 calls the paper's groups
PUBLISHED = (None, "per_class_mean", "static_mean", "dynamic_mean")  # its measures' names in `published.gains`
GAIN = "#333333"
TEACHERS = {True: "teacher (LT)", False: "teacher (no LT)"}
ONE_COLUMN = 34  # so many classes fit under one another in a third of a page
LONG = 85  # points: wider names take more than half of such a column
NAME = 120  # points that a name may take in any case


@styled
def gains(table: pd.DataFrame, baselines: Runs) -> Figure:
    """Every student's gain in top-1 over its baseline (points), with its 95 % interval, in the table's order.

    A point is filled if the gain is told from chance with all students taken into account: p (Holm) below 0.05.

    Args:
        table: Table 5: dataset, model, method, top1, gain, gain_low, gain_high, p_holm and, where there is one, seeds.
            A baseline comes before its students.
        baselines: dataset -> baseline -> predictions of every seed, of the data sets that have students: how many test
            videos and classes there are.
    """
    rows = {dataset: table[table["dataset"] == dataset] for dataset in baselines}
    longest = max(len(own) for own in rows.values())
    figure, axes = panels(baselines, height=0.75 + 0.15 * longest + 0.13 * max(map(len, baselines.values())))
    entries = []
    for dataset, own in rows.items():
        (axis,), several = axes[dataset], len(baselines[dataset]) > 1
        own = own if several else own[own["method"] != "baseline"]
        for y, row in enumerate(own.to_dict("records")):
            if row["method"] != "baseline":
                told = row["p_holm"] < NOISE
                axis.hlines(y, row["gain_low"], row["gain_high"], color=GAIN, linewidth=1.2)
                axis.plot(row["gain"], y, "o", color=GAIN, markerfacecolor=GAIN if told else "white", markersize=4.5)
                text = _signed(row["gain"])
                axis.text(1.02, y, text, transform=axis.get_yaxis_transform(), va="center_baseline", fontsize=SMALL)
        axis.set_yticks(range(len(own)), [
            f"over {row.model}:" if row.method == "baseline" else row.model for row in own.itertuples()
        ])  # fmt: skip
        axis.tick_params(axis="y", length=0)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_ylim(len(own) - 0.4, -0.6)
        axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        axis.grid(axis="x", linewidth=0.3, color="#CCCCCC")
        axis.spines["left"].set_visible(False)
        seeds = int(own["seeds"].max()) if "seeds" in own else 1
        axis.set_xlabel("gain in top-1 (points" + (f", mean of {seeds} seeds)" if seeds > 1 else ")"))
        entries.append((axis, title(baselines, dataset), [*_to_beat(table, dataset, baselines[dataset]), *_told(own)]))
    heads(entries)
    return figure


def _to_beat(table: pd.DataFrame, dataset: str, baselines: Mapping[str, Sequence[Predictions]]) -> list[Line2D]:
    """For a legend: the line of no gain, what that is in per cent, of how many videos, and what guessing would be."""
    top1 = table[(table["dataset"] == dataset) & (table["method"] == "baseline")].set_index("model")["top1"]
    labels = [
        f"{name}: {top1[name]:.2f} % of {len(runs[0].videos)} test videos, chance {100 / runs[0].logits.shape[1]:.2g} %"
        for name, runs in baselines.items()
    ]
    return [Line2D([], [], color="black", linewidth=0.8, label=label) for label in labels]


def _told(table: pd.DataFrame) -> list[Line2D]:
    """For a legend: the two kinds of points, those that there are."""
    told = (table["p_holm"] < NOISE)[table["method"] != "baseline"]
    kinds = [(True, f"p (Holm) < {NOISE}", GAIN), (False, "may be chance", "white")]
    return [
        Line2D([], [], color=GAIN, marker="o", markersize=4.5, markerfacecolor=face, label=label)
        for kind, label, face in kinds
        if (told == kind).any()
    ]


@styled
def teachers(table: pd.DataFrame) -> Figure:
    """Top-1 (per cent) of the baseline and of the teachers on the test videos of each teacher's own subset.

    Values stand on the bars; above the teachers' their gains over the baseline in points, whose 95 % interval is the
    line about the bar's end.

    Args:
        table: ``teachers.csv``: dataset, list, split (if there are several), subset (a data set's last group first), LT
            (of the teacher only the head was trained), videos, baseline_top1, teacher_top1, gain, gain_low, gain_high.
    """
    table = table.assign(split=table["split"].fillna("") if "split" in table else "")
    parts = {key: own for key, own in table.groupby(["dataset", "list", "split"], sort=False)}
    lists = {name: [key[1:] for key in parts if key[0] == name] for name in dict.fromkeys(table["dataset"])}
    groups_of = {key: list(dict.fromkeys(own["subset"]))[::-1] for key, own in parts.items()}
    wide = max(map(len, groups_of.values())) > 2  # numbers stand on the bars
    figure, axes = panels(lists, height=2.5, rows=max(map(len, lists.values())), wide=wide)
    entries = []
    for dataset, numbers in lists.items():
        for part, axis in itertools.zip_longest(numbers, axes[dataset]):
            if part is None:  # another data set has more lists or splits
                axis.remove()
                continue
            own = parts[dataset, *part]
            kinds = sorted(set(own["LT"]), reverse=True)
            style = looks(groups_of[dataset, *part])
            groups = {subset: rows for subset in style if len(rows := own[own["subset"] == subset])}
            top = max(
                _teachers_group(axis, x, rows, kinds, style[subset].colour)
                for x, (subset, rows) in enumerate(groups.items())
            )
            axis.set_xticks(range(len(groups)), [
                f"{_fitting(f'{subset} classes', len(groups), wide)}\n{rows['videos'].iloc[0]} test videos"
                for subset, rows in groups.items()
            ])  # fmt: skip
            axis.tick_params(axis="x", length=0)
            axis.set(ylabel="top-1 (%)", xlim=(-0.55, len(groups) - 0.45), ylim=(0, max(1.0, 1.22 * top)))
            axis.set_yticks([tick for tick in axis.get_yticks() if tick <= 100])
            handles = [Patch(**_bar_style(COLOURS["overall"], baseline=True), label="baseline")]
            handles += [Patch(**_teacher_style(COLOURS["overall"], kind), label=TEACHERS[kind]) for kind in kinds]
            number, split = part
            words = [f"list {number}"] * (len({part[0] for part in numbers}) > 1) + [f"split {split}"] * bool(split)
            entries.append((axis, ", ".join([title(lists, dataset), *words]), handles))
    heads(entries, 2 * COLUMN if wide else COLUMN)
    return figure


def _teachers_group(axis: Axes, x: float, rows: pd.DataFrame, kinds: Sequence[bool], colour: str) -> float:
    """Draw a subset's baseline and its teachers around ``x``, each of ``kinds`` at its place; returns the height."""
    width = 0.9 / (1 + len(kinds))
    first = x - width * len(kinds) / 2
    baseline = top = rows["baseline_top1"].iloc[0]
    axis.bar(first, baseline, width * 0.94, **_bar_style(colour, baseline=True))
    _above(axis, first, baseline, _per_cent(baseline), 1)
    for row in rows.to_dict("records"):
        at, high = first + (1 + kinds.index(row["LT"])) * width, max(row["teacher_top1"], baseline + row["gain_high"])
        axis.bar(at, row["teacher_top1"], width * 0.94, **_teacher_style(colour, row["LT"]))
        axis.vlines(at, baseline + row["gain_low"], baseline + row["gain_high"], color="black", linewidth=0.8)
        _above(axis, at, high, _per_cent(row["teacher_top1"]), 1)
        _above(axis, at, high, _signed(row["gain"]), 10, weight="bold")
        top = max(top, high)
    return top


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
        subsets, style = np.array(_subsets(splits[dataset])), looks(group_names(splits[dataset]))
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
                axis.bar(x, value, width * 0.94, **_bar_style(colour, baseline=n == 0))
                if spread is not None:
                    axis.errorbar(x, value, spread[m], color="black", elinewidth=0.8, capsize=2, capthick=0.8)
                if np.isfinite(value):
                    _above(axis, x, top, _per_cent(value), 1)
                    tops[m] = max(tops[m], top)
        labels, points = _points(models)
        groups = [subsets[labels] == group if group else np.full(len(labels), True) for group in measures.values()]
        for m, gain in enumerate(means[1] - means[0]):
            if np.isfinite(gain):
                ends = significance.interval(points) if m == 0 else significance.interval_of_classes(
                    points[groups[m]], labels[groups[m]])  # fmt: skip
                _above(axis, m, tops[m], _interval(*ends), 10)
                _above(axis, m, tops[m], _signed(gain), 19, weight="bold")
                if m < len(PUBLISHED) and (theirs := paper.get(dataset, {}).get(PUBLISHED[m])) is not None:
                    _above(axis, m, tops[m], f"paper {_signed(theirs)}", 28, color="0.4")
        axis.set_xticks(range(len(measures)), [
            "\n".join([*(_fitting(line, count, wide) for line in name.split("\n")), f"n = {group.sum()}"])
            for name, group in zip(measures, groups, strict=True)
        ])  # fmt: skip
        axis.tick_params(axis="x", length=0)
        room = 1.45 if dataset in paper else 1.34  # for the gains
        chance = axis.axhline(100 / len(subsets), color="black", linewidth=0.8, linestyle=":")
        chance.set_label(f"chance {100 / len(subsets):.2g} %")
        axis.set(ylabel="accuracy (%)", xlim=(-0.55, len(measures) - 0.45), ylim=(0, max(1.0, room * tops.max())))
        axis.set_yticks([tick for tick in axis.get_yticks() if tick <= 100])
        handles = [
            Patch(**_bar_style(COLOURS["overall"], baseline=n == 0), label=name) for n, name in enumerate(models)
        ] + [chance]
        if (seeds := max(len(predictions) for predictions in models.values())) > 1:
            handles.append(Line2D([], [], color="black", marker="|", lw=0.8, label=f"± std of {seeds} seeds"))
        entries.append((axis, title(runs, dataset), handles))
    heads(entries, 2 * COLUMN if wide else COLUMN)
    return figure


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
    longest = max(text_width(name) for dataset in gains for name, _ in _classes(splits[dataset]))
    figure, axes = _columns(gains, 3 if longest < LONG else 2) if many else _side_by_side(gains)
    entries = []
    for dataset, gain in gains.items():
        classes, style = _classes(splits[dataset]), looks(group_names(splits[dataset]))
        order = [n for n in np.argsort(-gain, kind="stable") if np.isfinite(gain[n])]
        rows = math.ceil(len(order) / len(axes[dataset]))
        labels, points = _points(runs[dataset])
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


@styled
def confusion(runs: Runs, splits: Mapping[str, Split], pairs: int = 8, most: int = 10) -> Figure:
    """Which classes are taken for which, by the baseline and by the student: per cent of the true class's videos.

    Shown are the classes of the most frequent confusions (mean of the two models, over seeds), by their groups; the
    last column is the share of all other classes, so that rows add up to 100; where no model takes a video for any of
    these, there is none.

    Args:
        runs: dataset -> name -> predictions of every seed; first the baseline, then the student.
        splits: dataset -> its `split.json`, the classes in the labels' order (`subsets.read_splits`).
        pairs: how many pairs (true, predicted) choose the classes.
        most: how many classes they may be.
    """
    shares = {
        dataset: {name: np.mean([confusion_shares(each) for each in runs_], axis=0) for name, runs_ in models.items()}
        for dataset, models in runs.items()
    }
    chosen = {
        dataset: confused_classes(
            np.mean(list(matrices.values()), axis=0),
            _subsets(splits[dataset]),
            pairs,
            most,
            group_names(splits[dataset]),
        )
        for dataset, matrices in shares.items()
    }
    style = {dataset: looks(group_names(splits[dataset])) for dataset in chosen}
    names = {dataset: [(name, style[dataset][subset].colour) for name, subset in _classes(splits[dataset])]
             for dataset in chosen}  # fmt: skip
    shown = {dataset: [names[dataset][label] for label in labels] for dataset, labels in chosen.items()}
    below = {dataset: max([68, *(text_width(name) for name, _ in classes)]) / 72 for dataset, classes in shown.items()}
    heights = [max(1.7, 0.19 * len(classes) + 0.4 + below[dataset]) for dataset, classes in shown.items()]
    figure = Figure(figsize=(2 * COLUMN, sum(heights)), layout="constrained")
    grid = figure.subplots(len(runs), 2, squeeze=False, height_ratios=heights)
    for row, (dataset, matrices) in zip(grid, shares.items(), strict=True):
        classes = shown[dataset]
        others = any(_others(matrix[np.ix_(chosen[dataset], chosen[dataset])]).any() for matrix in matrices.values())
        for n, (axis, (name, matrix)) in enumerate(zip(row, matrices.items(), strict=True)):
            axis.set_title(f"{title(runs, dataset)}: {name}" if n == 0 else name)
            if not classes:
                axis.text(0.5, 0.5, "no video is taken for another class", ha="center", transform=axis.transAxes)
                axis.set_axis_off()
                continue
            _matrix(axis, matrix[np.ix_(chosen[dataset], chosen[dataset])], classes, named=n == 0, others=others)
    figure.align_ylabels()
    return figure


# -- numbers ---------------------------------------------------------------------------------------------------------


def group_scores(predictions: Predictions, subsets: np.ndarray, groups: Sequence[str]) -> list[float]:
    """Per cent of a run (paper, Section 4.4.4): top-1, the mean over classes, and that over each group's classes.

    ``subsets`` (C,) are the names of the classes' groups.
    """
    own = per_class_top1(predictions.logits, predictions.labels)
    means = [_mean(own), *(_mean(own[subsets == group]) for group in groups)]
    return [top_k(predictions.logits, predictions.labels, 1), *means]


def class_gains(models: Mapping[str, Sequence[Predictions]]) -> np.ndarray:
    """(C,) points of top-1 that the second model has more than the first, mean over seeds; NaN without test videos."""
    baseline, student = (
        np.mean([per_class_top1(each.logits, each.labels) for each in runs], axis=0) for runs in models.values()
    )
    return student - baseline


def _points(models: Mapping[str, Sequence[Predictions]]) -> tuple[np.ndarray, np.ndarray]:
    """(N,) the label of every test video, and (N,) the points that the second model has more there, mean over seeds."""
    right = [np.mean([top_k_correct(each.logits, each.labels) for each in runs], axis=0) for runs in models.values()]
    return next(iter(models.values()))[0].labels, 100 * (right[1] - right[0])


def confusion_shares(predictions: Predictions) -> np.ndarray:
    """(C, C) per cent of each true class's videos (rows) that get each label; NaN logits get none."""
    count = predictions.logits.shape[1]
    answered = ~np.isnan(predictions.logits).any(axis=1)
    matrix = np.zeros((count, count))
    np.add.at(matrix, (predictions.labels[answered], predictions.logits[answered].argmax(axis=1)), 1)
    videos = np.bincount(predictions.labels, minlength=count)
    return 100 * matrix / np.maximum(videos, 1)[:, None]


def confused_classes(
    shares: np.ndarray, subsets: Sequence[str], pairs: int, most: int, groups: Sequence[str] = SUBSETS
) -> list[int]:
    """At most ``most`` labels, those of the ``pairs`` greatest entries off the diagonal, by their groups' order."""
    shares = shares.copy()
    np.fill_diagonal(shares, 0)
    chosen: set[int] = set()
    for flat in np.argsort(-shares, axis=None, kind="stable"):
        pair = {int(n) for n in np.unravel_index(flat, shares.shape)}
        if pairs == 0 or shares.flat[flat] <= 0:
            break
        if len(chosen | pair) <= most:
            chosen |= pair
            pairs -= 1
    return sorted(chosen, key=lambda label: (groups.index(subsets[label]), label))


def _classes(split: Split) -> list[tuple[str, str]]:
    """Name, cut where it is very long, and subset of every class, by label."""
    return [(short(name, NAME), entry["subset"]) for name, entry in split["classes"].items()]


def _subsets(split: Split) -> list[str]:
    return [subset for _, subset in _classes(split)]


def _mean(values: np.ndarray) -> float:
    """The mean of what is known; NaN of nothing."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan


# -- drawing ---------------------------------------------------------------------------------------------------------


def _bar_style(colour: str, baseline: bool) -> dict[str, Any]:
    """The student's bars are filled, the baseline's hatched."""
    return {
        "facecolor": "white" if baseline else colour, "edgecolor": colour, "linewidth": 0.8,
        "hatch": "//////" if baseline else "",
    }  # fmt: skip


def _teacher_style(colour: str, locked: bool) -> dict[str, Any]:
    """A bar of a teacher: filled if only its head was trained, else dotted."""
    return {"facecolor": colour if locked else "white", "edgecolor": colour, "linewidth": 0.8,
            "hatch": "" if locked else "....."}  # fmt: skip


def _per_cent(value: float) -> str:
    return f"{value:.2f}" if value < 99.995 else "100"


def _signed(gain: float, decimals: int = 2) -> str:
    """A gain with its sign, a minus being one; what rounds to zero is none."""
    text = f"{gain:+.{decimals}f}"
    return text.replace("-", "−" if text.strip("-0.") else "+")


def _interval(low: float, high: float) -> str:
    """An interval of gains, in as many digits as fit above a bar."""
    decimals = 1 if max(abs(low), abs(high)) < 9.95 else 0
    return f"[{_signed(low, decimals)}, {_signed(high, decimals)}]"


def _videos(labels: np.ndarray, classes: int) -> str:
    """How many test videos there are, in all and of each class, and what guessing would be."""
    own = np.unique(labels, return_counts=True)[1]
    each = f"{own.min()}" if own.min() == own.max() else f"{own.min()} to {own.max()}"
    return f"{len(labels)} test videos, {each} a class\nchance {100 / classes:.2g} %"


def _others(shares: np.ndarray) -> np.ndarray:
    """Per cent of each row's videos that are taken for classes that are not shown; rounding is nothing."""
    rest = 100 - shares.sum(axis=1)
    return np.where(rest < 0.5, 0, rest)


def _above(axis: Axes, x: float, y: float, text: str, points: float, **style: Any) -> None:
    """``text`` centred so many points above (x, y)."""
    axis.annotate(text, (x, y), (0, points), textcoords="offset points", ha="center", va="bottom", fontsize=SMALL,
                  **style)  # fmt: skip


def _fitting(text: str, count: int, wide: bool) -> str:
    """A label under one of ``count`` groups of bars in lines that do not meet the next one's."""
    return in_lines(text, 72 * (2 * COLUMN if wide else COLUMN) * 0.88 / count - 4)


def _side_by_side(gains: Mapping[str, np.ndarray]) -> tuple[Figure, dict[str, list[Axes]]]:
    return panels(gains, height=1.2 + 0.14 * max(len(gain) for gain in gains.values()))


def _columns(gains: Mapping[str, np.ndarray], columns: int) -> tuple[Figure, dict[str, list[Axes]]]:
    heights = [1.1 + 0.125 * math.ceil(np.isfinite(gain).sum() / columns) for gain in gains.values()]
    figure = Figure(figsize=(2 * COLUMN, sum(heights)), layout="constrained")
    grid = figure.subplots(len(gains), columns, squeeze=False, height_ratios=heights)
    return figure, {name: list(row) for name, row in zip(gains, grid, strict=True)}


def _matrix(axis: Axes, shares: np.ndarray, classes: Sequence[tuple[str, str]], named: bool, others: bool) -> None:
    """A matrix of per cent, with ``others`` as its last column if wanted; ``classes`` are names and colours."""
    count = len(classes)
    names = [name for name, _ in classes]
    if others:
        shares = np.column_stack([shares, _others(shares)])
    axis.imshow(shares, cmap="Greys", norm=PowerNorm(0.5, 0, 140), aspect="auto")  # rare confusions are visible, too
    for row, column in np.argwhere(shares >= 0.5):
        value = shares[row, column]
        axis.text(column, row, f"{value:.0f}", ha="center", va="center_baseline", fontsize=SMALL,
                  color="white" if value > 40 else "black")  # fmt: skip
    for n in range(count):  # the correct predictions
        axis.add_patch(Rectangle((n - 0.5, n - 0.5), 1, 1, fill=False, edgecolor="black", linewidth=0.6))
    if others:
        axis.axvline(count - 0.5, color="black", linewidth=0.6)
    axis.set_xticks(range(count + others), [*names, *["other"] * others], rotation=90)
    axis.set_yticks(range(count), names if named else [""] * count)
    for labels in (axis.get_xticklabels(), axis.get_yticklabels()):
        for text, (_, colour) in zip(labels, classes, strict=False):
            text.set_color(colour)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(True)
    axis.set(xlabel="predicted class", ylabel="true class" if named else "")
