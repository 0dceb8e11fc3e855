"""Teachers beside the baseline on their own videos."""

import csv
import re

import numpy as np
import pytest
from scipy import stats
from table_rows import INDEX, SPLIT, rows_of_specialists, save, written

from dtkd.analysis.tables.teachers import teachers
from dtkd.common.errors import DtkdError


@pytest.fixture
def specialists(tmp_path):
    return rows_of_specialists(tmp_path)


def test_teachers_and_the_baseline_on_the_teachers_own_videos(specialists, tmp_path):
    table = teachers(specialists, {"mine": SPLIT}, {"mine": INDEX})
    assert list(table.columns) == ["dataset", "list", "subset", "LT", "videos", "baseline_top1", "teacher_top1", "gain",
                                   "gain_low", "gain_high", "p"]  # fmt: skip
    assert table["videos"].tolist() == [4, 4, 4]
    assert table["baseline_top1"].tolist() == [25, 25, 75]
    assert table["teacher_top1"].tolist() == [75, 50, 75]
    assert table["gain"].tolist() == [50, 25, 0]
    assert table["p"].tolist() == [stats.binomtest(0, 2).pvalue, 1, 1]  # LT: two won; not LT: one won; one each way
    assert (table["gain_low"] <= table["gain"]).all()
    assert (table["gain"] <= table["gain_high"]).all()
    rows = list(csv.DictReader(written(table, tmp_path / "out")["csv"].splitlines()))
    assert rows[0] == {
        "dataset": "mine", "list": "1", "subset": "static", "LT": "True", "videos": "4", "baseline_top1": "25.00",
        "teacher_top1": "75.00", "gain": "+50.00", "gain_low": "+0.00", "gain_high": "+100.00", "p": "0.5",
    }  # fmt: skip


def test_teachers_of_several_seeds_meet_as_many_baselines(specialists):
    row = specialists[0]
    twice = row | {"predictions": row["predictions"] + specialists[1]["predictions"], "baseline": row["baseline"] * 2}
    (found,) = teachers([twice], {"mine": SPLIT}, {"mine": INDEX}).to_dict("records")
    assert (found["seeds"], found["teacher_top1"], found["baseline_top1"]) == (2, 62.5, 25)
    assert (found["teacher_top1_std"], found["baseline_top1_std"]) == (pytest.approx(12.5 * 2**0.5), 0)
    assert found["gain"] == 37.5
    with pytest.raises(DtkdError, match=r"2 seeds, but its baseline .* has 1"):
        teachers([twice | {"baseline": row["baseline"]}], {"mine": SPLIT}, {"mine": INDEX})


def test_a_teacher_of_other_videos_than_the_baseline_is_refused(specialists, tmp_path):
    file = save(tmp_path / "other.parquet", [1, 3], np.eye(4)[[1, 3]])
    with pytest.raises(DtkdError, match=f"^{re.escape(file)}: its 2 test videos are not the 4 of "):
        teachers([specialists[0] | {"predictions": [file]}], {"mine": SPLIT}, {"mine": INDEX})
