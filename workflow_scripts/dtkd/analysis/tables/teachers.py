"""The teachers beside the baseline on their own subsets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from dtkd.analysis.tables.comparisons import gain_of
from dtkd.analysis.tables.groups import of_subset, own_subsets
from dtkd.analysis.tables.rows import Row, finished, with_std
from dtkd.analysis.tables.scores import accuracies, over_seeds
from dtkd.analysis.tables.splits import origin


def teachers(rows: Iterable[Row], splits: Mapping[str, Row], indexes: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Each teacher beside the baseline of its list, both on the test videos of the teacher's subset.

    A model's answer is the highest of all its logits: the baseline chooses among all classes, a teacher among those
    that its outputs leave it.

    Args:
        rows: those of `table4`, and ``baseline``: the baseline's predictions, of the same seeds.
        splits: each split that teachers are of, by its `split_name`.
        indexes: each dataset's `videos.parquet`.

    Returns:
        One row a teacher: ``baseline_top1`` and ``teacher_top1`` (per cent); ``gain`` (points) with its interval and
        ``p`` as in `table5`, of the teacher over the baseline.
    """
    table = []
    for row in rows:
        sides = {"teacher_top1": row["predictions"], "baseline_top1": row["baseline"]}
        own = own_subsets(row, splits, indexes)
        runs = {name: of_subset(files, own, row["subset"]) for name, files in sides.items()}
        gain = gain_of(sides["teacher_top1"], runs["teacher_top1"], sides["baseline_top1"], runs["baseline_top1"])
        scores = [over_seeds([{name: accuracies(run)["top1"]} for run in side]) for name, side in runs.items()]
        table.append({**row, "videos": len(runs["teacher_top1"][0].videos), **scores[0], **scores[1], **gain})
    several = ["split"] if any(row.get("split") for row in table) else []
    columns = ["dataset", "list", *several, "subset", "LT", "videos", "seeds",
               *with_std(["baseline_top1", "teacher_top1"]), "gain", "gain_low", "gain_high", "p"]  # fmt: skip
    caption = (
        "Teachers beside the baseline of their list on the test videos of their own subset. Gain: points of top-1 over "
        "the baseline, with its 95 % bootstrap interval over these videos; p: exact paired test"
    )
    studys = {dataset: splits[dataset] for dataset in indexes}
    return finished("teachers", table, columns, caption + origin(studys))
