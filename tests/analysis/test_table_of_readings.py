"""Readings of the paper side by side."""

import pandas as pd
import pytest
from table_rows import markdown, rows_of_students, written

from dtkd.analysis.tables.readings import readings
from dtkd.analysis.tables.table5 import table5


@pytest.fixture
def study(tmp_path):
    return rows_of_students(tmp_path)


def test_readings_are_table_5s_rows_in_few_columns(study, tmp_path):
    words = ["baseline", "full teachers, gated", "full teachers, partition (BSKD)", "baseline", "masked teachers"]
    rows = [row | {"reading": reading} for row, reading in zip(study, words, strict=True)]
    table, whole = readings(rows), table5(study)
    assert list(table.columns) == ["dataset", "reading", "KD_T", "KD_alpha", "top1", "top1_last", "gain", "gain_low",
                                   "gain_high", "p_holm"]  # fmt: skip
    assert table["reading"].tolist() == words
    shared = [name for name in table if name != "reading"]
    pd.testing.assert_frame_equal(table[shared], whole[shared])
    alike = readings([row | {"KD_alpha": 0.4} if row["method"] != "baseline" else row for row in rows])
    assert "KD_alpha" not in alike, "it does not vary"
    head, cells = markdown(written(table, tmp_path / "out")["md"])
    assert head == ["Dataset", "Reading", "KD_T", "KD_α", "Top-1 (%)", "Top-1, last epoch (%)", "Gain [95 % CI]",
                    "p (Holm)"]  # fmt: skip
    assert cells[1][1:5] == ["full teachers, gated", "2", "0.4", "75.00"]
