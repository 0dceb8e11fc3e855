"""A grid in a row of students: as many students as there are combinations of its values."""

import copy

import jsonschema
import pytest
from test_study import AVERAGE, BSKD, KD, A, config, refusal

from dtkd.config import read
from dtkd.config.editors import overlay_schema


def with_grid(row=A, **grid):
    return {"students__mine": {"sweep": row | {"grid": grid}}}


def students(row=A, **grid):
    return read(config(**with_grid(row, **grid))).students_of("mine")


def test_a_grid_is_as_many_plain_rows():
    """They have the same names of runs and the same settings as rows that are written out."""
    grid = students(S_alpha=[0.1, 0.5], KD_T=[2, 4])
    assert list(grid) == ["sweep-S0.1-T2", "sweep-S0.1-T4", "sweep-S0.5-T2", "sweep-S0.5-T4"]
    rows = {name: A | {"S_alpha": s, "KD_T": t} for name, (s, t) in zip(
        grid, [(0.1, 2), (0.1, 4), (0.5, 2), (0.5, 4)], strict=True)}  # fmt: skip
    given, plain = read(config(**with_grid(S_alpha=[0.1, 0.5], KD_T=[2, 4]))), read(config(students__mine=rows))
    assert given.students_of("mine") == plain.students_of("mine")
    assert given.runs() == plain.runs()
    assert len([run for run in given.runs().values() if run.student]) == 4


@pytest.mark.parametrize(("row", "grid", "names"), [
    (A, {"KD_alpha": [0.2, 1]}, ["A0.2", "A1"]),
    (A, {"LT": [True, False], "FT": [False]}, ["LT-no-FT", "no-LT-no-FT"]),
    (A, {"weighting": ["gated", "blend"]}, ["gated", "blend"]),
    (A, {"KD_T": ["2", 4.5]}, ["T2", "T4.5"]),  # numbers on the command line are words
    (A, {"split": [None, "drawn"]}, ["split-null", "drawn"]),
    (KD, {"method": ["kd", "average"], "KD_T": [3]}, ["kd-T3", "average-T3"]),
    (AVERAGE, {"teachers": ["specialists", ["U1", "U2"]]}, ["specialists", "U1+U2"]),
    (A, {"list": [1, 2]}, ["list1", "list2"]),
    ({key: value for key, value in A.items() if key != "S_alpha"}, {"S_alpha": [0.3]}, ["S0.3"]),
    (A, {"S_alpha": [0.1, 0.2], "KD_T": None}, ["S0.1", "S0.2"]),  # what an overlay takes out of the grid
    (A | {"S_alpha": 7}, {"S_alpha": [0.1]}, ["S0.1"]),  # the grid's values count
])  # fmt: skip
def test_rows_are_called_by_their_values(row, grid, names):
    others = {"baselines__mine": {"U1": {}, "U2": {"backbone": "slowfast_r50_8x8"}, "L2": {"list": 2}},
              "splits": {"drawn": {"source": "random"}}}  # fmt: skip
    found = read(config(**with_grid(row, **grid), **others)).students_of("mine")
    assert list(found) == [f"sweep-{name}" for name in names]


def test_rows_stand_in_the_grids_place_and_null_takes_them_all_away():
    rows = {"first": BSKD, "sweep": A | {"grid": {"KD_T": [2, 4]}}, "last": A}
    assert list(read(config(students__mine=rows)).students_of("mine")) == ["first", "sweep-T2", "sweep-T4", "last"]
    assert list(read(config(students__mine=rows | {"sweep": None})).students_of("mine")) == ["first", "last"]
    assert list(read(config(students__mine__sweep=A | {"grid": None})).students_of("mine")) == ["A", "sweep"]


def test_two_students_that_are_the_same_run_share_it():
    given = read(config(**with_grid(KD_T=[2, 4]), students__mine__A=A))
    assert len(given.students_of("mine")) == 3
    assert len([run for run in given.runs().values() if run.student]) == 2


def test_a_student_of_a_grid_can_be_chosen():
    given = read(config(**with_grid(KD_T=[2, 4]), analysis__chosen={"mine": "sweep-T4"}))
    assert given.chosen("mine")[1].KD_T == 4


def test_a_dump_is_the_same_study_with_its_grid():
    given = read(config(**with_grid(S_alpha=[0.1, "0.5"], LT=[True, False])))
    dump = given.model_dump(mode="json")
    assert dump["students"]["mine"]["sweep"] == A | {"grid": {"S_alpha": [0.1, "0.5"], "LT": [True, False]}}
    assert read(dump) == given
    assert given.grids_of("mine")["sweep"].labels() == {"S_alpha": ["0.1", "0.5"], "LT": ["true", "false"]}


