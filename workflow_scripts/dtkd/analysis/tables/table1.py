"""Table 1: statistics of the classes' mean flow."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from dtkd.analysis.tables.paper import against, beside, counterparts, key_of
from dtkd.analysis.tables.rows import Row, finished
from dtkd.analysis.tables.splits import as_the_papers, origin
from dtkd.common.errors import DtkdError
from dtkd.data import published
from dtkd.motion.subsets import motion_unit, motion_word, subset_summary


def table1(splits: Mapping[str, Row]) -> pd.DataFrame:
    """Table 1: quartile, mean, standard deviation and interquartile range of the classes' mean flow.

    In pixels/frame, or as `subsets.motion_unit` says. ``splits`` gives each dataset's `split.json` (see
    `subsets.subset_summary`). Another measure or unit and subsets by list or lot have no counterpart in the paper.
    DtkdError if a split has no class means.
    """
    keys, values = ("dataset", "subset"), ["q1", "mean", "std", "iqr"]
    paper = counterparts(published.table(1), keys)
    rows = []
    for dataset, split in splits.items():
        usual = motion_unit([split]) == "pixels/frame" and as_the_papers(split)
        try:
            summary = subset_summary(split)
        except DtkdError as error:
            raise DtkdError(f"{dataset}: {error}") from None
        for row in summary.assign(dataset=dataset).to_dict("records"):
            rows.append(row | beside(row, paper.get(key_of(row, keys), {}) if usual else {}, values))
    columns = ["dataset", "subset", "classes", *values, *against(values)]
    word = motion_word(splits.values()).replace("flow", "optical flow")
    caption = f"Mean {word} of the classes of each subset ({motion_unit(splits.values())})"
    return finished("table1", rows, columns, caption + origin(splits))
