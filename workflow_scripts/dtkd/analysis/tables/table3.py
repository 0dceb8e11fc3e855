"""Table 3: the baselines."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from dtkd.analysis.tables.paper import BASELINE_KEYS, against, beside, counterparts, key_of
from dtkd.analysis.tables.rows import ACCURACIES, Row, finished, network_of, with_std
from dtkd.analysis.tables.scores import scores_of
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
        sizes, scores = network_of(row["record"]), scores_of(row["predictions"])
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
