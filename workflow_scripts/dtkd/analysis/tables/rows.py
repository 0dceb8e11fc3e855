"""Rows and columns that tables share, and a table made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dtkd.common.errors import DtkdError

HYPERPARAMETERS = ["method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha"]
ACCURACIES = ["top1", "top5", "top1_last", "top5_last"]
Row = Mapping[str, Any]
SIZES = "Parameters in millions; GFLOPs: 1e9 multiply-adds of one clip"


def with_std(names: Iterable[str]) -> list[str]:
    return [column for name in names for column in (name, f"{name}_std")]


def network_of(record: str | Path) -> dict[str, float]:
    """Parameters in millions and 1e9 multiply-adds of one clip of the network that a `run.json` tells of.

    ``params_published``: with the published 400-way head, which training replaces.
    """
    try:
        found = json.loads(Path(record).read_text(encoding="utf-8"))["network"]
    except FileNotFoundError:
        raise DtkdError(f"{record}: there is no such file; let the workflow make it") from None
    except (KeyError, ValueError):
        raise DtkdError(f"{record}: says nothing of the network; delete it and let the workflow make it") from None
    return {
        "params_published": found["parameters_published_head"] / 1e6,
        "params": found["parameters"] / 1e6,
        "trainable": found["trainable"] / 1e6,
        "gflops": found["multiply_adds"] / 1e9,
    }


def network_columns(rows: Sequence[Row]) -> list[str]:
    """The columns of a row's network, of a table whose rows have several (`shown_runs.with_networks`)."""
    return ["backbone", "clip", "params", "gflops"] if any("record" in row for row in rows) else []


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
