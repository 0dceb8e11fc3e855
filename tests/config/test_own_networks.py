"""Rows with networks of their own: names, settings, what they are compared with, and what their teachers are asked."""

from dataclasses import replace

import pytest
from test_study import KD, A, config

from dtkd.common.errors import DtkdError
from dtkd.config import Clip, read
from dtkd.config.model import OwnNetwork

X3D = {"backbone": "x3d_s", "clip": {"frames": 4, "rate": 2, "crop": 32}}
ALIKE = {"clip": {"frames": 4, "rate": 4}}  # spans what the study's clip does


def study(**changes):
    rows = {"baselines__mine__X": X3D, "students__mine__S": A | X3D} | changes
    return read(config(**rows))


def student(given, name="S"):
    return given.student_run("mine", given.students_of("mine")[name], 0)


@pytest.mark.parametrize(("own", "words"), [
    ({}, ""), ({"backbone": "slowfast_small", "weights": "none", "dropout": 0.5, "pixels": "study"}, ""),
    ({"clip": {"frames": 8, "rate": 2, "crop": 64}}, ""), ({"backbone": "x3d_s"}, "-as-x3d_s"),
    (X3D, "-as-x3d_s-4x2-32px"), (ALIKE, "-as-4x4"), ({"dropout": 0.1}, "-as-dropout0.1"),
    ({"backbone": "x3d_s", "pixels": "published"}, "-as-x3d_s-published_pixels"),
    ({"weights": "kinetics400", "backbone": "r3d_18"}, "-as-r3d_18-weights_kinetics400"),
    ({"weights": "a/small.pt"}, "-as-weights_small_ce6c5e"),
])  # fmt: skip
def test_a_runs_name_says_what_of_its_network_is_not_the_studys(own, words):
    given = study(students__mine__S=A | own, baselines__mine__B=own)
    assert student(given).name == f"dtkd-S0.3-T2-A0.4-LT-FT{words}-seed0"
    baseline = given.baseline_run("mine", given.baselines["mine"]["B"], 0)
    assert student(given).network == baseline.network
    wanted = "X" if own is X3D else "B" if words else "U1"  # the first of its network
    assert given.reference_of("mine", given.students_of("mine")["S"])[0] == wanted


def test_no_two_networks_share_a_folder():
    own = [{}, {"backbone": "x3d_s"}, X3D, ALIKE, {"dropout": 0.1}, {"weights": "a/w.pt"}, {"weights": "b/w.pt"}]
    given = read(config(baselines__mine={f"B{n}": each for n, each in enumerate(own)},
                        students__mine={f"S{n}": A | each for n, each in enumerate(own)}))  # fmt: skip
    assert sum(run.role == "student" for run in given.runs().values()) == len(own)
    taught_by_another = {"K": KD | {"teacher": "B1"}, "L": KD | {"backbone": "x3d_s"}}
    assert len({student(read(config(baselines__mine__B1=own[1], students__mine=taught_by_another)), name).name
                for name in taught_by_another}) == 2, "a teacher's network and one's own"  # fmt: skip


def test_a_row_of_the_studys_network_has_the_settings_that_it_had():
    plain, other = read(config()), study()
    for folder, run in plain.runs().items():
        assert other.settings(other.runs()[folder]) == plain.settings(run)
    assert not {"window", "pixels"} & plain.settings(student(plain, "A")).keys()


def test_settings_are_those_of_the_rows_own_network():
    given = study(students__mine__S=A | X3D | {"dropout": 0.1, "weights": "x.pt", "pixels": "published"},
                  baselines__mine__X=X3D | {"dropout": 0.1, "weights": "x.pt", "pixels": "published"})  # fmt: skip
    run, baseline = student(given), given.baseline_run("mine", given.baselines["mine"]["X"], 0)
    wanted = {"backbone": "x3d_s", "weights": "x.pt", "dropout": 0.1, "clip": X3D["clip"], "pixels": "published",
              "window": {"frames": 8, "rate": 2}}  # fmt: skip
    for each in (run, baseline):
        assert wanted.items() <= given.settings(each).items()
    assert (given.weights_of(run), given.backbones()) == ("x.pt", {"slowfast_small", "x3d_s"})


