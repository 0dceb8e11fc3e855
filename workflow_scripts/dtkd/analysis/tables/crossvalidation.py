"""Table 3's baselines over the lists."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from dtkd.analysis.tables.paper import BASELINE_KEYS, beside, counterparts, key_of
from dtkd.analysis.tables.rows import Row, finished, with_std
from dtkd.analysis.tables.scores import scores_of, spread
from dtkd.data import published


def crossvalidation(rows: Iterable[Row]) -> pd.DataFrame:
    """Table 3's baselines that differ in the list alone: mean and sample standard deviation over the lists.

    ``rows`` are those of `table3`; ``record`` is not read. One row per dataset, backbone, clip, frozen and variant with
    at least two lists (none if no baseline has a second list), each list's accuracy first averaged over its seeds. The
    paper's mean and deviation are computed from its rows, if it has them all.
    """
    names, paper = ["top1", "top5"], counterparts(published.table(3), BASELINE_KEYS)
    groups, table = {}, []
    for row in rows:
        group = groups.setdefault((*key_of(row, ("dataset", "backbone", "clip", "frozen")), row.get("variant")), {})
        group.setdefault(row["list"], row)  # of several baselines of a list the first
    for group in groups.values():
        if len(group) < 2:
            continue
        lists = sorted(group)
        members = [group[number] for number in lists]
        ours = spread([scores_of(row["predictions"]) for row in members], names)
        printed = [paper.get(key_of(row, BASELINE_KEYS)) if row["as_published"] else None for row in members]
        theirs = {} if None in printed else spread(printed, names)
        words = {"models": ", ".join(row["model"] for row in members), "lists": ", ".join(map(str, lists))}
        deviations = {f"paper_{name}_std": theirs.get(f"{name}_std", math.nan) for name in names}
        table.append({**members[0], **words, **ours, **deviations, **beside(ours, theirs, names)})
    columns = ["dataset", "models", "lists", "backbone", "clip", "frozen", *with_std(names),
               *with_std([f"paper_{name}" for name in names]), *(f"diff_{name}" for name in names)]  # fmt: skip
    caption = "Accuracy of the baselines over the lists: mean and sample standard deviation"
    return finished("crossvalidation", table, columns, caption)
