"""Which classes a baseline and a student take for one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dtkd.analysis.figures.base import COLUMN, SMALL, looks, styled, text_width, title
from dtkd.analysis.figures.pairs import Runs, Split, classes_of, read_pairs, subsets_of
from dtkd.data.groups import SUBSETS, group_names
from dtkd.training.metrics import Predictions

read = read_pairs


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
            subsets_of(splits[dataset]),
            pairs,
            most,
            group_names(splits[dataset]),
        )
        for dataset, matrices in shares.items()
    }
    style = {dataset: looks(group_names(splits[dataset])) for dataset in chosen}
    names = {dataset: [(name, style[dataset][subset].colour) for name, subset in classes_of(splits[dataset])]
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


def _others(shares: np.ndarray) -> np.ndarray:
    """Per cent of each row's videos that are taken for classes that are not shown; rounding is nothing."""
    rest = 100 - shares.sum(axis=1)
    return np.where(rest < 0.5, 0, rest)


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
