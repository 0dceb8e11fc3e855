"""Figure 8 and what is behind it: students and their teachers, students' hyperparameters, teachers' weights."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dtkd.analysis.figures.base import (
    COLOURS,
    COLUMN,
    SMALL,
    STROKES,
    epochs_axis,
    heads,
    looks,
    over_epochs,
    panels,
    seeds_patch,
    short,
    styled,
    title,
)
from dtkd.common.errors import DtkdError
from dtkd.data.groups import SUBSETS, weight_name
from dtkd.training.metrics import Predictions, kl_divergence

Groups = Sequence[tuple[Mapping[str, object], pd.DataFrame]]  # what students share, and their rows
SYMBOLS = {"S_alpha": r"$S_\alpha$", "KD_T": r"$KD_T$", "KD_alpha": r"$KD_\alpha$"}
SHORT = {"static": "St", "dynamic": "Dy"}
NAME = 44  # points that a group's name may take beside its panel
TEACHERS = ((True, True), (True, False), (False, True), (False, False))  # LT and FT, as in Table 5
BINS = 40


@styled
def figure8(divergences: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Figure 8: histograms of KL(S ‖ St-T) and KL(S ‖ Dy-T) over the test videos (paper, Section 4.4.5).

    Args:
        divergences: dataset -> teacher (by the groups, in order) -> (N,) nats per test video, or (seeds, N): videos are
            then counted as the mean over seeds. Values that are not finite (a diverged model's) are left out.
    """
    figure, axes = panels(divergences, height=2.3)
    entries = []
    for dataset, given in divergences.items():
        (axis,) = axes[dataset]
        values = {subset: np.atleast_2d(array) for subset, array in given.items()}
        style = looks(list(given))
        known = {subset: array[np.isfinite(array)] for subset, array in values.items()}
        everything = np.concatenate(list(known.values()))
        if not everything.size:
            raise DtkdError(f"figure 8: no divergence of {dataset} is finite; its student or teachers have diverged")
        edges = np.linspace(min(0, everything.min()), max(everything.max(), 1e-9), BINS + 1)
        handles = []
        for subset in reversed(values):
            counts = np.histogram(known[subset], edges)[0] / len(values[subset])
            label = f"KL(S ‖ {_teacher(subset)}), mean {known[subset].mean() if known[subset].size else np.nan:.2f}"
            colour, line = style[subset].colour, style[subset].line
            axis.stairs(counts, edges, fill=True, color=colour, alpha=0.3, linewidth=0)
            axis.stairs(counts, edges, color=colour, linestyle=line, linewidth=1)
            handles.append(Line2D([], [], color=colour, linestyle=line, label=label))
        axis.set(xlabel="KL divergence (nats)", ylabel="test videos", xlim=(edges[0], edges[-1]))
        axis.set_ylim(bottom=0)
        entries.append((axis, title(divergences, dataset), handles[::-1]))
    heads(entries)
    return figure


def divergences(
    runs: Mapping[str, Mapping[str, Sequence[Predictions]]], settings: Mapping[str, Mapping[str, object]]
) -> dict[str, dict[str, np.ndarray]]:
    """What `figure8` draws: (seeds, N) nats per test video.

    Args:
        runs: dataset -> ``student``, then its teachers by their groups, in order -> predictions of every seed.
        settings: dataset -> ``kl`` and ``floor`` (see `metrics.kl_divergence`).
    """
    result = {}
    for dataset, models in runs.items():
        teachers = [name for name in models if name != "student"]
        pairs = {subset: zip(models["student"], models[subset], strict=True) for subset in teachers}
        result[dataset] = {
            name: np.stack([divergence(*pair, **settings[dataset]) for pair in own]) for name, own in pairs.items()
        }
    return result


def _weighed(students: Mapping[str, Sequence[pd.DataFrame]]) -> list[str]:
    """The groups whose teachers' weights the histories have."""
    columns = list(dict.fromkeys(column for runs in students.values() for run in runs for column in run.columns))
    usual = [group for group in SUBSETS if weight_name(group) in columns]
    return usual + [name[2:] for name in columns if name.startswith("w_") and name not in map(weight_name, SUBSETS)]


def _teacher(group: str) -> str:
    """A group's teacher, as legends call it: St-T and Dy-T in the paper."""
    return f"{SHORT.get(group, group)}-T"


def divergence(
    student: Predictions, teacher: Predictions, kl: str = "forward", floor: float | None = None
) -> np.ndarray:
    """(N,) KL(S ‖ T) in nats (`metrics.kl_divergence`) of the student's videos, found among the teacher's by name."""
    place = {name: n for n, name in enumerate(teacher.videos)}
    if missing := [name for name in student.videos if name not in place]:
        raise DtkdError(
            f"figure 8: {missing[0]} and {len(missing) - 1} more test videos have no prediction by the teacher"
        )
    rows = [place[name] for name in student.videos]
    return kl_divergence(student.logits, teacher.logits[rows], kl, floor)


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
                         "marker": "o", "zorder": 3, "label": f"{name}: {_teacher(subset)}"}  # fmt: skip
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
    lines = {(d, x): one_at_a_time(table[table["dataset"] == d], x) for d in datasets for x in (*SYMBOLS, "LT, FT")}
    heights = [1.75 + 0.14 * max(len(lines[d, x]) for x in (*SYMBOLS, "LT, FT")) for d in datasets]
    figure = Figure(figsize=(2 * COLUMN, sum(heights)), layout="constrained")
    grid = figure.subplots(len(datasets), 4, squeeze=False, sharey="row", height_ratios=heights)
    for row, dataset in zip(grid, datasets, strict=True):
        own = table[table["dataset"] == dataset]
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