@pytest.mark.parametrize(("changes", "message"), [
    (with_grid(S_aplha=[0.3]), ".S_aplha: unknown key; did you mean 'S_alpha'?"),
    (with_grid(grid=[1]), ".grid: unknown key"),
    (with_grid(S_alpha=[]), ".S_alpha: give it a list of values, such as [0.3, 0.5] (got [])"),
    (with_grid(S_alpha=0.3), ".S_alpha: give it a list of values, such as [0.3, 0.5] (got 0.3)"),
    (with_grid(), ": has no keys; give it some, such as KD_T: [2, 4], or leave it out"),
    ({"students__mine": {"sweep": A | {"grid": [2]}}},
     ": give it keys of the row with lists of values, such as KD_T: [2, 4] (got [2])"),
    (with_grid(S_alpha=[0.3, 1.1], KD_T=[2, 4]), ".S_alpha: input should be less than or equal to 1 (got 1.1)"),
    (with_grid(S_alpha=[0.3, 0.5, 0.3]), ".S_alpha: 0.3 is given twice; leave one out"),
    (with_grid(S_alpha=[0.3, 0.3000001]), ": two of its rows would be called …-S0.3; its values differ by too little"),
    (with_grid(BSKD, S_alpha=[0.3]), ".S_alpha: method bskd has no such setting; leave it out"),
    (with_grid(method=["dtdk", "dtkd"]), ".method: method 'dtdk' is unknown; did you mean 'dtkd'?; choose one of dtkd, "
     "bskd, mixture, kd, dkd, dist, dynamic_temperature, average, ebkd, ca_mkd, aekd, discrepancy, fitnet, rkd, sp"),
    (with_grid(list=[1, 4]), ".list: 4, but mine has 3 lists"),
    (with_grid(split=["drawn"]), ".split: 'drawn' is not one of splits; there are none"),
    (with_grid(KD, teacher=["U1", "U11"]), ".teacher: no baseline is called 'U11'; did you mean 'U1'?"),
    (with_grid(AVERAGE, teachers=[["U1", "U1"]]), ".teachers: U1 is named twice"),
    (with_grid({"method": "dkd"}, method=["dkd", "dist"]) | {"train__devices": 2},
     ".method: dist compares the samples of a batch with each other, and train.devices: 2 takes it apart; set "
     "train.devices: 1"),
    (with_grid({"method": "dkd"}, method=["dkd", "rkd"]) | {"train__batch_size": 1},
     ".method: rkd compares the samples of a batch with each other, and of train.batch_size: 1 there is none to "
     "compare with; set train.batch_size: 2 or more"),
    (with_grid({"method": "rkd", "angle": 0}, distance=[0, 1]),
     ": method rkd: distance and angle are both 0, and nothing is distilled; give one of them a weight"),
    (with_grid(KD | {"method": "aekd"}, C=[0.4, 0.6]),
     ": method aekd: 2 weights of at most C = 0.4 do not sum to 1; set C to 0.5 or more"),
    (with_grid(KD_T=[2]) | {"students__mine__sweep-T2": A},
     ": one of its students is called sweep-T2, as another row is; give one of them another name"),
    (with_grid(KD_T=[2]) | {"baselines__mine__sweep-T2": {"list": 1}},
     ": one of its students is called sweep-T2, as another row is; give one of them another name"),
])  # fmt: skip
def test_every_refusal_names_the_key_of_the_grid(changes, message):
    assert refusal(**changes) == f"config: students.mine.sweep.grid{message}"


def test_students_of_two_grids_need_names_of_their_own():
    rows = {"sweep": A | {"grid": {"S_alpha": [0.3], "KD_T": [2]}}, "sweep-S0.3": A | {"grid": {"KD_T": [2]}}}
    assert refusal(students__mine=rows) == (
        "config: students.mine.sweep-S0.3.grid: one of its students is called sweep-S0.3-T2, as another row is; give "
        "one of them another name"
    )


def test_what_the_rest_of_the_row_lacks_is_told_of_the_row():
    assert refusal(**with_grid(BSKD, method=["bskd", "dtkd"])) == (
        "config: students.mine.sweep.S_alpha: required key is missing"
    )


@pytest.mark.parametrize(("grid", "path"), [
    ({"S_alpha": [0.3], "KD_T": None}, None), (None, None), ({"LT": [True], "split": [None, "drawn"]}, None),
    ({"S_alpha": []}, "$.students.mine.sweep"), ({"S_aplha": [0.3]}, "$.students.mine.sweep"),
    ({"S_alpha": 0.3}, "$.students.mine.sweep"), ({"KD_T": [0]}, "$.students.mine.sweep"),
])  # fmt: skip
def test_editors_know_what_a_grid_may_have(grid, path):
    validator = jsonschema.Draft202012Validator(overlay_schema())
    row = copy.deepcopy(A) | {"grid": grid}
    found = [error.json_path for error in validator.iter_errors({"students": {"mine": {"sweep": row}}})]
    assert [each.removesuffix(".grid") for each in found] == ([path] if path else [])
