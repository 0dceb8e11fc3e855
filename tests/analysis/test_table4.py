"""Table 4: the teachers on their own videos."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score
from table_rows import INDEX, SPLIT, drawn, own, rows_of_teachers, split_of

from dtkd.analysis.tables.table4 import table4
from dtkd.common.errors import DtkdError
from dtkd.data import published


@pytest.fixture
def teachers(tmp_path):
    return rows_of_teachers(tmp_path)


def test_table4_counts_own_videos_by_the_indexs_labels(teachers):
    rows, labels, splits, indexes = teachers
    table = table4(rows, splits, indexes)
    for row, cells in zip(rows, table.to_dict("records"), strict=True):
        kept = [n for n, label in enumerate(labels) if own(label) == row["subset"]]
        expected = []
        for file in row["predictions"]:
            logits = np.stack(pd.read_parquet(file)["logits"])[kept]
            expected.append(100 * accuracy_score([labels[n] for n in kept], logits.argmax(axis=1)))
        assert (cells["classes"], cells["videos"], cells["seeds"]) == (2, len(kept), 2)
        assert cells["top1"] == pytest.approx(np.mean(expected))
        assert cells["top1_std"] == pytest.approx(np.std(expected, ddof=1))
        assert 0 < cells["top1"] < cells["top5"] == 100
        assert cells["top1_last"] != cells["top1"]
    assert "paper" not in table.attrs["caption"]


def test_table4_takes_predictions_of_the_own_subset_alone(teachers, tmp_path):
    rows, labels, splits, indexes = teachers
    whole = pd.read_parquet(rows[0]["predictions"][0])
    part = tmp_path / "part.parquet"
    whole[[own(label) == "dynamic" for label in labels]].to_parquet(part)
    one, other = (table4([rows[0] | {"predictions": [file]}], splits, indexes)
                  for file in (rows[0]["predictions"][0], str(part)))  # fmt: skip
    pd.testing.assert_frame_equal(one, other)


def test_every_published_teacher_finds_itself(teachers):
    rows, *_ = teachers
    printed = published.table(4).rename(columns={"frozen": "LT"}).to_dict("records")
    rows = [{**rows[row["subset"] == "static"], **row} for row in printed]
    both = [dict.fromkeys(("ucf101", "hmdb51"), value) for value in (SPLIT, INDEX)]
    table = table4(rows, *both)
    assert table["paper_top1"].tolist() == [row["top1"] for row in printed]
    np.testing.assert_allclose(table["diff_top1"], table["top1"] - table["paper_top1"])
    swapped = table4([rows[0] | {"LT": True}, rows[0] | {"as_published": False}], *both)
    assert swapped["paper_top1"].isna().all()


def test_table4_refuses_what_does_not_fit(teachers, tmp_path):
    rows, labels, splits, indexes = teachers
    file = rows[0]["predictions"][0]
    with pytest.raises(DtkdError, match=r"mine: split.json and videos.parquet have different classes"):
        table4(rows, {"mine": split_of({"walk": ("static", 1.0)})}, indexes)
    narrow = drawn(tmp_path / "narrow.parquet", [0, 1], 3, 0)
    with pytest.raises(DtkdError, match=f"{re.escape(narrow)}: has 3 classes, the dataset 4"):
        table4([rows[0] | {"predictions": [narrow]}], splits, indexes)
    none = drawn(tmp_path / "none.parquet", [1, 3], 4, 0)
    with pytest.raises(DtkdError, match=f"{re.escape(none)}: has no test video of a dynamic class"):
        table4([rows[0] | {"predictions": [none]}], splits, indexes)
    short = drawn(tmp_path / "short.parquet", labels[:-1], 4, 0)
    with pytest.raises(DtkdError, match=f"{re.escape(short)}: its 59 test videos are not the 60 of {re.escape(file)}"):
        table4([rows[0] | {"predictions": [file, short]}], splits, indexes)


def test_a_class_without_test_videos_still_counts_as_a_class(teachers, tmp_path):
    rows, _, splits, indexes = teachers
    file = drawn(tmp_path / "one.parquet", [0, 0, 0], 4, 0)
    (row,) = table4([rows[0] | {"predictions": [file]}], splits, indexes).to_dict("records")
    assert (row["classes"], row["videos"]) == (2, 3)
