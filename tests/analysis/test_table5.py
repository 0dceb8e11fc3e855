"""Table 5: students' gains, whether they may be chance, the paper's only beside their own rows."""

import csv
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from table_rows import NAN, SU4, logits_of, ranked, rows_of_students, save, written

from dtkd.analysis import significance
from dtkd.analysis.tables import writing
from dtkd.analysis.tables.rows import HYPERPARAMETERS
from dtkd.analysis.tables.table5 import table5
from dtkd.common.errors import DtkdError
from dtkd.data import published


@pytest.fixture
def study(tmp_path):
    return rows_of_students(tmp_path)


def test_rows_gains_and_the_papers_numbers(study):
    table = table5(study)
    assert list(table.columns) == ["dataset", "model", *HYPERPARAMETERS, "variant",
                                   "top1", "top5", "top1_last", "top5_last", "gain", "gain_low", "gain_high", "p",
                                   "p_holm", "paper_top1", "paper_top5", "diff_top1", "diff_top5",
                                   "test_videos", "chance", "smallest_gain"]  # fmt: skip
    np.testing.assert_allclose(table["top1"], [50, 75, 25, 75, 25])
    np.testing.assert_allclose(table["top5"], [75, 87.5, 37.5, 75, 75])
    np.testing.assert_allclose(table["top1_last"], [50, 0, 75, 100, 0])
    np.testing.assert_allclose(table["top5_last"], [50, 0, 87.5, 100, 100])
    np.testing.assert_allclose(table["gain"], [NAN, 25, -25, NAN, -50])  # each dataset's own baseline
    np.testing.assert_allclose(table["paper_top1"], [95.14, 96.06, 91.70, 77.10, 78.87])
    np.testing.assert_allclose(table["paper_top5"], [99.68, 99.74, 99.15, 95.28, 95.41])
    np.testing.assert_allclose(table["diff_top1"], table["top1"] - table["paper_top1"])
    np.testing.assert_allclose(table["diff_top5"], table["top5"] - table["paper_top5"])


def test_p_is_mcnemars_of_one_seed_and_holm_counts_the_students_of_one_baseline(study):
    table = table5(study)
    # SU4: three videos won, one lost; SU13: none won, two lost; SH1: none won, two lost
    expected = [stats.binomtest(won, n).pvalue for won, n in ((3, 4), (0, 2), (0, 2))]
    np.testing.assert_allclose(table["p"], [NAN, *expected[:2], NAN, expected[2]])
    np.testing.assert_allclose(table["p_holm"], [NAN, 1, 1, NAN, 0.5])


def test_what_a_lists_test_videos_can_show_stands_below(study, tmp_path):
    """SU4 differs from U1 on half of the eight videos and SU13 on a quarter; four videos cannot show anything."""
    table = table5(study)
    least = 100 * significance.smallest_gain_seen(8, (4 / 8 + 2 / 8) / 2)
    np.testing.assert_allclose(table["smallest_gain"], [least] * 3 + [NAN] * 2)
    assert table["test_videos"].tolist() == [8] * 3 + [4] * 2
    texts = written(table, tmp_path / "out")
    said = [f"ucf101: 8 test videos of 8 classes, chance 12.50 %; smallest gain that they show with 80 % power "
            f"(p < 0.05 of one student, chosen beforehand; of one seed): {least:.1f} points.",
            "hmdb51: 4 test videos of 8 classes, chance 12.50 %; no gain is large enough for them to show with 80 % "
            "power (p < 0.05 of one student, chosen beforehand; of one seed)."]  # fmt: skip
    assert texts["md"].endswith("".join(f"\n{writing.escaped_markdown(line)}\n" for line in said))
    assert all(writing.escaped_tex(line) in texts["tex"] for line in said)
    assert "Test videos" not in texts["md"]
    alone = table5(study[:1]).attrs["notes"]
    assert alone == ["ucf101: 8 test videos of 8 classes, chance 12.50 %."]


def test_what_rounds_to_zero_is_no_minus_zero(study, tmp_path):
    table = table5(study[:2])
    table.loc[1, ["gain", "gain_low", "diff_top1"]] = [-0.004, -1e-9, -0.001]
    row = list(csv.DictReader(written(table, tmp_path / "out")["csv"].splitlines()))[1]
    assert [row[name] for name in ("gain", "gain_low", "diff_top1")] == ["+0.00"] * 3


