"""How stable the split is where the classes' videos are redrawn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from dtkd.analysis.figures.base import COLOURS, heads, looks, panels, short, styled, title
from dtkd.analysis.figures.means import ALL_NAMED, Split, read_means, threshold_lines
from dtkd.data.groups import group_names
from dtkd.motion.subsets import motion_word

NAME = 70  # points that a class's name may take


def read(given: Any, params: Any) -> tuple[Any, ...]:
    """The splits and how stable each is, of a job's inputs and parameters."""
    files = zip(params.datasets, given.stability, strict=True)
    return *read_means(given, params), {
        name: json.loads(Path(file).read_text(encoding="utf-8")) for name, file in files
    }


@styled
def split_stability(splits: Mapping[str, Split], stabilities: Mapping[str, Mapping[str, Any]]) -> Figure:
    """The share of draws of its videos in which each class keeps its subset, in the order of the classes' mean flow.

    Args:
        splits: dataset -> its `split.json`, which the flow has made.
        stabilities: dataset -> its `stability.json`.
    """
    figure, axes = panels(splits, height=2.5)
    entries = []
    for dataset, split in splits.items():
        (axis,) = axes[dataset]
        told = stabilities[dataset]
        order = sorted(split["classes"], key=lambda name: split["classes"][name]["mean"])
        subsets = [split["classes"][name]["subset"] for name in order]
        style = looks(group_names(split))
        for subset in style:
            own = [n for n, its in enumerate(subsets) if its == subset]
            axis.bar(
                own, [100 * told["classes"][order[n]]["kept"] for n in own], 0.85, color=style[subset].colour,
                hatch=style[subset].hatch, edgecolor="white", linewidth=0, label=f"{subset} ({len(own)})",
            )  # fmt: skip
        lines, where = [], -0.5
        for subset, (_, label) in zip(style, threshold_lines(split), strict=False):
            where += subsets.count(subset)
            look = {"color": COLOURS["threshold"], "linestyle": ":" if lines else "--", "linewidth": 1}
            lines.append(axis.axvline(where, label=label, **look))
        if len(order) <= ALL_NAMED:
            axis.set_xticks(range(len(order)), [short(name, NAME) for name in order], rotation=90)
        else:
            axis.set_xticks([])
        axis.tick_params(axis="x", length=0)
        kept = f"(all keep their subset in {100 * told['split']:.0f} % of draws)"
        axis.set(
            xlabel=f"classes by mean {motion_word([split])}\n{kept}",
            ylabel="keeps its subset\n(% of draws)", xlim=(-0.7, len(order) - 0.3), ylim=(0, 105),
        )  # fmt: skip
        entries.append((axis, title(splits, dataset), [*axis.containers, *lines]))
    heads(entries)
    return figure
