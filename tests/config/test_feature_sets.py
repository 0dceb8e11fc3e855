"""Which runs share what a frozen backbone makes of their clips, and which compute it themselves."""

import copy

import pytest
from test_study import A, config

from dtkd.config import read

FROZEN = {"U1": {"list": 1}, "U4": {"list": 1, "frozen": True}}


def files(**changes):
    """File -> the runs that read it and the number of its clips; and all of the study's frozen runs."""
    given = read(config(**{"baselines__mine": copy.deepcopy(FROZEN)} | changes))
    shared = {
        file: ({run.folder.removeprefix("mine/list1/") for run in each.runs}, each.clips)
        for file, each in given.frozen_features().items()
    }
    return shared, [run for run in given.runs().values() if run.frozen]


def test_a_baseline_and_locked_teachers_share_one():
    shared, _ = files(teachers__train={"epochs": 3, "lr": 0.2}, train__clips_per_video=2)
    assert shared == {
        "mine/list1/features/slowfast_small-seed0.pt": (
            {"baseline/slowfast_small-frozen-seed0", "teacher/static-LT-seed0", "teacher/dynamic-LT-seed0"}, 6
        )
    }  # fmt: skip


@pytest.mark.parametrize(("changes", "words"), [
    ({"seeds": [0, 1]}, {"seed0", "seed1"}),
    ({"baselines__mine__U4": {"list": 1, "frozen": True, "backbone": "slowfast_tiny"}}, {"seed0", "tiny-seed0"}),
    ({"baselines__mine__U4": {"list": 1, "frozen": True, "clip": {"frames": 16, "rate": 1}}}, {"seed0", "16x1-seed0"}),
    ({"teachers__train": {"rand_augment": {"operations": 1, "magnitude": 3}}}, {"seed0", "rand_augment1+3-seed0"}),
    ({"train__selection": "validation"}, {"validation_fraction0.1-seed0"}),
    ({"teachers__train": {"precision": "fp32"}}, {"seed0", "precision_fp32-seed0"}),
])  # fmt: skip
def test_what_makes_other_features_has_a_file_of_its_own(changes, words):
    shared, runs = files(**changes)
    assert {file.split("features/slowfast_")[1].removeprefix("small-").removesuffix(".pt") for file in shared} == words
    assert sum(len(readers) for readers, _ in shared.values()) == len(runs), "each reads one"


@pytest.mark.parametrize("changes", [
    {"train__mixup": 0.2, "students": {}},  # of clips, which are then a batch's
    {"train__cutmix": 1.0, "students": {}},
    {"model__backbone": "x3d_xs"},  # its head has convolutions
], ids=str)  # fmt: skip
def test_what_cannot_be_known_beforehand_is_not(changes):
    shared, runs = files(**changes)
    assert runs
    assert not shared


def test_finished_teachers_need_none():
    shared, _ = files(teachers__checkpoints={"mine": {"static": "static.pt", "dynamic": "dynamic.pt"}},
                      baselines__mine={"U1": {"list": 1}})  # fmt: skip
    assert not shared


def test_a_learning_rate_changes_no_features():
    given = [
        read(config(baselines__mine=FROZEN, train__lr=lr, students__mine={"A": A | {"KD_T": lr}})) for lr in (1, 2)
    ]
    one, two = ([each.features_settings(asked) for asked in each.frozen_features().values()] for each in given)
    assert one == two
