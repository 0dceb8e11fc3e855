"""The paper's tables, computed from predictions; written as CSV, Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dtkd import published
from dtkd.files import atomic, read_parquet
from dtkd.metrics import top_k

HYPERPARAMETERS = ["method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha"]


def accuracies(predictions: str | Path) -> dict[str, float]:
    """Top-1 and top-5 (per cent) of a run's `predictions.parquet`, by the selected and by the last epoch's weights."""
    table = read_parquet(predictions)
    labels = table["label"].to_numpy()
    scores = {}
    for suffix, column in (("", "logits"), ("_last", "logits_last")):
        logits = np.stack(table[column])
        scores |= {f"top{k}{suffix}": top_k(logits, labels, k) for k in (1, 5)}
    return scores


def table5(rows: Sequence[Mapping[str, Any]], results: str | Path) -> pd.DataFrame:
    """Table 5: the students beside the baseline, and the paper's numbers where it has them.

    Args:
        rows: per run its dataset, list, model name, method (baseline, dtkd, bskd), hyperparameters, the file of its
            predictions relative to ``results``, and ``as_published``: whether backbone, list and all that no column
            shows are the paper's. The baseline of a dataset's list comes before its students.

    Returns:
        One row a run; accuracies in per cent, ``gain`` in points of top-1 over the baseline of the same list.
    """
    paper = _paper_accuracies()
    table, baseline = [], {}
    for row in rows:
        scores = accuracies(Path(results, row["predictions"]))
        if row["method"] == "baseline":
            baseline[row["dataset"], row["list"]] = scores["top1"]
        settings = {name: row.get(name) for name in ("dataset", "model", *HYPERPARAMETERS)}
        own = paper.get(_key(settings), {}) if row["as_published"] else {}
        reference = None if row["method"] == "baseline" else baseline.get((row["dataset"], row["list"]))
        table.append(
            settings
            | {name: scores[name] for name in ("top1", "top5", "top1_last", "top5_last")}
            | {"gain": None if reference is None else scores["top1"] - reference}
            | {"paper_top1": own.get("top1"), "paper_top5": own.get("top5")}
        )
    return pd.DataFrame(table)


def _paper_accuracies() -> dict[tuple, dict[str, float]]:
    """The paper's Tables 3 and 5, by dataset, model and hyperparameters: a row that was changed has no counterpart."""
    rows = [*published.table(5).to_dict("records"), *published.table(3).assign(method="baseline").to_dict("records")]
    return {_key(row): {"top1": row["top1"], "top5": row["top5"]} for row in rows}


def _key(row: Mapping[str, Any]) -> tuple:
    values = [row.get(name) for name in ("dataset", "model", *HYPERPARAMETERS)]
    return tuple(None if value is None or value != value else value for value in values)  # NaN: not given


def write(table: pd.DataFrame, output: Mapping[str, str]) -> None:
    """Write ``table`` to ``output["csv"]``, ``["md"]`` and ``["tex"]``: two decimals, blank where no value is."""
    shown = table.copy()
    for name in shown:
        shown[name] = [_shown(name, value) for value in shown[name]]
    columns = [name for name in shown if (shown[name] != "").any()]  # a study without the paper's datasets
    writers = {
        "csv": lambda path: shown.to_csv(path, index=False),
        "md": lambda path: path.write_text(shown[columns].to_markdown(index=False, disable_numparse=True) + "\n"),
        "tex": lambda path: path.write_text(_latex(shown[columns])),
    }
    for kind, writer in writers.items():
        with atomic(output[kind]) as path:
            writer(path)


def _shown(name: str, value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool | str | int):
        return str(value)
    if name in ("S_alpha", "KD_T", "KD_alpha"):
        return f"{value:g}"
    return f"{value:+.2f}" if name == "gain" else f"{value:.2f}"


def _latex(table: pd.DataFrame) -> str:
    """A booktabs table."""
    escaped = table.map(lambda text: text.replace("_", r"\_"))
    escaped.columns = [name.replace("_", r"\_") for name in escaped.columns]
    return escaped.to_latex(index=False)