def test_only_a_baseline_that_students_are_compared_with_sees_their_windows():
    """Others stay what they were before students had networks of their own."""
    for students, wanted in (({"A": A}, None), ({"A": A, "S": A | X3D}, Clip(frames=8, rate=2))):
        given = study(students__mine=students)
        assert given.baseline_run("mine", given.baselines["mine"]["X"], 0).window == wanted
    spans_alike = study(students__mine={"S": A | ALIKE}, baselines__mine__B=ALIKE)
    assert student(spans_alike).window is None


def test_specialists_may_differ_from_their_students_and_from_one_another():
    given = study(
        teachers={"backbone": "r3d_18", "groups": {"static": {"backbone": "swin3d_t", "clip": ALIKE["clip"]}}}
    )
    run = student(given)
    teachers = given.teacher_runs(run)
    assert {name: each.name for name, each in teachers.items()} == {
        "static": "static-LT-as-swin3d_t-4x4-seed0", "dynamic": "dynamic-LT-as-r3d_18-seed0",
    }  # fmt: skip
    (asked,) = given.teacher_sets(run)
    (for_others,) = given.teacher_sets(student(given, "A"))
    assert asked == for_others, "students of any network share what teachers say"
    settings = given.targets_settings(run, asked)
    assert settings == given.targets_settings(student(given, "A"), asked)
    assert settings["teachers"] == {
        "static": {"backbone": "swin3d_t", "dropout": 0.5, "clip": ALIKE["clip"]},
        "dynamic": {"backbone": "r3d_18", "dropout": 0.5, "clip": {"frames": 8, "rate": 2}},
    }
    assert settings.keys() == {"seed", "augment", "train", "teachers"}


def test_a_baseline_that_teaches_is_asked_about_the_studys_windows():
    """It trained on clips of its own, which no student is compared with."""
    given = study(students__mine={"K": KD | {"teacher": "X"}})
    (asked,) = given.teacher_sets(student(given, "K"))
    assert asked.teachers["teacher"].window is None
    settings = given.targets_settings(student(given, "K"), asked)
    assert (settings["clip"], settings["window"]) == (X3D["clip"], {"frames": 8, "rate": 2})


def test_without_a_name_the_studys_own_baseline_teaches_smaller_students():
    given = study(students__mine={"K": KD | X3D})
    (teacher,) = student(given, "K").baselines
    assert teacher.backbone == "slowfast_small"


def test_networks_that_start_from_pretraining_have_theirs():
    rows = {"baselines__mine__X": X3D | {"weights": "pretrain"}, "students__mine__S": A | X3D | {"weights": "pretrain"}}
    given = study(**rows, pretrain={"dataset": "source"})
    assert given.used_datasets() == ["mine", "source"]
    assert [run.backbone for run in given.runs().values() if run.role == "pretrain"] == ["x3d_s"]


def test_one_file_of_an_image_network_is_for_both_its_video_networks():
    own = {"model__backbone": "tsm-resnet18", "model__weights": "r18.pth", "students__mine__S": A}
    given = study(**own, baselines__mine__X={"backbone": "tsn-resnet18", "weights": "r18.pth"})
    assert given.baseline_run("mine", given.baselines["mine"]["X"], 0).name == "tsn-resnet18-seed0"
    with pytest.raises(DtkdError, match=r"r18\.pth is of one backbone, and some baselines have tsn-resnet34"):
        study(**own, baselines__mine__X={"backbone": "tsn-resnet34"})


def test_a_grid_may_be_over_networks():
    given = read(config(baselines__mine__X=X3D, baselines__mine__Y={"clip": ALIKE["clip"]}, students__mine={
        "sweep": A | {"grid": {"backbone": ["x3d_s"], "clip": [X3D["clip"]]}},
        "clips": A | {"grid": {"clip": [ALIKE["clip"], None]}},
    }))  # fmt: skip
    assert list(given.students_of("mine")) == ["sweep-x3d_s-4x2-32px", "clips-4x4", "clips-clip-null"]
    assert given.grids_of("mine")["clips"].labels() == {"clip": ["4x4", "null"]}
    assert given.own_network(given.students_of("mine")["sweep-x3d_s-4x2-32px"]) == OwnNetwork(**X3D)


def test_a_run_is_itself_again():
    run = student(study())
    assert replace(run) == run
    assert hash(replace(run)) == hash(run)
