"""The study's runs, and what made them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dtkd.common.files import read_parquet


def run_rows(
    runs: Sequence[Mapping[str, Any]], records: Sequence[str], histories: Sequence[str]
) -> list[dict[str, Any]]:
    """Per run what it was, how long it took, and what its record says of device and code."""
    rows = []
    for run, record, history in zip(runs, records, histories, strict=True):
        record = json.loads(Path(record).read_text(encoding="utf-8"))
        epochs = read_parquet(history)
        seconds = {
            name: float(epochs[f"{name}_seconds"].sum()) if f"{name}_seconds" in epochs else 0.0
            for name in ("train", "wait", "test")
        }
        selected = _selected(epochs, record["settings"].get("train", {}).get("selection"))
        rows.append({
            **{key: run[key] for key in ("dataset", "list", "role", "run", "seed")}, "model": run.get("model") or "",
            "epochs": len(epochs), "selected": int(selected["epoch"]), "top1": f"{selected['top1']:.2f}",
            "backbone": record["settings"].get("backbone", ""),
            **seconds, "total": seconds["train"] + seconds["test"], "device": record["device"],
            "git": record["git"] or {}, "versions": record["versions"], "inputs": record["inputs"],
        })  # fmt: skip
    return rows


def _selected(epochs: pd.DataFrame, selection: str | None) -> pd.Series:
    """The row of the epoch that counts."""
    if selection == "last":
        return epochs.iloc[-1]
    # a teacher that was made elsewhere has no validation
    return epochs.loc[epochs["val_top1" if "val_top1" in epochs else "top1"].idxmax()]


def totals(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The runs of each role and of all together: how many, and their seconds."""
    roles = list(dict.fromkeys(row["role"] for row in rows))
    parts = [(role, [row for row in rows if row["role"] == role]) for role in roles]
    return [
        {
            "role": role,
            "runs": len(some),
            **{key: sum(row[key] for row in some) for key in ("train", "wait", "test", "total")},
        }
        for role, some in [*parts, ("all", rows)]
    ]


def alike(values: Iterable[Any]) -> list[tuple[Any, int]]:
    """Different values in the order of their appearance, and how often each is there."""
    counted: dict[str, list] = {}
    for value in values:
        counted.setdefault(json.dumps(value, sort_keys=True), [value, 0])[1] += 1
    return [(value, count) for value, count in counted.values()]


def inputs(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every file that runs read, with its hash and the number of runs; ``changed`` if runs read different contents."""
    counted = alike((file["path"], file["sha256"]) for row in rows for file in row["inputs"].values())
    hashes = defaultdict(set)
    for (path, sha256), _ in counted:
        hashes[path].add(sha256)
    return [
        {"path": path, "sha256": sha256, "runs": count, "changed": len(hashes[path]) > 1}
        for (path, sha256), count in sorted(counted)
    ]
