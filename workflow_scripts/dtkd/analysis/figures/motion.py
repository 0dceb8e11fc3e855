"""Figures 1 and 2: what makes a class static (paper, Section 3.1)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from dtkd.analysis.figures.base import COLOURS, SMALL, heads, looks, panels, styled, title
from dtkd.common.errors import DtkdError
from dtkd.data.groups import group_names
from dtkd.motion.subsets import motion_unit
from dtkd.motion.thresholds import THRESHOLDS

Box = np.ndarray  # x0, y0, x1, y1 in pixels
Split = Mapping[str, Any]  # the content of a `split.json`
BINS = 24  # about so many in a histogram
ALL_NAMED = 20  # up to so many classes, each is named
DISTANCES, BESIDE = (4.5, 7, 10, 14, 18, 23, 28), 8  # of a name from its point in points; without a line to it
ANGLES = (0, 180, 90, 270, 30, 330, 150, 210, 60, 300, 120, 240)  # where around the point, the best first
NAMED = 12  # of more, so many of the extreme ones


@styled
def figure1(splits: Mapping[str, Split]) -> Figure:
    """Figure 1: histogram of the classes' mean flow, the threshold of Eq. 1, and the subsets on either side of it.

    A split that the flow has not made has no threshold; the line then is the linear first quartile of the class means.

    Args:
        splits: dataset name -> its `split.json`.
    """
    figure, axes = panels(_with_means("figure 1", splits), height=2.3)
    entries = []
    for name, split in splits.items():
        (axis,) = axes[name]
        style = looks(group_names(split))
        means = {subset: _column(split, subset, "mean") for subset in style}
        everything = np.concatenate(list(means.values()))
        (threshold, label), *more = threshold_lines(split)
        edges = np.union1d(histogram_edges(threshold, everything.max()), [place for place, _ in more])
        # on which side of its own threshold a class on it counts
        from_right = split["threshold"] is None or split["criterion"].get("boundary", "inclusive") == "inclusive"
        below = np.zeros(len(edges) - 1)
        for subset, values in means.items():
            bins = np.clip(np.digitize(values, edges, right=from_right) - 1, 0, len(below) - 1)
            counts = np.bincount(bins, minlength=len(below))
            axis.bar(
                edges[:-1], counts, np.diff(edges), bottom=below, align="edge", color=style[subset].colour,
                hatch=style[subset].hatch, edgecolor="white", linewidth=0.5, label=f"{subset} ({len(values)})",
            )  # fmt: skip
            below += counts
        line = axis.axvline(threshold, color=COLOURS["threshold"], linestyle="--", linewidth=1, label=label)
        lines = [line, *(axis.axvline(place, color=COLOURS["threshold"], linestyle=":", linewidth=1, label=said)
                         for place, said in more)]  # fmt: skip
        axis.set(xlabel=f"mean flow of a class ({motion_unit([split])})", ylabel="classes", xlim=(0, edges[-1]))
        axis.set_ylim(0, 1.05 * below.max())
        axis.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        entries.append((axis, title(splits, name), [*axis.containers, *lines]))
    heads(entries)
    return figure


@styled
def figure2(splits: Mapping[str, Split]) -> Figure:
    """Figure 2: mean flow of every class against its standard deviation over videos; per subset a regression line.

    Classes are named where their name covers nothing: all of a few, of many the ones far from the rest of their subset.

    Args:
        splits: dataset name -> its `split.json`.
    """
    figure, axes = panels(_with_means("figure 2", splits), height=2.9)
    entries = []
    for name, split in splits.items():
        (axis,) = axes[name]
        for subset, look in looks(group_names(split)).items():
            means, stds = (_column(split, subset, column) for column in ("mean", "std"))
            style = {"color": look.colour, "linewidth": 0.8}
            axis.plot(
                means, stds, linestyle="", marker=look.marker, markersize=3.5, label=f"{subset} ({len(means)})",
                markeredgewidth=0, color=look.colour,
            )  # fmt: skip
            if len(means) > 1 and np.ptp(means) > 1e-9 * abs(means).max():
                slope, level = np.polyfit(means, stds, 1)
                ends = np.array([means.min(), means.max()])
                axis.plot(ends, slope * ends + level, linestyle=look.line, **style)
        unit = motion_unit([split])
        axis.set(xlabel=f"mean flow of a class ({unit})", ylabel=f"standard deviation ({unit})")
        axis.margins(0.1, 0.12)
        entries.append((axis, title(splits, name), axis.get_legend_handles_labels()[0]))
    heads(entries)
    figure.draw_without_rendering()  # names are placed on the final layout
    for name, split in splits.items():
        name_classes(axes[name][0], split)
    return figure


def histogram_edges(threshold: float, highest: float) -> np.ndarray:
    """About `BINS` equal bins from 0 to ``highest`` of which ``threshold`` is an edge (the first may be cut at 0)."""
    width = max(highest, 1e-9) / BINS
    if threshold > width / 2:
        width = threshold / round(threshold / width)
    steps = np.arange(-math.ceil(threshold / width - 1e-9), math.floor((highest - threshold) / width + 1e-9) + 2)
    edges = np.clip(threshold + width * steps, 0, None)
    return np.unique(np.where(np.isclose(edges, threshold, rtol=0, atol=width * 1e-9), threshold, edges))


def name_classes(axis: Axes, split: Split) -> list[Text]:
    """Write class names beside the points of figure 2, each where it covers no point, line or other name.

    A name that fits nowhere is left out; the most extreme classes choose first.
    """
    names, points, extremeness = [], [], []
    style = looks(group_names(split))
    for subset in style:
        own = np.stack([_column(split, subset, column) for column in ("mean", "std")], axis=1)
        names += [(name, subset) for name, entry in split["classes"].items() if entry["subset"] == subset]
        points += list(own)
        extremeness += list(np.linalg.norm((own - own.mean(axis=0)) / np.maximum(own.std(axis=0), 1e-12), axis=1))
    few = len(names) <= ALL_NAMED
    taken = [_square(point, 3) for point in axis.transData.transform(points)]
    for line in axis.lines:
        if line.get_linestyle() != "None":
            taken += _squares_along(*axis.transData.transform(line.get_xydata()), steps=80)
    texts = []
    for n in np.argsort(extremeness)[::-1]:
        if len(texts) == NAMED and not few:
            break
        reach = DISTANCES if few else DISTANCES[:2]
        text = _place(axis, names[n][0], points[n], style[names[n][1]].colour, taken, reach)
        texts += [text] if text else []
    return texts


def _place(
    axis: Axes, name: str, point: np.ndarray, colour: str, taken: list[Box], reach: Sequence[float]
) -> Text | None:
    """Write a name in the nearest free place around its point, with a thin line to it where that is not beside it.

    ``taken`` are boxes in pixels, to which those of the name are added; ``reach`` are distances in points.
    """
    edge, start, scale = axis.get_window_extent(), axis.transData.transform(point), axis.figure.dpi / 72
    style = {"fontsize": SMALL, "color": colour}
    probe = axis.text(*point, name, **style)
    size = np.array(probe.get_window_extent().size)
    probe.remove()
    for distance in reach:
        for angle in ANGLES:
            away = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
            side = np.where(np.abs(away) > (0.1, 0.6), np.sign(away), 0)  # where the name is of its own anchor
            anchor = start + distance * scale * away
            centre = anchor + side * size / 2
            box = np.concatenate([centre - size / 2 - 1, centre + size / 2 + 1])
            leader = []
            if distance > BESIDE:
                leader = [own for own in _squares_along(start, anchor, 24) if np.hypot(*(own[:2] + 1 - start)) > 5]
            within = (box[:2] >= edge.min).all() and (box[2:] <= edge.max).all()
            if within and not any(_overlap(own, taken) for own in (box, *leader)):
                taken += [box, *leader]
                line = {"arrowstyle": "-", "linewidth": 0.4, "color": colour, "shrinkA": 0, "shrinkB": 2,
                        "relpos": tuple((1 - side) / 2)}  # fmt: skip
                text = axis.annotate(
                    name, point, (centre - start) / scale, textcoords="offset points", annotation_clip=False,
                    ha="center", va="center", arrowprops=line if leader else None, **style,
                )  # fmt: skip
                text.set_in_layout(False)
                return text
    return None


def _square(centre: Sequence[float], half: float) -> Box:
    return np.array([centre[0] - half, centre[1] - half, centre[0] + half, centre[1] + half])


def _squares_along(start: Sequence[float], end: Sequence[float], steps: int) -> list[Box]:
    """Small boxes along a line."""
    return [_square(point, 1) for point in np.linspace(start, end, steps)]


def _overlap(box: Box, others: Sequence[Box]) -> bool:
    others = np.asarray(others)
    return bool(((box[:2] < others[:, 2:]) & (others[:, :2] < box[2:])).all(axis=1).any())


def _with_means(figure: str, splits: Mapping[str, Split]) -> Mapping[str, Split]:
    for name, split in splits.items():
        if any(entry["mean"] is None for entry in split["classes"].values()):
            raise DtkdError(
                f"{figure}: the split of {name} does not come from its flow and has no class means; use motion.json"
            )
    return splits


def _column(split: Split, subset: str, column: str) -> np.ndarray:
    return np.array([entry[column] for entry in split["classes"].values() if entry["subset"] == subset], np.float64)


def threshold_lines(split: Split) -> list[tuple[float, str]]:
    """Where the lines between the groups are, and what they are called: one, or of several groups all."""
    if split["threshold"] is None:
        quartile = float(np.quantile([entry["mean"] for entry in split["classes"].values()], 0.25))
        return [(quartile, f"Q1 of the means = {quartile:.3f}")]
    criterion = split["criterion"]
    if isinstance(split["threshold"], list):
        return [(place, f"{quantile:g} quantile = {place:.3f}")
                for place, quantile in zip(split["threshold"], criterion["quantile"], strict=True)]  # fmt: skip
    name = "Q1" if criterion.get("quantile") == 0.25 else THRESHOLDS[criterion.get("threshold", "quantile")].label
    return [(split["threshold"], f"{name} = {split['threshold']:.3f}")]
