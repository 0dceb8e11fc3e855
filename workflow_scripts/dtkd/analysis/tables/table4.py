"""Table 4: the teachers on their own subsets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from dtkd.analysis.tables.groups import of_subset, own_subsets
from dtkd.analysis.tables.paper import against, beside, counterparts, key_of
from dtkd.analysis.tables.rows import ACCURACIES, Row, finished, with_std
from dtkd.analysis.tables.scores import accuracies, over_seeds
from dtkd.data import published


def table4(rows: Iterable[Row], splits: Mapping[str, Row], indexes: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Table 4: the teachers, each on the test videos of its own subset.

    Args:
        rows: per teacher dataset, model, list, subset, LT (only the head was trained), outputs (``full``: it may answer
            any class, and so err; ``masked``: one of its subset), split (None, or left out: the study's), predictions
            (of any test videos; those outside the subset are left out), as_published.
        splits: each split that teachers are of, by its `split_name`: which classes are of the subset.
        indexes: each dataset's `videos.parquet`: which class a label is. (UCF101's labels are not in the names' order.)
    """
    keys = ("dataset", "model", "subset", "LT")
    paper = counterparts(published.table(4).rename(columns={"frozen": "LT"}), keys)
    table = []
    for row in rows:
        own = own_subsets(row, splits, indexes)
        runs = of_subset(row["predictions"], own, row["subset"])
        scores = over_seeds([accuracies(run) for run in runs])
        theirs = paper.get(key_of(row, keys), {}) if row["as_published"] else {}
        numbers = {"classes": int((own == row["subset"]).sum()), "videos": len(runs[0].videos)}
        table.append({**row, **numbers, **scores, **beside(scores, theirs, ["top1", "top5"])})
    columns = ["dataset", "model", "subset", "LT", "outputs", "classes", "videos", "seeds", *with_std(ACCURACIES),
               *against(["top1", "top5"])]  # fmt: skip
    return finished("table4", table, columns, "Accuracy of the teachers on the test videos of their own subset")
