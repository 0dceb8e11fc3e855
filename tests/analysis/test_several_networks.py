"""Studies of several networks: rows beside the baseline of their own, sizes, and accuracy against cost."""

import json

import numpy as np
import pandas as pd
import pytest
from figure_data import legend, words
from table_rows import NETWORK, markdown, ranked, written
from test_shown_runs import shipped

from dtkd.analysis import shown_runs
from dtkd.analysis.figures.accuracy_cost import Point, accuracy_cost, read
from dtkd.analysis.figures.sensitivity import sensitivity
from dtkd.analysis.tables.table5 import table5

NETWORKS = ["slowfast_small", "slowfast_tiny", "slowfast_tiny-4x6-32px", "x3d_s-4x5-32px-weights_none"]


@pytest.fixture(scope="module")
def demo():
    return shipped("compress_demo.yaml")


def test_table_5_has_each_networks_baseline_before_its_students(demo):
    rows = shown_runs.table5(demo)
    assert [row["model"] for row in rows] == [
        "U1", "dtkd", "kd", "tiny", "tiny-dtkd", "tiny-kd", "tiny-32px", "tiny-32px-dtkd", "tiny-32px-kd",
        "x3d", "x3d-dtkd", "x3d-kd",
    ]  # fmt: skip
    assert list(dict.fromkeys(row["network"] for row in rows)) == NETWORKS
    assert (rows[6]["backbone"], rows[6]["clip"]) == ("slowfast_tiny", "4x6-32px")
    assert all(row["record"].endswith("/run.json") for row in rows)
    assert not any("record" in row for row in shown_runs.table5(shipped())), "of one network there is nothing to say"


def test_every_student_is_held_against_its_own_network(demo):
    found = {row["models"]: row for row in shown_runs.methods(demo)}
    baseline = found["x3d"]["of_lists"][0]["predictions"]
    assert found["x3d-kd"]["of_lists"][0]["baseline"] == baseline
    assert (found["x3d-kd"]["backbone"], found["x3d-kd"]["clip"]) == ("x3d_s", "4x5-32px")
    pair = shown_runs.against_baseline(demo)["demo_ucf"]
    assert (pair["baseline"][0], pair["student"][0]) == ("tiny", "tiny-dtkd")
    assert list(shown_runs.each_method(demo)["demo_ucf"]) == ["tiny (baseline)", "tiny-dtkd (DTKD)", "tiny-kd (KD)"]
    assert list(shown_runs.rivals(demo)["demo_ucf"]) == ["tiny-dtkd (DTKD)", "tiny (baseline)"]


def test_costs_have_a_point_for_each_network(demo):
    shown = shown_runs.costs(demo)["demo_ucf"]
    assert {method: list(rows) for method, rows in shown.items()} == {
        "baseline": ["U1", "tiny", "tiny-32px", "x3d"],
        "DTKD": ["dtkd", "tiny-dtkd", "tiny-32px-dtkd", "x3d-dtkd"],
        "KD": ["kd", "tiny-kd", "tiny-32px-kd", "x3d-kd"],
    }
    assert shown_runs.costs(shipped()) == {}, "students of one network"


def test_a_study_needs_no_baseline_of_the_teachers_network():
    """Teachers are then held against the first student's."""
    rows = {"tiny": {"backbone": "slowfast_tiny"}, "U1": None}
    student = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "backbone": "slowfast_tiny"}
    given = shipped(use=["demo_ucf"], baselines={"demo_ucf": rows}, students={"demo_ucf": {
        **{f"SU{n}": None for n in range(1, 14)}, "S": student}}, analysis={"chosen": {"demo_ucf": "S"}})  # fmt: skip
    assert {row["baseline"][0] for row in shown_runs.teachers(given)} == {
        "results/demo_ucf/list1/baseline/slowfast_tiny-seed0/predictions.parquet"
    }
    assert [row["model"] for row in shown_runs.table5(given)] == ["tiny", "S"]


