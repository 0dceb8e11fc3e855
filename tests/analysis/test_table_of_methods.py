"""The table of methods, by hand."""

import numpy as np
import pandas as pd
import pytest
from table_rows import SPLIT, markdown, save, written

from dtkd.analysis import calibration
from dtkd.analysis.tables.methods import methods
from dtkd.common.errors import DtkdError
from dtkd.training.metrics import Predictions

VIDEOS = [f"{name}/{n}.avi" for n, name in enumerate(["walk", "walk", "Typing", "jump", "archery", "archery"])]
LABELS = [0, 0, 1, 2, 3, 3]  # walk and jump are dynamic


def index(groups=None):
    names = {"walk": 0, "Typing": 1, "jump": 2, "archery": 3}
    classes = [path.partition("/")[0] for path in VIDEOS]
    table = pd.DataFrame({"path": VIDEOS, "class": classes, "label": [names[name] for name in classes]})
    return table if groups is None else table.assign(group=groups)


def answers(file, right, rows=range(6), sharp=2.0):
    """Predictions of some of the videos, right or not."""
    labels = [LABELS[row] for row in rows]
    given = [label if good else (label + 1) % 4 for label, good in zip(labels, right, strict=True)]
    return save(file, labels, np.eye(4)[given] * sharp, videos=[VIDEOS[row] for row in rows])


def trained(file, seconds):
    pd.DataFrame({"train_seconds": seconds}).to_parquet(file)
    return str(file)


@pytest.fixture
def rows(tmp_path):
    """A baseline and a student, two seeds on one list: the student wins both walks, with one seed alone the second."""
    base = [answers(tmp_path / f"b{seed}.parquet", [0, 0, 1, 1, 1, 0]) for seed in range(2)]
    own = [answers(tmp_path / "s0.parquet", [1, 1, 1, 1, 1, 0]), answers(tmp_path / "s1.parquet", [1, 0, 1, 1, 1, 0])]
    hours = [trained(tmp_path / f"h{n}.parquet", [1800, 1800 * (n + 1)]) for n in range(4)]
    shared = {"dataset": "mine", "variant": None, "lists": "1"}
    return [
        {**shared, "models": "B", "method": "baseline", "compared": False, "searched": False,
         "teacher_passes": 0, "teacher_trainings": 0,
         "of_lists": [{"predictions": base, "baseline": None, "history": hours[:2], "teachers": []}]},
        {**shared, "models": "S", "method": "dtkd", "compared": True, "searched": False,
         "teacher_passes": 2, "teacher_trainings": 2,
         "of_lists": [
             {"predictions": own, "baseline": base, "history": hours[2:], "teachers": [*hours[:2], hours[0]]},
         ]},
    ]  # fmt: skip


def test_means_calibration_gain_and_cost(rows):
    baseline, student = methods(rows, {"mine": SPLIT}, {"mine": index()}).to_dict("records")
    assert (baseline["top1"], baseline["top1_dynamic_classes"], baseline["top1_static_classes"]) == pytest.approx(
        (50, 100 / 3, 200 / 3)
    )
    assert student["top1"] == pytest.approx(100 * (5 + 4) / 12)
    assert student["top1_std"] == pytest.approx(100 / 6 / np.sqrt(2))
    assert student["top5"] == 100
    for name, measure in [("nll", calibration.nll), ("ece", calibration.ece), ("brier", calibration.brier)]:
        runs = [Predictions.read(file) for file in rows[1]["of_lists"][0]["predictions"]]
        assert student[name] == pytest.approx(np.mean([measure(run.logits, run.labels) for run in runs])), name
    assert (student["seeds"], student["videos"], student["recordings"]) == (2, 6, 6)
    assert student["gain"] == pytest.approx(100 * 3 / 12)
    assert student["p"] == 2 / 4, "two videos differ, by 2 and by 1"
    assert np.isnan([baseline["gain"], baseline["p"], baseline["p_holm"]]).all()
    assert student["p_holm"] == student["p"], "the only one that is tested"
    assert (student["hours"], student["teacher_hours"]) == pytest.approx(((2 + 2.5) / 2, (1 + 1.5) / 2)), "once each"
    assert (baseline["hours"], np.isnan(baseline["teacher_hours"])) == (pytest.approx(1.25), True)


def test_videos_of_one_recording_are_one_case(rows):
    groups = ["r1", "r1", "r2", "r3", "r4", "r4"]
    table = methods(rows, {"mine": SPLIT}, {"mine": index(groups)})
    student = table.to_dict("records")[1]
    assert (student["recordings"], student["p"]) == (4, 1), "one recording alone differs"
    assert student["gain_low"] == 0 < student["gain"] < student["gain_high"]
    assert table.attrs["notes"][0] == "mine: 6 videos of 4 recordings, by its groups."
    alone = methods(rows, {"mine": SPLIT}, {"mine": index()})
    assert "each counts as its own" in alone.attrs["notes"][0]


def test_lists_weigh_alike_and_a_video_counts_once(rows, tmp_path):
    """List 1: +3/12 of six videos, by two seeds; list 2: of videos 0 and 2, the student wins the first by one seed."""
    second = {
        "predictions": [answers(tmp_path / f"s2{n}.parquet", [n, 1], [0, 2]) for n in range(2)],
        "baseline": [answers(tmp_path / f"b2{n}.parquet", [0, 1], [0, 2]) for n in range(2)],
        "history": rows[1]["of_lists"][0]["history"], "teachers": [],
    }  # fmt: skip
    row = rows[1] | {"lists": "1, 2", "of_lists": [rows[1]["of_lists"][0], second]}
    [found] = methods([row], {"mine": SPLIT}, {"mine": index()}).to_dict("records")
    assert found["gain"] == pytest.approx(100 * (3 / 12 + 1 / 4) / 2)
    assert found["p"] == 2 / 4, "video 0 by 3, video 1 by 1"
    assert found["videos"] == 6
    assert found["top1"] == pytest.approx(100 * np.mean([5 / 6, 4 / 6, 1 / 2, 1]))


def test_holm_counts_the_rows_of_a_data_set(rows):
    other = [row | {"dataset": "other"} for row in rows]
    table = methods([*rows, rows[1], *other], {"mine": SPLIT, "other": SPLIT}, {"mine": index(), "other": index()})
    assert table["p_holm"].dropna().tolist() == [1, 1, 0.5]


def test_groups_of_any_name_have_a_column_each(rows, tmp_path):
    names = {"dynamic": "low", "static": "a_b$"}
    classes = {name: entry | {"subset": names[entry["subset"]]} for name, entry in SPLIT["classes"].items()}
    split = SPLIT | {"classes": classes, "groups": ["a_b$", "low"]}
    found = written(methods(rows, {"mine": split}, {"mine": index()}), tmp_path)
    head, cells = markdown(found["md"])
    assert [name for name in head if name.startswith("Top-1,")] == ["Top-1, a_b$ (%)", "Top-1, low (%)"]
    assert cells[1][head.index("Top-1, low (%)")] == "83.33"
    assert r"Top-1, a\_b\$ (\%)" in found["tex"]


def test_predictions_of_other_videos_are_refused(rows):
    with pytest.raises(DtkdError, match=r"b0.parquet: walk/1.avi is not in .*videos.parquet"):
        methods(rows, {"mine": SPLIT}, {"mine": index().drop(index=1)})
