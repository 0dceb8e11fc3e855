"""Baselines over the lists."""

import numpy as np
import pytest
from table_rows import rows_of_baselines, written

from dtkd.analysis.tables.crossvalidation import crossvalidation


@pytest.fixture
def baselines(tmp_path):
    return rows_of_baselines(tmp_path)


def test_crossvalidation_over_lists_of_means_over_seeds(baselines):
    second = baselines[2] | {"model": "again", "predictions": baselines[3]["predictions"]}  # a list's first one counts
    (row,) = crossvalidation([baselines[2], second, *baselines[:2], baselines[3]]).to_dict("records")
    assert (row["models"], row["lists"], row["frozen"]) == ("U1, U2, U3", "1, 2, 3", False)
    assert (row["top1"], row["top5"]) == pytest.approx((np.mean([62.5, 25, 87.5]), np.mean([87.5, 100, 87.5])))
    assert row["top1_std"] == pytest.approx(np.std([62.5, 25, 87.5], ddof=1))
    assert row["paper_top1"] == pytest.approx(95.7566667)
    assert row["paper_top1_std"] == pytest.approx(0.688791)  # by hand
    assert row["diff_top1"] == pytest.approx(np.mean([62.5, 25, 87.5]) - 95.7566667)


def test_crossvalidation_has_the_papers_only_if_it_has_them_all(baselines):
    changed = [*baselines[:2], baselines[2] | {"model": "mine"}]
    assert np.isnan(crossvalidation(changed)["paper_top1"]).all()
    assert crossvalidation(baselines[:2])["paper_top1"].tolist() == pytest.approx([(95.14 + 95.63) / 2])


def test_crossvalidation_needs_two_lists_of_one_kind_of_baseline(baselines, tmp_path):
    other_clip = baselines[1] | {"clip": "32x2"}
    table = crossvalidation([baselines[0], other_clip, baselines[3]])
    assert table.empty
    longer = baselines[1] | {"variant": "epochs 60"}
    assert crossvalidation([baselines[0], longer]).empty, "a control is another kind"
    texts = written(table, tmp_path / "out")
    assert texts["csv"].startswith("dataset,models,lists,backbone,clip,frozen,top1,top1_std,top5,top5_std,paper_top1,")
    assert "| Models" in texts["md"]
    assert texts["tex"].count(r"\\") == 1  # the head alone
