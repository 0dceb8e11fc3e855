"""How much each teacher counted over the students' training."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dtkd.analysis.figures.base import (
    COLOURS,
    epochs_axis,
    heads,
    looks,
    over_epochs,
    panels,
    read_runs,
    seeds_patch,
    short,
    styled,
    title,
)
from dtkd.analysis.figures.teacher_names import teacher_name
from dtkd.common.files import read_parquet
from dtkd.data.groups import SUBSETS, weight_name

NAME = 44  # points that a group's name may take beside its panel


def read(given: Any, params: Any) -> tuple[Any, ...]:
    """What `teacher_weights` draws, of a job's parameters."""
    return read_runs(params.shown, read_parquet), params.chosen


@styled
def teacher_weights(histories: Mapping[str, Mapping[str, Sequence[pd.DataFrame]]], chosen: Mapping[str, str]) -> Figure:
    """How much each teacher counted over training: the mean over its own samples of its weight (Eq. 9).

    Args:
        histories: dataset -> student -> the history of every seed.
        chosen: dataset -> the student that stands out, if it is one of them; the others are thin lines.
    """
    named = {dataset: _weighed(students) for dataset, students in histories.items()}
    figure, axes = panels(histories, height=1.75, rows=max(map(len, named.values())))
    entries = []
    for dataset, students in histories.items():
        highlighted = chosen.get(dataset)
        handles, style_of = [], looks(named[dataset])
        for axis, subset in itertools.zip_longest(axes[dataset], named[dataset]):
            if subset is None:  # another data set has more groups
                axis.remove()
                continue
            if axis is not axes[dataset][0]:
                axis.sharey(axes[dataset][0])
            symbol = {"static": "$w_{st}$", "dynamic": "$w_{dy}$"}.get(subset)
            for name, runs in students.items():
                style = {"color": style_of[subset].colour, "linestyle": style_of[subset].line, "linewidth": 1.6,
                         "marker": "o", "zorder": 3, "label": f"{name}: {teacher_name(subset)}"}  # fmt: skip
                if name != highlighted:
                    style = {"color": COLOURS["baseline"], "linestyle": "-", "linewidth": 0.5, "zorder": 1}
                over_epochs(axis, runs, weight_name(subset), band=name == highlighted, **style)
                handles += axis.lines[-1:] if name == highlighted else []
            axis.set_ylabel(f"mean {symbol or f'w, {short(subset, NAME)}'}", parse_math=symbol is not None)
            epochs_axis(axis, label=subset == named[dataset][-1])
        if others := len(students) - (highlighted in students):
            label = f"{'other ' if handles else ''}students ({others})"
            handles.append(Line2D([], [], color=COLOURS["baseline"], lw=0.5, label=label))
        handles += seeds_patch([len(students.get(highlighted, []))])
        entries.append((axes[dataset][0], title(histories, dataset), handles))
    heads(entries)
    figure.align_ylabels()
    return figure


def _weighed(students: Mapping[str, Sequence[pd.DataFrame]]) -> list[str]:
    """The groups whose teachers' weights the histories have."""
    columns = list(dict.fromkeys(column for runs in students.values() for run in runs for column in run.columns))
    usual = [group for group in SUBSETS if weight_name(group) in columns]
    return usual + [name[2:] for name in columns if name.startswith("w_") and name not in map(weight_name, SUBSETS)]