def test_three_seeds_average_and_pool_by_video(tmp_path):
    random, files = np.random.default_rng(0), {}
    right = {"U1": random.random((3, 120)) < 0.5, "SU4": random.random((3, 120)) < 0.62}
    for name, seeds in right.items():
        files[name] = [ranked(tmp_path / name / f"{n}.parquet", np.where(each, 0, 3)) for n, each in enumerate(seeds)]
    shared = {"dataset": "ucf101", "list": 1, "as_published": True}
    table = table5([
        {**shared, "model": "U1", "method": "baseline", "predictions": files["U1"]},
        {**shared, **SU4, "model": "SU4", "predictions": files["SU4"]},
    ])  # fmt: skip
    baseline, student = table.to_dict("records")
    for row, seeds in ((baseline, right["U1"]), (student, right["SU4"])):
        assert row["seeds"] == 3
        assert row["top1"] == pytest.approx(100 * seeds.mean())
        assert row["top1_std"] == pytest.approx(np.std(100 * seeds.mean(axis=1), ddof=1))
        assert (row["top5"], row["top5_std"]) == (100, 0)
    difference = right["SU4"].mean(axis=0) - right["U1"].mean(axis=0)
    assert student["gain"] == pytest.approx(student["top1"] - baseline["top1"])
    draws = 100 * random.choice(difference, (4000, 120)).mean(axis=1)
    assert (student["gain_low"], student["gain_high"]) == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.8)
    drawn_p = stats.permutation_test((difference,), np.mean, permutation_type="samples", n_resamples=9999, rng=random)
    assert student["p"] == pytest.approx(drawn_p.pvalue, abs=0.01)
    assert student["p_holm"] == student["p"]  # the only student


def test_a_student_that_is_its_baseline_gains_nothing(study):
    (_, twin) = table5([study[0], study[1] | {"predictions": study[0]["predictions"]}]).to_dict("records")
    assert [twin[name] for name in ("gain", "gain_low", "gain_high", "p", "p_holm")] == [0, 0, 0, 1, 1]


def test_without_a_baseline_of_its_list_a_student_has_no_gain(study):
    table = table5([study[0], study[1] | {"list": 2}])
    assert table[["gain", "gain_low", "gain_high", "p", "p_holm"]].isna().to_numpy().all()


@pytest.mark.parametrize(
    "change",
    [{"S_alpha": 0.31}, {"KD_T": 3}, {"KD_alpha": 0.5}, {"LT": False}, {"FT": False}, {"model": "mine"},
     {"as_published": False}, {"method": "bskd", "S_alpha": None}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_changed_row_has_no_counterpart_in_the_paper(study, change):
    table = table5([study[0], study[1] | change])
    for name in ("paper_top1", "paper_top5", "diff_top1", "diff_top5"):
        assert table[name].isna().tolist() == [False, True]


def test_every_published_row_finds_itself(study):
    shared = {"predictions": study[0]["predictions"], "list": 1, "as_published": True}
    baselines = published.table(3)[["dataset", "model"]].to_dict("records")
    rows = [row | shared | {"method": "baseline"} for row in baselines]
    rows += [row | shared for row in published.table(5).to_dict("records")]
    table = table5(rows)
    expected = pd.concat([published.table(3), published.table(5)])
    np.testing.assert_array_equal(table["paper_top1"], expected["top1"])
    np.testing.assert_array_equal(table["paper_top5"], expected["top5"])


def test_other_videos_than_the_baselines_are_refused_by_name(study, tmp_path):
    base = study[0]["predictions"][0]
    short = ranked(tmp_path / "short.parquet", [0] * 7)
    other = save(tmp_path / "other.parquet", [0] * 8, logits_of([0] * 8), videos=[f"b/{n}.avi" for n in range(8)])
    relabelled = save(tmp_path / "relabelled.parquet", [1] + [0] * 7, logits_of([0] * 8))
    for file in (short, other, relabelled):
        with pytest.raises(DtkdError, match=f"^{re.escape(file)}: .* of {re.escape(base)}"):
            table5([study[0], study[1] | {"predictions": [file]}])
    twice = study[1]["predictions"] * 2
    with pytest.raises(DtkdError, match=f"{re.escape(twice[0])}: 2 seeds, but its baseline {re.escape(base)} has 1"):
        table5([study[0], study[1] | {"predictions": twice}])


def test_missing_and_broken_predictions_are_named_in_one_line(study, tmp_path):
    faults = ("missing", "garbage", "columns", "empty", "ragged", "label")
    broken = {fault: tmp_path / f"{fault}.parquet" for fault in faults}
    broken["garbage"].write_text("not parquet")
    frame = pd.read_parquet(study[0]["predictions"][0])
    frame.drop(columns="logits_last").to_parquet(broken["columns"])
    frame[:0].to_parquet(broken["empty"])
    frame.assign(logits=[[0.0] * (n + 1) for n in range(8)]).to_parquet(broken["ragged"])
    frame.assign(label=8).to_parquet(broken["label"])
    for path in broken.values():
        with pytest.raises(DtkdError) as caught:
            table5([study[0] | {"predictions": [str(path)]}])
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def test_a_control_is_compared_as_students_are(study):
    """It has the numbers of SU4, without its teachers."""
    control = study[1] | dict.fromkeys(SU4) | {"model": "longer", "method": "control", "as_published": False}
    table = table5([study[0], control, *study[1:]]).set_index("model")
    for column in ("top1", "gain", "gain_low", "gain_high", "p"):
        assert table.loc["longer", column] == table.loc["SU4", column]
    assert table.loc["longer", "p_holm"] == pytest.approx(min(1, 3 * table.loc["longer", "p"]))
    assert np.isnan(table.loc["longer", "paper_top1"])
