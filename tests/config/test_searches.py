"""A search in a row of students: one student, its candidates, and the rungs at which they are compared."""

import jsonschema
import pytest
from test_study import AVERAGE, KD, A, config, refusal

from dtkd.config import OfSpecialists, Searched, read
from dtkd.config.editors import overlay_schema

GRID = {"S_alpha": [0.1, 0.3, 0.5], "KD_T": [2, 4]}


def with_search(row=A, grid=GRID, others=(), **search):
    own = {"grid": grid, "rungs": [1, 2]} | search
    return {"students__mine": {"tuned": row | {"search": own}} | dict(others), "train__selection": "validation",
            "train__epochs": 5}  # fmt: skip


def study(*args, **changes):
    given = {key: changes.pop(key) for key in ("seeds", "baselines__mine", "splits", "train__epochs")
             if key in changes}  # fmt: skip
    return read(config(**(with_search(*args, **changes) | given)))


def test_a_search_is_one_student_with_a_run_of_its_own():
    given = study(seeds=[3, 0])
    (row,) = given.students_of("mine").values()
    assert isinstance(row, Searched)
    assert isinstance(row, OfSpecialists), "all candidates have these teachers"
    assert given.compared("mine") == {1: 1}, "candidates ask no test video"
    folders = [run.folder for run in given.runs().values() if run.student]
    assert folders == ["mine/list1/student/search-tuned-seed3", "mine/list1/student/search-tuned-seed0"]
    (search,) = given.searches().values()
    assert search.folder == "mine/list1/search/tuned-seed3"
    assert list(search.candidates) == ["S0.1-T2", "S0.1-T4", "S0.3-T2", "S0.3-T4", "S0.5-T2", "S0.5-T4"]
    for run in given.runs().values():
        assert (given.search_of(run) == search) == bool(run.student)


def test_candidates_have_the_settings_of_rows_that_are_written_out():
    """So that a winner's training is the ordinary one."""
    (search,) = study().searches().values()
    plain = study(others={"B": A | {"S_alpha": 0.5, "KD_T": 4}})
    (written,) = [run for run in plain.runs().values() if run.student and not run.search]
    candidate = search.candidates["S0.5-T4"]
    assert plain.settings(candidate) == plain.settings(written)
    assert plain.teacher_sets(candidate) == plain.teacher_sets(written)


def test_rungs_have_so_many_places():
    (search,) = study().searches().values()
    assert (search.epochs, search.numbers) == ((1, 2, 5), (6, 2, 1))
    assert search.tried(1)[-1] == "mine/list1/search/tuned-seed0/epoch1/candidate-S0.5-T4.json"
    assert search.tried(2) == [f"mine/list1/search/tuned-seed0/epoch2/place-{n}.json" for n in (1, 2)]
    assert search.tried(5) == ["mine/list1/search/tuned-seed0/epoch5/place-1.json"]
    assert [search.after(epochs) for epochs in search.epochs] == [2, 1, 1]
    assert [search.before(epochs) for epochs in search.epochs] == [0, 1, 2]


@pytest.mark.parametrize(("count", "eta", "numbers"), [
    (27, 3, (27, 9, 3)), (10, 3, (10, 3, 1)), (2, 3, (2, 1, 1)), (8, 2, (8, 4, 2)),
])  # fmt: skip
def test_one_of_eta_goes_on(count, eta, numbers):
    values = [1 + n for n in range(count)]
    (search,) = study(A, {"KD_T": values}, eta=eta).searches().values()
    assert search.numbers == numbers


def test_settings_change_with_the_search():
    def settings(**changes):
        given = study(**changes)
        return given.settings(next(run for run in given.runs().values() if run.search and run.seed == 0))

    usual = settings()
    assert usual["search"]["candidates"]["S0.1-T2"]["student"]["S_alpha"] == 0.1
    others = [{"rungs": [2]}, {"eta": 2}, {"grid": GRID | {"KD_T": [2]}}, {"row": A | {"KD_alpha": 0.5}},
              {"seeds": [1, 0]}]  # fmt: skip
    found = [usual, *(settings(**each) for each in others)]
    assert all(one != two for n, one in enumerate(found) for two in found[:n])
    # what the row says of a searched key does not count
    assert settings(row=A | {"S_alpha": 0.7}) == usual


def test_teachers_of_all_candidates_are_trained():
    given = study(A, {"LT": [True, False], "FT": [True, False]})
    (row,) = given.students_of("mine").values()
    assert type(row) is Searched, "who teaches it is not known"
    assert given.chosen("mine") is None
    teachers = [run.name for run in given.runs().values() if run.role == "teacher"]
    assert sorted(teachers) == ["dynamic-LT-seed0", "dynamic-seed0", "static-LT-seed0", "static-seed0"]
    assert len(given.all_teacher_sets()) == 4


