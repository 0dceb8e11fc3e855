"""Table 5: the students beside the baseline."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dtkd.analysis import significance
from dtkd.analysis.tables.comparisons import against_baselines
from dtkd.analysis.tables.paper import against, beside, counterparts, key_of
from dtkd.analysis.tables.rows import (
    ACCURACIES,
    HYPERPARAMETERS,
    SIZES,
    Row,
    finished,
    network_columns,
    network_of,
    with_std,
)
from dtkd.analysis.tables.writing import LIST
from dtkd.data import published


def table5(rows: Iterable[Row]) -> pd.DataFrame:
    """Table 5: the students beside the baseline, whether the gain may be chance, and the paper's numbers.

    Controls, baselines that are trained otherwise, are compared as students are.

    Args:
        rows: per run dataset, list, model, method (baseline, control, dtkd, bskd, kd), hyperparameters, variant,
            predictions, as_published; of a student whose settings were searched for, its `run.json` as ``winner``;
            where networks differ, network, backbone, clip and ``record``, a `run.json`. The baseline of a dataset's
            list and network comes before the others of it and has the same seeds.

    Returns:
        One row a run. ``gain`` is in points of top-1 over the baseline of the same list and network, ``gain_low`` and
        ``gain_high`` its 95 % bootstrap interval over test videos (`significance.interval`), ``p`` the exact paired
        test against the baseline on the same videos (`significance.sign_flip_p`; McNemar's with one seed). A list has
        several students, so read ``p_holm``, which is adjusted for their number, before calling one better; ``p`` is
        for a student that was chosen beforehand. Neither knows that `selection: best` looks at the test set.
        ``test_videos``, ``chance`` (per cent, of guessing) and ``smallest_gain`` are a list's: the last is the smallest
        gain that its test videos are likely to show (`significance.smallest_gain_seen`, by the median of its students'
        differing videos); Markdown and LaTeX have them in a note.
    """
    keys = ("dataset", "model", *HYPERPARAMETERS)
    paper = counterparts(published.table(5), keys) | counterparts(published.table(3).assign(method="baseline"), keys)
    table = []
    rows = against_baselines(map(settled, rows))
    for row in rows:
        theirs = paper.get(key_of(row, keys), {}) if row["as_published"] else {}
        sizes = network_of(row["record"]) if "record" in row else {}
        table.append(row | sizes | beside(row, theirs, ["top1", "top5"]) | _list_of(row, rows))
    columns = ["dataset", "model", *network_columns(rows), *HYPERPARAMETERS, "variant", "seeds",
               *with_std(ACCURACIES), "gain", "gain_low", "gain_high", "p", "p_holm", *against(["top1", "top5"]),
               *LIST]  # fmt: skip
    caption = (
        "Students beside the baseline. Gain: points of top-1 over the baseline, with its 95 % bootstrap interval over "
        "the test videos; p: exact paired test against the baseline, beside it adjusted for all students of the list "
        "(Holm)"
    )
    if network_columns(rows):
        caption += ". The baseline is that of the same network. " + SIZES
    return finished("table5", table, columns, caption, map(_note, table))


def settled(row: Row) -> dict[str, Any]:
    """A row with the settings that a search has found for it, by the record of its run."""
    if "winner" not in row:
        return dict(row)
    record = json.loads(Path(row["winner"]).read_text(encoding="utf-8"))
    winner = record["winner"]
    found = record["settings"]["search"]["candidates"][winner]["student"]
    return {**row, **{key: found.get(key) for key in HYPERPARAMETERS}, "variant": f"{row['variant']}: {winner}"}


def _list_of(row: Row, rows: Sequence[Row]) -> dict[str, Any]:
    """Of the list of a row: chance, the smallest gain that it can show, and whether students are compared on it."""
    shares = [other["differing"] for other in rows if other["family"] == row["family"] and "differing" in other]
    least = significance.smallest_gain_seen(row["test_videos"], float(np.median(shares))) if shares else math.nan
    return {"chance": 100 / row["classes"], "smallest_gain": 100 * least, "compared": bool(shares)}


def _note(row: Row) -> str:
    """What a reader of Table 5 has to know of a list's test videos."""
    name = row["dataset"] + (f", list {row['list']}" if row["list"] > 1 else "")
    note = f"{name}: {row['test_videos']} test videos of {row['classes']} classes, chance {row['chance']:.2f} %"
    power = "with 80 % power (p < 0.05 of one student, chosen beforehand; of one seed)"
    if not row["compared"]:
        return f"{note}."
    if math.isnan(row["smallest_gain"]):
        return f"{note}; no gain is large enough for them to show {power}."
    return f"{note}; smallest gain that they show {power}: {row['smallest_gain']:.1f} points."
