"""Table 2: classes and videos of each list and subset."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from dtkd.analysis.tables.paper import against, beside, counterparts, key_of
from dtkd.analysis.tables.rows import Row, finished
from dtkd.analysis.tables.splits import as_the_papers, origin
from dtkd.data import published
from dtkd.data.datasets import counts
from dtkd.data.groups import group_names


def table2(indexes: Mapping[str, pd.DataFrame], splits: Mapping[str, Row]) -> pd.DataFrame:
    """Table 2: classes and videos of each list and subset (`datasets.counts`), of the same datasets in both mappings.

    ``indexes`` gives each dataset's `videos.parquet`, ``splits`` its `split.json`. DtkdError if their classes differ.
    """
    keys, values = ("dataset", "list", "subset"), ["classes", "train", "test", "total"]
    paper = counterparts(published.table(2), keys)
    rows = []
    for dataset, index in indexes.items():
        subsets = {name: entry["subset"] for name, entry in splits[dataset]["classes"].items()}
        usual = as_the_papers(splits[dataset])
        for row in counts(index, subsets, group_names(splits[dataset])).assign(dataset=dataset).to_dict("records"):
            rows.append(row | beside(row, paper.get(key_of(row, keys), {}) if usual else {}, values))
    columns = ["dataset", "list", "subset", *values, *against(values)]
    return finished("table2", rows, columns, "Classes and videos of each list and subset" + origin(splits))
