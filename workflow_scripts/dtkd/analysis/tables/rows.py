"""Rows and columns that tables share, and a table made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

HYPERPARAMETERS = ["method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha"]
ACCURACIES = ["top1", "top5", "top1_last", "top5_last"]
Row = Mapping[str, Any]


def with_std(names: Iterable[str]) -> list[str]:
    return [column for name in names for column in (name, f"{name}_std")]


def finished(name: str, rows: list[Row], columns: list[str], caption: str, notes: Iterable[str] = ()) -> pd.DataFrame:
    """``columns`` of ``rows``, without seeds and deviations if no row has several seeds; its words are in ``attrs``."""
    table = pd.DataFrame(rows, columns=columns)
    if "seeds" in columns:
        if (table["seeds"] > 1).any():
            caption += ". Mean and sample standard deviation over seeds"
        else:
            table = table.drop(columns=["seeds", *(f"{name}_std" for name in columns if f"{name}_std" in columns)])
    if any(table[column].notna().any() for column in table if column.startswith("paper_")):
        caption += ". Difference: this study less the paper"
    return titled(table, name, caption, notes)


def titled(table: pd.DataFrame, name: str, caption: str, notes: Iterable[str] = ()) -> pd.DataFrame:
    """A table with its words, each note once."""
    table.attrs = {"name": name, "caption": caption + ".", "notes": list(dict.fromkeys(notes))}
    return table
