"""Students over the lists, beside the lists' baselines."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from dtkd.analysis.tables.comparisons import adjust, tested
from dtkd.analysis.tables.pooled import differences
from dtkd.analysis.tables.rows import HYPERPARAMETERS, Row, finished, with_std
from dtkd.analysis.tables.scores import accuracies, over_seeds, read_alike, spread


def students_over_lists(rows: Iterable[Row]) -> pd.DataFrame:
    """Students that differ in the list alone, all their lists together, beside the lists' baselines.

    A test set of three lists tells more than that of one. Lists that are drawn at random share test videos: a video
    counts once, by the sum of its differences.

    Args:
        rows: dataset, models, lists, hyperparameters, variant, and ``of_lists``: per list ``predictions`` and those of
            its ``baseline``, of the same seeds.

    Returns:
        One row a group of students: accuracies as mean and sample standard deviation over the lists, ``videos`` that
        some list tests on, the mean ``gain`` over the lists in points with its interval, and ``p`` as in `table5`;
        ``p_holm`` is adjusted for the rows of the dataset.
    """
    table = []
    for row in rows:
        runs = [(read_alike(own["predictions"]), read_alike(own["baseline"])) for own in row["of_lists"]]
        scores = []
        for sides in runs:
            top1 = [over_seeds([accuracies(run) for run in side])["top1"] for side in sides]
            scores.append({"top1": top1[0], "baseline_top1": top1[1]})
        by_video = differences(row["of_lists"], runs)
        points = 100 * len(by_video) * by_video["share"].to_numpy()  # their mean is the gain
        gain = tested(points, by_video["won"].to_numpy())
        table.append({**row, "videos": len(by_video), **spread(scores, scores[0]), **gain})
    for dataset in {row["dataset"] for row in table}:
        adjust([row for row in table if row["dataset"] == dataset])
    columns = ["dataset", "models", "lists", *HYPERPARAMETERS, "variant", "videos",
               *with_std(["baseline_top1", "top1"]), "gain", "gain_low", "gain_high", "p", "p_holm"]  # fmt: skip
    caption = (
        "Students over the lists: mean and sample standard deviation over the lists. Gain: points of top-1 over the "
        "baselines of the same lists, with its 95 % bootstrap interval over all their test videos; p: exact paired "
        "test, beside it adjusted for all rows (Holm)"
    )
    return finished("students_over_lists", table, columns, caption)
