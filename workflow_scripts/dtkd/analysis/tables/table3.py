"""Table 3: the baselines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from dtkd.analysis.tables.paper import BASELINE_KEYS, against, beside, counterparts, key_of
from dtkd.analysis.tables.rows import ACCURACIES, Row, finished, with_std
from dtkd.analysis.tables.scores import scores_of
from dtkd.common.errors import DtkdError
from dtkd.data import published


def table3(rows: Iterable[Row]) -> pd.DataFrame:
    """Table 3: the baselines, their networks' sizes and accuracies.

    Args:
        rows: per baseline dataset, model, list, backbone, clip (frames and rate of the fast pathway, "64x2"), frozen,
            predictions, as_published, and ``record``: a `run.json` whose ``network`` counts parameters (all, trainable,
            all with the published 400-way head) and the multiply-adds of one clip.

    Returns:
        One row a baseline. ``params*`` and ``trainable`` are in millions; ``params_published``, with the head that
        training replaces, is what the paper prints (Section 4.2); ``gflops`` are 1e9 multiply-adds, as is the custom.
    """
    paper = counterparts(published.table(3), BASELINE_KEYS)
    table = []
    for row in rows:
        network, scores = _network(row["record"]), scores_of(row["predictions"])
        sizes = {
            "params_published": network["parameters_published_head"] / 1e6,
            "params": network["parameters"] / 1e6,
            "trainable": network["trainable"] / 1e6,
            "gflops": network["multiply_adds"] / 1e9,
        }
        own = paper.get(key_of(row, BASELINE_KEYS), {}) if row["as_published"] else {}
        table.append({**row, **sizes, **scores, **beside(scores, own, ["top1", "top5"])})
    several = ["variant"] if any(row.get("variant") for row in table) else []
    columns = ["dataset", "model", "list", "backbone", "clip", "frozen", *several, "params_published", "params",
               "trainable", "gflops", "seeds", *with_std(ACCURACIES), *against(["top1", "top5"])]  # fmt: skip
    caption = (
        "Accuracy of the baselines on the test videos of their list. Parameters in millions; 400 classes: with the "
        "published head, which training replaces. GFLOPs: 1e9 multiply-adds of one clip"
    )
    return finished("table3", table, columns, caption)


def _network(record: str | Path) -> dict[str, int]:
    try:
        return json.loads(Path(record).read_text(encoding="utf-8"))["network"]
    except FileNotFoundError:
        raise DtkdError(f"{record}: there is no such file; let the workflow make it") from None
    except (KeyError, ValueError):
        raise DtkdError(f"{record}: says nothing of the network; delete it and let the workflow make it") from None