@pytest.fixture
def rows(tmp_path):
    """Two networks; the smaller one's student gains 50 points over its own baseline, and none over the other."""
    ranks = {"U1": [0, 0, 0, 1], "S": [0, 0, 0, 0], "small": [0, 1, 1, 1], "small-S": [0, 0, 0, 1]}
    sizes = {"big": NETWORK, "small": NETWORK | {"parameters": 3_000_000, "multiply_adds": 2_000_000_000}}
    for name, size in sizes.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"network": size}))
    return [
        {"dataset": "mine", "list": 1, "model": model, "method": method, "as_published": False, "variant": None,
         "network": network, "backbone": network, "clip": "8x2", "record": str(tmp_path / f"{network}.json"),
         "predictions": [ranked(tmp_path / f"{model}.parquet", ranks[model])]}
        for model, method, network in [("U1", "baseline", "big"), ("S", "dtkd", "big"), ("small", "baseline", "small"),
                                       ("small-S", "dtkd", "small")]
    ]  # fmt: skip


def test_gains_are_over_the_baseline_of_the_same_network(rows, tmp_path):
    table = table5(rows)
    np.testing.assert_allclose(table["gain"], [np.nan, 25, np.nan, 50])
    assert table["p_holm"].iloc[3] == min(1, 2 * min(table["p"].iloc[[1, 3]])), "the students of a list are one family"
    np.testing.assert_allclose(table["gflops"], [83.47, 83.47, 2, 2])
    head, first, *_ = (
        markdown(written(table, tmp_path / "out")["md"])[0],
        *markdown(written(table, tmp_path / "o")["md"])[1],
    )
    assert head[:6] == ["Dataset", "Model", "Backbone", "Clip", "Parameters (M)", "GFLOPs"]
    assert first[2:6] == ["big", "8x2", "53.09", "83.47"]


def test_points_are_read_with_their_costs(rows, tmp_path):
    shown = {"mine": {"baseline": {row["model"]: row for row in rows if row["method"] == "baseline"}}}
    (curves,) = read(None, type("Params", (), {"shown": shown}))
    assert curves == {"mine": {"baseline": [Point("big", pytest.approx(83.47), [75]), Point("small", 2, [25])]}}


def test_a_curve_goes_over_the_networks_by_their_cost():
    curves = {"d": {"baseline": [Point("big", 8.0, [80.0, 82.0]), Point("small", 1.0, [60.0, 62.0])],
                    "DTKD": [Point("big", 8.0, [83.0, 83.0]), Point("small", 1.05, [70.0, 70.0])]}}  # fmt: skip
    (axis,) = accuracy_cost(curves).axes
    lines = [line for line in axis.lines if len(line.get_xdata()) == 2 and line.get_linestyle() != "None"]
    assert [line.get_ydata().tolist() for line in lines] == [[61, 81], [70, 83]]
    assert axis.get_xscale() == "log"
    assert {"small (1)", "small (1.05)", "big (8)"} <= set(words(axis))
    assert legend(axis) == ["baseline", "DTKD"]


def test_sensitivity_is_of_one_network():
    row = {"dataset": "d", "method": "dtkd", "LT": True, "FT": True, "KD_T": 2, "KD_alpha": 0.4, "variant": None}
    table = pd.DataFrame([
        {"dataset": "d", "model": "U1", "method": "baseline", "top1": 80.0, "backbone": "big", "clip": "8x2"},
        *({**row, "model": f"{name}{alpha}", "S_alpha": alpha, "top1": top1, "backbone": name, "clip": "8x2"}
          for name, alpha, top1 in (("big", 0.3, 82.0), ("big", 0.5, 83.0), ("small", 0.3, 60.0),
                                    ("small", 0.7, 61.0))),
    ])  # fmt: skip
    axis = sensitivity(table).axes[0]
    assert sorted(value for line in axis.lines for value in line.get_ydata() if value != 80) == [82, 83]
