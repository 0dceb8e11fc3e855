"""The teachers beside the baseline on their own subsets."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dtkd.analysis.figures.bars import above, bar_style, fitting, per_cent, signed
from dtkd.analysis.figures.base import COLOURS, COLUMN, heads, looks, panels, read_table, styled, title

TEACHERS = {True: "teacher (LT)", False: "teacher (no LT)"}


def read(given: Any, params: Any) -> tuple[pd.DataFrame]:
    """The table, of a job's inputs."""
    return (read_table(given.table),)


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
                f"{fitting(f'{subset} classes', len(groups), wide)}\n{rows['videos'].iloc[0]} test videos"
                for subset, rows in groups.items()
            ])  # fmt: skip
            axis.tick_params(axis="x", length=0)
            axis.set(ylabel="top-1 (%)", xlim=(-0.55, len(groups) - 0.45), ylim=(0, max(1.0, 1.22 * top)))
            axis.set_yticks([tick for tick in axis.get_yticks() if tick <= 100])
            handles = [Patch(**bar_style(COLOURS["overall"], baseline=True), label="baseline")]
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
    axis.bar(first, baseline, width * 0.94, **bar_style(colour, baseline=True))
    above(axis, first, baseline, per_cent(baseline), 1)
    for row in rows.to_dict("records"):
        at, high = first + (1 + kinds.index(row["LT"])) * width, max(row["teacher_top1"], baseline + row["gain_high"])
        axis.bar(at, row["teacher_top1"], width * 0.94, **_teacher_style(colour, row["LT"]))
        axis.vlines(at, baseline + row["gain_low"], baseline + row["gain_high"], color="black", linewidth=0.8)
        above(axis, at, high, per_cent(row["teacher_top1"]), 1)
        above(axis, at, high, signed(row["gain"]), 10, weight="bold")
        top = max(top, high)
    return top


def _teacher_style(colour: str, locked: bool) -> dict[str, Any]:
    """A bar of a teacher: filled if only its head was trained, else dotted."""
    return {"facecolor": colour if locked else "white", "edgecolor": colour, "linewidth": 0.8,
            "hatch": "" if locked else "....."}  # fmt: skip
