"""A study of features of videos: what it needs, what it ignores, and every mix of frames and features, refused."""

import pytest

from dtkd.common.errors import DtkdError
from dtkd.config import read

CONFIG = {
    "name": "features", "use": ["own"],
    "datasets": {
        "own": {"format": "features", "videos": "features", "annotations": "lists.csv"},
        "filmed": {"format": "csv", "videos": "videos", "annotations": "lists.csv"},
    },
    "split": {"measure": "feature_change"},
    "model": {"backbone": "linear", "weights": "none"},
    "clip": {"frames": 12, "rate": 1},
    "augment": {"short_side": [256, 320], "crop": 256, "test_short_side": 256},
    "train": {"epochs": 1, "batch_size": 8, "lr": 0.01},
    "baselines": {"own": {"B": {"list": 1}}},
    "students": {"own": {"S": {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "LT": False, "FT": True}}},
}  # fmt: skip


def changed(**values):
    """The config with other values, of keys such as ``clip__rate``."""
    config = {key: dict(value) if isinstance(value, dict) else value for key, value in CONFIG.items()}
    for key, value in values.items():
        section = config
        *path, last = key.split("__")
        for name in path:
            section[name] = dict(section.get(name) or {})
            section = section[name]
        section[last] = value
    return config


def test_frames_have_no_part_in_it():
    """Neither names of runs nor settings change with what is done to frames; steps are what clips are of."""
    study, other = read(CONFIG), read(changed(augment__crop=224, flow={"step": 3}))
    assert study.of_features
    assert study.runs().keys() == other.runs().keys()
    for folder, run in study.runs().items():
        assert "augment" not in study.settings(run)
        assert study.settings(run) == other.settings(other.runs()[folder])
        assert study.settings(run)["clip"] == {"frames": 12, "rate": 1}
    student = study.student_run("own", study.students_of("own")["S"], 0)
    assert "augment" not in study.targets_settings(student, study.teacher_sets(student)[0])


def test_videos_of_the_features_are_used_too():
    study = read(changed(datasets__own__features_of="filmed", split__measure="mean"))
    assert study.used_datasets() == ["own", "filmed"]


@pytest.mark.parametrize(("values", "expected"), [
    ({"model__backbone": "slowfast_tiny"},
     "model.backbone: slowfast_tiny takes videos, and own is of features; choose linear, temporal_conv, "),
    ({"baselines__own__R": {"list": 1, "backbone": "r3d_18"}}, "baselines.own.R.backbone: r3d_18 takes videos"),
    ({"use": ["filmed"], "baselines__filmed": {"B": {"list": 1}}, "split__measure": "mean"},
     "model.backbone: linear takes features, and filmed is of videos; choose slowfast_r101_16x8"),
    ({"use": ["own", "filmed"], "baselines__filmed": {"B": {"list": 1}}}, "a study is of videos or of features"),
    ({"use": ["filmed"], "baselines__filmed": {"B": {"list": 1}}, "model__backbone": "r3d_18"},
     "split.measure: feature_change is of features, and filmed is of videos"),
    ({"split__measure": "mean"}, "split.measure: mean is not what own has the motion of; set split.measure: "),
    ({"datasets__own__features_of": "filmed"}, "choose a measure of flow, or leave datasets.own.features_of out"),
    ({"datasets__own__features_of": "flimed"}, "is not one of datasets; did you mean 'filmed'?"),
    ({"datasets__filmed__features_of": "own"}, "datasets.filmed.features_of: is for a data set of format features"),
    ({"splits__other": {"measure": "std"}}, "splits.other.measure: std is not what own has the motion of"),
    ({"split__over_time": "max"}, "over_time: max: feature_change is a mean over time; set over_time: mean"),
    ({"clip": {"frames": 12, "fps": 10}}, "clip.fps: features have no times; set rate, in steps"),
    ({"evaluation": {"crops_per_clip": 3}}, "evaluation.crops_per_clip: features have no crops; set 1"),
    ({"train__mixup": 0.2, "students": {}}, "train.mixup: changes the frames of clips, and features have none"),
    ({"teachers": {"train": {"rand_augment": {}}}}, "teachers.train.rand_augment: changes the frames of clips"),
    ({"model__weights": "pretrain", "pretrain": {"dataset": "filmed"}},
     "pretrain.dataset: of filmed and own one is of features, the other of videos"),
    ({"model__weights": "kinetics400"}, "there are no kinetics400 weights of linear"),
    ({"datasets__own__annotations": None}, "format features needs it: a CSV file with columns video, class, split, or"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(values, expected):
    with pytest.raises(DtkdError) as caught:
        read(changed(**values))
    message = str(caught.value)
    assert expected in message
    assert "\n" not in message
