"""Table 3: the baselines, the paper's numbers only beside their own rows."""

import re

import numpy as np
import pytest
from table_rows import NAN, rows_of_baselines

from dtkd.analysis.tables.table3 import table3
from dtkd.common.errors import DtkdError
from dtkd.data import published


@pytest.fixture
def baselines(tmp_path):
    return rows_of_baselines(tmp_path)


def test_table3_sizes_accuracies_and_the_papers(baselines):
    table = table3(baselines)
    assert list(table.columns) == [
        "dataset", "model", "list", "backbone", "clip", "frozen", "params_published", "params", "trainable", "gflops",
        "seeds", "top1", "top1_std", "top5", "top5_std", "top1_last", "top1_last_std", "top5_last", "top5_last_std",
        "paper_top1", "paper_top5", "diff_top1", "diff_top5",
    ]  # fmt: skip
    assert table.loc[0, ["params_published", "params", "trainable", "gflops"]].tolist() == pytest.approx(
        [53.774808, 53.085613, 0.232805, 83.47]
    )
    assert table["seeds"].tolist() == [2, 2, 2, 1]
    assert table["top1"].tolist() == [62.5, 25, 87.5, 0]
    np.testing.assert_allclose(table["top1_std"], [12.5 * 2**0.5, 0, 12.5 * 2**0.5, NAN])
    assert table["top5"].tolist() == [87.5, 100, 87.5, 50]
    assert table["top1_last"].tolist() == [25] * 4
    assert table["paper_top1"].tolist() == [95.14, 95.63, 96.50, 93.23]
    assert table["diff_top5"].tolist() == pytest.approx([87.5 - 99.68, 100 - 99.63, 87.5 - 99.84, 50 - 99.76])


def test_every_published_baseline_finds_itself(baselines):
    printed = published.table(3).to_dict("records")
    table = table3([baselines[0] | row for row in printed])
    assert table["paper_top1"].tolist() == [row["top1"] for row in printed]
    assert table["paper_top5"].tolist() == [row["top5"] for row in printed]


@pytest.mark.parametrize("change", [{"list": 2}, {"backbone": "slowfast_small"}, {"frozen": True}, {"model": "mine"},
                                    {"dataset": "demo_ucf"}, {"as_published": False}])  # fmt: skip
def test_a_changed_baseline_has_no_counterpart(baselines, change):
    assert table3([baselines[0] | change])["paper_top1"].isna().all()


def test_table3_of_one_seed_has_no_deviations(baselines):
    table = table3(baselines[3:])
    assert not [name for name in table if name.endswith("_std") or name == "seeds"]


@pytest.mark.parametrize("content", ["{}", "not json", None])
def test_table3_names_the_record_that_is_missing_or_says_nothing(baselines, tmp_path, content):
    record = tmp_path / "other" / "run.json"
    if content is not None:
        record.parent.mkdir()
        record.write_text(content)
    with pytest.raises(DtkdError, match=re.escape(str(record))):
        table3([baselines[0] | {"record": str(record)}])
