"""Figure 1: the classes' mean flow and the threshold of Eq. 1 (paper, Section 3.1)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dtkd.analysis.figures.base import COLOURS, heads, looks, panels, styled, title
from dtkd.analysis.figures.means import Split, means_of, read_means, threshold_lines, with_means
from dtkd.data.groups import group_names
from dtkd.motion.subsets import motion_unit, motion_word

BINS = 24  # about so many in a histogram
read = read_means


@styled
def figure1(splits: Mapping[str, Split]) -> Figure:
    """Figure 1: histogram of the classes' mean flow, the threshold of Eq. 1, and the subsets on either side of it.

    A split that the flow has not made has no threshold; the line then is the linear first quartile of the class means.

    Args:
        splits: dataset name -> its `split.json`.
    """
    figure, axes = panels(with_means("figure 1", splits), height=2.3)
    entries = []
    for name, split in splits.items():
        (axis,) = axes[name]
        style = looks(group_names(split))
        means = {subset: means_of(split, subset, "mean") for subset in style}
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
        label = f"mean {motion_word([split])} of a class ({motion_unit([split])})"
        axis.set(xlabel=label, ylabel="classes", xlim=(0, edges[-1]))
        axis.set_ylim(0, 1.05 * below.max())
        axis.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        entries.append((axis, title(splits, name), [*axis.containers, *lines]))
    heads(entries)
    return figure


def histogram_edges(threshold: float, highest: float) -> np.ndarray:
    """About `BINS` equal bins from 0 to ``highest`` of which ``threshold`` is an edge (the first may be cut at 0)."""
    width = max(highest, 1e-9) / BINS
    if threshold > width / 2:
        width = threshold / round(threshold / width)
    steps = np.arange(-math.ceil(threshold / width - 1e-9), math.floor((highest - threshold) / width + 1e-9) + 2)
    edges = np.clip(threshold + width * steps, 0, None)
    return np.unique(np.where(np.isclose(edges, threshold, rtol=0, atol=width * 1e-9), threshold, edges))
