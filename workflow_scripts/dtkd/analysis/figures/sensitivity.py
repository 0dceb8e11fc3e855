"""Students' accuracy over their hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dtkd.analysis.figures.base import COLOURS, COLUMN, SMALL, STROKES, heads, read_table, styled, title

Groups = Sequence[tuple[Mapping[str, object], pd.DataFrame]]  # what students share, and their rows
SYMBOLS = {"S_alpha": r"$S_\alpha$", "KD_T": r"$KD_T$", "KD_alpha": r"$KD_\alpha$"}
TEACHERS = ((True, True), (True, False), (False, True), (False, False))  # LT and FT, as in Table 5


def read(given: Any, params: Any) -> tuple[pd.DataFrame]:
    """The table, of a job's inputs."""
    return (read_table(given.table),)


@styled
def sensitivity(table: pd.DataFrame) -> Figure:
    """Top-1 (per cent) of DTKD students over S_alpha, KD_T, KD_alpha, LT and FT, beside the baseline (Section 4.4.1).

    A line joins students that differ in one hyperparameter only; the last panel has those that differ only in LT and
    FT. Students of another ``variant`` than most are left out. With a column ``top1_std`` (over seeds) points have
    error bars.

    Args:
        table: Table 5: dataset, model, method, LT, FT, S_alpha, KD_T, KD_alpha, variant, top1 and, where there is one,
            top1_std.
    """
    table = table.assign(**{name: [_flag(value) for value in table[name]] for name in ("LT", "FT")})
    table["variant"] = table["variant"].astype(object).where(table["variant"].notna(), "")
    datasets = list(dict.fromkeys(table["dataset"]))
    rows = {dataset: _of_first_network(table[table["dataset"] == dataset]) for dataset in datasets}
    lines = {(d, x): one_at_a_time(rows[d], x) for d in datasets for x in (*SYMBOLS, "LT, FT")}
    heights = [1.75 + 0.14 * max(len(lines[d, x]) for x in (*SYMBOLS, "LT, FT")) for d in datasets]
    figure = Figure(figsize=(2 * COLUMN, sum(heights)), layout="constrained")
    grid = figure.subplots(len(datasets), 4, squeeze=False, sharey="row", height_ratios=heights)
    for row, dataset in zip(grid, datasets, strict=True):
        own = rows[dataset]
        baseline = own[own["method"] == "baseline"].head(1)
        entries, formulas = [], []
        for axis, varied in zip(row, (*SYMBOLS, "LT, FT"), strict=True):
            for _, reference in baseline.iterrows():
                axis.axhline(reference["top1"], color=COLOURS["baseline"], linewidth=0.8, linestyle=(0, (4, 2)))
            handles = _sensitivity_panel(axis, lines[dataset, varied], varied)
            formulas += handles
            if axis is row[0] and len(baseline):
                name = f"baseline {baseline['model'].iloc[0]}"
                handles.append(Line2D([], [], color=COLOURS["baseline"], lw=0.8, ls=(0, (4, 2)), label=name))
            entries.append((axis, title(datasets, dataset) if axis is row[0] else "", handles))
        row[0].set_ylabel("test top-1 (%)")
        heads(entries, COLUMN / 2, formulas)
    return figure


def _of_first_network(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the first baseline's network: of another network, accuracies differ by more than hyperparameters."""
    network = [name for name in ("backbone", "clip") if name in table]
    return table[(table[network] == table[network].iloc[0]).all(axis=1)] if network and len(table) else table


def one_at_a_time(table: pd.DataFrame, varied: str) -> Groups:
    """Groups of at least two DTKD students that differ only in ``varied`` (a hyperparameter, or ``LT, FT``).

    Students of another variant than most (of several, than the first) are left out. Returns per group what its students
    share, and their rows sorted by what they do not; the largest groups first.
    """
    own = [varied] if varied in SYMBOLS else ["LT", "FT"]
    shared = [name for name in ("S_alpha", "KD_T", "KD_alpha", "LT", "FT") if name not in own]
    students = table[table["method"] == "dtkd"]
    variants = students["variant"].tolist()
    students = students[students["variant"] == max(variants, key=variants.count, default="")]
    groups = []
    for values, rows in students.groupby(shared, sort=True):
        rows = rows.drop_duplicates(own).sort_values(own, ascending=own == [varied])
        if len(rows) > 1:
            groups.append((dict(zip(shared, values, strict=True)), rows))
    return sorted(groups, key=lambda group: -len(group[1]))


def _sensitivity_panel(axis: Axes, groups: Groups, varied: str) -> list[Line2D]:
    """Draw `one_at_a_time`'s groups; returns their lines."""
    for n, (shared, rows) in enumerate(groups):
        stroke, teachers = STROKES[n % len(STROKES)], varied not in SYMBOLS
        x = [TEACHERS.index(pair) for pair in zip(rows["LT"], rows["FT"], strict=True)] if teachers else rows[varied]
        axis.errorbar(
            x, rows["top1"], rows.get("top1_std"), color=stroke.color, capsize=1.5,
            elinewidth=0.7, linestyle="" if teachers else stroke.linestyle, marker=stroke.marker, markersize=3.5,
            markerfacecolor="white" if n % 2 else None, label=_shared(shared, groups),
        )  # fmt: skip
    if varied in SYMBOLS:
        axis.set_xlabel(SYMBOLS[varied], parse_math=True)
        axis.set_xticks(sorted({value for _, rows in groups for value in rows[varied]}))
        axis.xaxis.set_major_formatter("{x:g}")
    else:
        axis.set_xlabel("LT, FT")
        axis.set_xticks(range(len(TEACHERS)), [" ".join("FT"[flag] for flag in pair) for pair in TEACHERS])
    axis.margins(x=0.15)
    if not groups:
        axis.set_xticks([])
        axis.text(0.5, 0.5, "not varied", ha="center", va="bottom", fontsize=SMALL, transform=axis.transAxes)
    return axis.get_legend_handles_labels()[0]


def _shared(values: Mapping[str, object], groups: Groups) -> str:
    """What a line's students have in common: LT and FT only where the panel's lines differ in them."""
    words = [f"{SYMBOLS[name]} {value:g}" for name, value in values.items() if name in SYMBOLS]
    for name in ("LT", "FT"):
        if name in values and len({other[name] for other, _ in groups}) > 1:
            words.append(f"{name} {'FT'[values[name]]}")
    return ", ".join(words)


def _flag(value: object) -> bool:
    """A cell of LT or FT, read from CSV as bool, text or (of the baseline) nothing."""
    return str(value) == "True"
