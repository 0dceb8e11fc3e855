"""Tables of the report, from CSV files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from dtkd.reports.words import data_uri, is_number, read_csv, shown_number, shown_p

LABELS = {
    "S_alpha": "S_α", "KD_T": "KD_T", "KD_alpha": "KD_α", "top1": "top-1 (%)", "top5": "top-5 (%)",
    "top1_last": "top-1, last epoch", "top5_last": "top-5, last epoch", "gain_low": "95 % interval",
    "p_holm": "p (Holm)", "q1": "Q1", "std": "STD", "iqr": "IQR", "params": "parameters (M)", "gflops": "GFLOPs",
    "params_published": "parameters, 400 classes (M)", "trainable": "trainable (M)",
    "baseline_top1": "baseline, top-1 (%)", "teacher_top1": "teacher, top-1 (%)", "nll": "NLL", "ece": "ECE (%)",
    "brier": "Brier", "teacher_passes": "teachers' passes", "teacher_trainings": "teachers' trainings",
    "teacher_hours": "teachers' hours", "weights_mib": "weights (MiB)", "memory_mib": "memory (MiB)",
    "p50_ms": "median (ms)", "p95_ms": "95 % (ms)", "throughput": "clips a second",
}  # fmt: skip
PREFIXES = {"paper_": "the paper", "diff_": "minus the paper"}
SUMMED = ("test_videos", "chance", "smallest_gain")  # of a list, not of a row: the summary says them
NAMES = {"model", "models", "class", "video"}  # whose texts are shown as they are, be it "True" or "-1"
WORDS = {"True": "yes", "False": "no", "true": "yes", "false": "no"}


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    over: str  # the heading above it: whose numbers these are
    numeric: bool


@dataclass(frozen=True)
class Cell:
    text: str
    spread: str = ""  # a standard deviation
    best: bool = False


def label_of(key: str) -> str:
    if teacher := re.fullmatch("kl_(.+)_teacher", key):
        return f"KL, {teacher[1]} teacher"
    if group := re.fullmatch("top1_(.+)_classes", key):
        return f"top-1, {group[1]} (%)"
    return LABELS.get(key, key.replace("_", " "))


def columns_of(rows: Sequence[Mapping[str, str]]) -> list[Column]:
    """The columns that a reader sees: those with values, without deviations, which stand beside their means."""
    keys = [key for key in (rows[0] if rows else []) if any(row[key] for row in rows)]
    parts = {"dataset", *SUMMED, *(f"{key}_std" for key in keys), *(f"{key}_high" for key in keys)}
    columns = []
    for key in (key for key in keys if key not in parts):
        prefix, over = next(((prefix, over) for prefix, over in PREFIXES.items() if key.startswith(prefix)), ("", ""))
        numeric = key not in NAMES and all(is_number(row[key]) for row in rows if row[key])
        columns.append(Column(key, label_of(key.removeprefix(prefix)), over, numeric))
    return columns


def cell_of(row: Mapping[str, str], column: Column, best: bool) -> Cell:
    """A value as the reader sees it: with its deviation, or as an interval with its other end."""
    text, end = row[column.key], row.get(column.key.replace("_low", "_high"), "")
    if not text or column.key in NAMES:
        return Cell(text)
    if column.key.endswith("_low") and end:
        return Cell(f"{shown_number(text)} to {shown_number(end)}")
    if column.key in ("p", "p_holm") and is_number(text):
        return Cell(shown_p(float(text)))
    return Cell(WORDS.get(text, shown_number(text)), row.get(f"{column.key}_std", ""), best)


def families(rows: Sequence[Mapping[str, str]]) -> list[list[int]]:
    """The numbers of the rows that compare: those of one data set and list.

    Where rows have a method, each baseline is the first of a list's.
    """
    found, lists = defaultdict(list), 0
    for number, row in enumerate(rows):
        lists += row.get("method") == "baseline"
        found[row.get("dataset"), row.get("list"), lists].append(number)
    return list(found.values())


def best_rows(rows: Sequence[Mapping[str, str]], key: str) -> set[int]:
    """The rows with the highest value of ``key`` in each family of several."""
    best = set()
    for family in families(rows):
        values = {number: float(rows[number][key]) for number in family if is_number(rows[number].get(key, ""))}
        if len(values) > 1:
            best |= {number for number, value in values.items() if value == max(values.values())}
    return best


def table(path: str | Path, marked: Sequence[str] = ()) -> dict[str, Any]:
    """A CSV file as the template shows it: columns, the rows of each data set, the file itself as a link.

    ``marked`` are columns whose best values are set off.
    """
    rows = read_csv(path)
    columns = columns_of(rows)
    best = {key: best_rows(rows, key) for key in marked}
    cells = [
        (row.get("dataset", ""), [cell_of(row, column, number in best.get(column.key, ())) for column in columns])
        for number, row in enumerate(rows)
    ]
    return {
        "columns": columns,
        "overs": [(over, len(list(some))) for over, some in groupby(columns, key=lambda column: column.over)],
        "groups": [(name, [row for _, row in some]) for name, some in groupby(cells, key=lambda row: row[0])],
        "file": Path(path).name,
        "link": data_uri("text/csv;charset=utf-8", Path(path).read_bytes()),
    }