def test_any_key_of_a_row_can_be_searched():
    others = {"U1": {}, "U2": {"backbone": "slowfast_r50_8x8"}}
    for row, grid, names in [
        (A, {"weighting": ["gated", "blend"]}, ["gated", "blend"]),
        (KD, {"method": ["kd", "average"]}, ["kd", "average"]),
        (KD, {"teacher": [None, "U2"]}, ["teacher-null", "U2"]),
        (AVERAGE, {"teachers": ["specialists", ["U1", "U2"]]}, ["specialists", "U1+U2"]),
        (A, {"split": [None, "drawn"]}, ["split-null", "drawn"]),
    ]:
        given = study(row, grid, baselines__mine=others, splits={"drawn": {"source": "random"}})
        (search,) = given.searches().values()
        assert list(search.candidates) == names
        assert given.splits_of("mine") == ([None, "drawn"] if "split" in grid else [None])


def test_a_grid_of_searches_is_a_search_of_each_list():
    row = A | {"grid": {"list": [1, 2]}}
    given = study(row, baselines__mine={"U1": {}, "L2": {"list": 2}})
    assert list(given.searches()) == ["mine/list1/search/tuned-list1-seed0", "mine/list2/search/tuned-list2-seed0"]
    assert "mine/list2/student/search-tuned-list2-seed0" in given.runs()


def test_a_dump_is_the_same_study():
    given = study()
    dump = given.model_dump(mode="json")
    assert dump["students"]["mine"]["tuned"] == A | {"search": {"grid": GRID, "rungs": [1, 2], "eta": 3}}
    assert read(dump) == given
    assert read(config(students__mine__A=A | {"search": None})).searches() == {}, "an overlay takes it away"


@pytest.mark.parametrize(("changes", "message"), [
    (with_search() | {"train__selection": "best"},
     ": compares candidates on training videos that are held out, and train.selection: best holds none out; set it to "
     "validation"),
    (with_search(rungs=[2, 5]), ".rungs: 5, but trainings end after train.epochs: 5; give rungs before that"),
    (with_search(rungs=[2, 1]), ".rungs: the first comes first (got [2, 1])"),
    (with_search(rungs=[1, 1]), ".rungs: the first comes first (got [1, 1])"),
    (with_search(rungs=[]), ".rungs: there is none; give the epochs after which candidates are compared, such as [2]"),
    (with_search(grid={"KD_T": [2]}), ".grid: one candidate leaves no choice; give a key several values, or take the "
                                      "search away"),
    (with_search(rungs=[1, 0]), ".rungs.1: input should be greater than or equal to 1 (got 0)"),
    (with_search(eta=1), ".eta: input should be greater than or equal to 2 (got 1)"),
    (with_search(keep=3), ".keep: unknown key"),
    ({"students__mine": {"tuned": A | {"search": {"rungs": [1]}}}}, ".grid: required key is missing"),
    ({"students__mine": {"tuned": A | {"search": {"grid": GRID}}}}, ".rungs: required key is missing"),
    ({"students__mine": {"tuned": A | {"search": 3}}},
     ": give it a grid and rungs, such as {grid: {KD_T: [2, 4]}, rungs: [2]} (got 3)"),
    (with_search(grid={"KD_T": []}), ".grid.KD_T: give it a list of values, such as [0.3, 0.5] (got [])"),
    (with_search(grid={"KD_T": [2, 0]}), ".grid.KD_T: input should be greater than 0 (got 0)"),
    (with_search(grid={"KD_Z": [2]}), ".grid.KD_Z: unknown key; did you mean 'KD_T'?"),
    (with_search(grid={"list": [1, 2]}),
     ".grid.list: candidates are compared on the same held-out videos; leave it out, or put it into `grid` of the row, "
     "which makes a search of each list"),
    (with_search(A | {"grid": {"KD_T": [2]}}), ".grid.KD_T: the row's grid has it as well; leave one of the two out"),
    (with_search(grid={"split": [None, "drawn"]}), ".grid.split: 'drawn' is not one of splits; there are none"),
    (with_search(KD, {"teacher": ["U1", "U11"]}), ".grid.teacher: no baseline is called 'U11'; did you mean 'U1'?"),
    (with_search({"method": "dkd"}, {"method": ["dkd", "dist"]}) | {"train__devices": 2},
     ".grid.method: dist compares the samples of a batch with each other, and train.devices: 2 takes it apart; set "
     "train.devices: 1"),
])  # fmt: skip
def test_every_refusal_names_the_key_of_the_search(changes, message):
    assert refusal(**changes) == f"config: students.mine.tuned.search{message}"


def test_a_student_whose_teachers_are_searched_for_cannot_be_chosen():
    changes = {"analysis__chosen": {"mine": "tuned"}}
    assert refusal(**with_search(grid={"LT": [True, False]}), **changes) == (
        "config: analysis.chosen.mine: who teaches tuned is searched for; name another student"
    )
    assert read(config(**with_search(), **changes)).chosen("mine")[0] == "tuned"


@pytest.mark.parametrize(("search", "valid"), [
    ({"grid": {"S_alpha": [0.3], "KD_T": None}, "rungs": [1]}, True), (None, True), ({"eta": 2}, True),
    ({"grid": {"S_alpha": 0.3}}, False), ({"rungs": []}, False), ({"keep": 1}, False),
])  # fmt: skip
def test_editors_know_what_a_search_may_have(search, valid):
    validator = jsonschema.Draft202012Validator(overlay_schema())
    assert validator.is_valid({"students": {"mine": {"tuned": A | {"search": search}}}}) == valid
