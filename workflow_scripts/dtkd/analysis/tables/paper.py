"""The paper's numbers beside this study's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from dtkd.analysis.tables.rows import Row

BASELINE_KEYS = ("dataset", "model", "list", "backbone", "frozen")  # what identifies a baseline


def counterparts(paper: pd.DataFrame, keys: Sequence[str]) -> dict[tuple, dict[str, Any]]:
    """The paper's rows by what identifies them: a row of ours that was changed has no counterpart."""
    return {key_of(row, keys): row for row in paper.to_dict("records")}


def key_of(row: Row, names: Iterable[str]) -> tuple:
    values = [row.get(name) for name in names]
    return tuple(None if value is None or value != value else value for value in values)  # NaN: not given


def beside(ours: Row, paper: Row, names: Sequence[str]) -> dict[str, float]:
    """The paper's numbers, and ours less the paper's; NaN where it has none."""
    theirs = {name: paper.get(name, math.nan) for name in names}
    differences = {f"diff_{name}": ours.get(name, math.nan) - theirs[name] for name in names}
    return {f"paper_{name}": value for name, value in theirs.items()} | differences


def against(names: Sequence[str]) -> list[str]:
    return [f"paper_{name}" for name in names] + [f"diff_{name}" for name in names]
