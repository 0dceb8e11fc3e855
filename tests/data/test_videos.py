"""Tests of the paper's Table 2."""

import pandas as pd
import pytest

from dtkd.common.errors import DtkdError
from dtkd.data import published
from dtkd.data.datasets import counts, index


@pytest.mark.parametrize("dataset", ["ucf101", "hmdb51"])
def test_table_2(dataset, request):
    """All 72 cells: 9 rows x (train, test, total, classes) x 2 datasets."""
    videos = index(request.getfixturevalue(dataset))
    paper = published.table(2).query("dataset == @dataset")
    subsets = dict.fromkeys(videos["class"], "dynamic") | dict.fromkeys(published.static_classes(dataset), "static")
    table = counts(videos, subsets)
    assert table.shape == (9, 6)
    pd.testing.assert_frame_equal(table, paper[list(table.columns)].reset_index(drop=True))
    pd.testing.assert_frame_equal(counts(videos), table.query("subset == 'overall'").reset_index(drop=True))


@pytest.mark.parametrize(("subsets", "expected"), [
    ({"Run": "static"}, "class Jump is missing from the subsets"),
    ({"Run": "static", "Jump": "static", "Walk": "static"}, "class Walk is missing from the videos"),
    ({"Run": "static", "Jump": "slow"}, "class Jump has subset 'slow'; choose one of static, dynamic"),
])  # fmt: skip
def test_counts_refusals(small, subsets, expected):
    with pytest.raises(DtkdError) as caught:
        counts(index(small), subsets)
    assert expected in str(caught.value)


def test_counts_of_an_empty_subset(small):
    table = counts(index(small), {"Run": "static", "Jump": "static"})
    assert table.values.tolist() == [
        [1, "overall", 2, 3, 3, 6], [1, "dynamic", 0, 0, 0, 0], [1, "static", 2, 3, 3, 6]
    ]  # fmt: skip
