"""Searches for settings: what became of each candidate, and what was saved."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dtkd.analysis.tables.rows import Row, titled

CAPTION = (
    "Candidates of each search, the best first: their best validation top-1 up to each rung, and after how many epochs "
    "they were out. They were compared on held-out training videos alone; the winner is a row of Table 5"
)


def searches(rows: Iterable[Row]) -> pd.DataFrame:
    """Every candidate of every search, in the order in which they ended.

    Args:
        rows: dataset, list, model, ``epochs`` of the rungs (the last: the end of training), ``candidates`` (name -> its
            settings in words) and ``rankings``, a file for each rung (`halving.ranking`).

    Returns:
        One row a candidate: ``settings``, ``epochs`` that it was trained for, ``val_top1_rung1`` and so on (per cent),
        ``rank`` among all, ``out``: winner, the epochs after which it was out, or diverged. The notes have what each
        search took and what all candidates' whole trainings would have taken.
    """
    table, notes = [], []
    for row in rows:
        rankings = [json.loads(Path(file).read_text(encoding="utf-8")) for file in row["rankings"]]
        own = _candidates(row, rankings)
        table += own
        notes.append(_note(row, own))
    rungs = max((len(row["rankings"]) for row in rows), default=0)
    columns = ["dataset", "list", "model", "settings", "epochs", *(_of_rung(n) for n in range(1, 1 + rungs)), "rank",
               "out", "hours"]  # fmt: skip
    return titled(pd.DataFrame(table, columns=columns), "searches", CAPTION, notes)


def last_seen(rankings: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Each candidate's row in the last ranking that has it; who came furthest first, then by rank."""
    found: dict[str, Mapping[str, Any]] = {}
    for ranking in reversed(list(rankings)):
        for row in ranking["ranking"]:
            found.setdefault(row["candidate"], row)
    return found


def _of_rung(number: int) -> str:
    return f"val_top1_rung{number}"


def _candidates(row: Row, rankings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    table = []
    for rank, (name, last) in enumerate(last_seen(rankings).items(), 1):
        seen = [{each["candidate"]: each for each in ranking["ranking"]}.get(name) for ranking in rankings]
        reached = sum(each is not None for each in seen)
        out = f"after epoch {row['epochs'][reached - 1]}" if name not in rankings[-1]["on"] else "winner"
        table.append({
            "dataset": row["dataset"], "list": row["list"], "model": row["model"],
            "settings": row["candidates"][name], "epochs": len(last["val_top1"]), "rank": rank,
            "out": "diverged" if last["diverged"] else out, "hours": last["train_seconds"] / 3600,
            **{_of_rung(n): math.nan if each is None or each["top1"] is None else each["top1"]
               for n, each in enumerate(seen, 1)},
        })  # fmt: skip
    return table


def _note(row: Row, own: list[dict[str, Any]]) -> str:
    """What a search took, and what it spared."""
    name = f"{row['dataset']}, {row['model']}" + (f", list {row['list']}" if row["list"] > 1 else "")
    rungs = " and ".join(filter(None, [", ".join(map(str, row["epochs"][:-2])), str(row["epochs"][-2])]))
    took, whole = sum(each["epochs"] for each in own), len(own) * row["epochs"][-1]
    return (
        f"{name}: {len(own)} candidates, compared after {rungs} of {row['epochs'][-1]} epochs; {took} epochs were "
        f"trained, where all candidates to the end would have taken {whole} ({100 * (1 - took / whole):.0f} % saved)."
    )
