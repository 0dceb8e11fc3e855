"""Figure 2: mean and spread of the classes' flow (paper, Section 3.1)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from dtkd.analysis.figures.base import SMALL, heads, looks, panels, styled, title
from dtkd.analysis.figures.means import ALL_NAMED, Split, means_of, read_means, with_means
from dtkd.data.groups import group_names
from dtkd.motion.subsets import motion_unit, motion_word

Box = np.ndarray  # x0, y0, x1, y1 in pixels
DISTANCES, BESIDE = (4.5, 7, 10, 14, 18, 23, 28), 8  # of a name from its point in points; without a line to it
ANGLES = (0, 180, 90, 270, 30, 330, 150, 210, 60, 300, 120, 240)  # where around the point, the best first
NAMED = 12  # of more, so many of the extreme ones
read = read_means


@styled
def figure2(splits: Mapping[str, Split]) -> Figure:
    """Figure 2: mean flow of every class against its standard deviation over videos; per subset a regression line.

    Classes are named where their name covers nothing: all of a few, of many the ones far from the rest of their subset.

    Args:
        splits: dataset name -> its `split.json`.
    """
    figure, axes = panels(with_means("figure 2", splits), height=2.9)
    entries = []
    for name, split in splits.items():
        (axis,) = axes[name]
        for subset, look in looks(group_names(split)).items():
            means, stds = (means_of(split, subset, column) for column in ("mean", "std"))
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
        axis.set(xlabel=f"mean {motion_word([split])} of a class ({unit})", ylabel=f"standard deviation ({unit})")
        axis.margins(0.1, 0.12)
        entries.append((axis, title(splits, name), axis.get_legend_handles_labels()[0]))
    heads(entries)
    figure.draw_without_rendering()  # names are placed on the final layout
    for name, split in splits.items():
        name_classes(axes[name][0], split)
    return figure


def name_classes(axis: Axes, split: Split) -> list[Text]:
    """Write class names beside the points of figure 2, each where it covers no point, line or other name.

    A name that fits nowhere is left out; the most extreme classes choose first.
    """
    names, points, extremeness = [], [], []
    style = looks(group_names(split))
    for subset in style:
        own = np.stack([means_of(split, subset, column) for column in ("mean", "std")], axis=1)
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
