"""The study: every wrong key is named, runs have readable folders, and settings change with what matters only."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from dtkd import models
from dtkd.analysis import shown_runs
from dtkd.common.errors import DtkdError
from dtkd.config import TeacherSet, Train, read
from dtkd.config import student as student_row
from dtkd.config.training import LATER
from dtkd.data import published
from dtkd.motion import algorithms

PROJECT = Path(__file__).parents[2]
A = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "LT": True, "FT": True}
BSKD = {"method": "bskd", "KD_T": 2, "KD_alpha": 0.4, "LT": True, "FT": True}
KD = {"method": "kd", "KD_T": 2, "KD_alpha": 0.4}
AVERAGE = KD | {"method": "average"}
MIXTURE = KD | {"method": "mixture"}
SMALL = {
    "name": "small",
    "use": ["mine"],
    "datasets": {
        "mine": {"format": "ucf101", "videos": "videos", "annotations": "lists"},
        "source": {"format": "folders", "videos": "source"},
    },
    "model": {"backbone": "slowfast_small", "weights": "none"},
    "clip": {"frames": 8, "rate": 2},
    "augment": {"short_side": [64, 80], "crop": 64, "test_short_side": 64},
    "train": {"epochs": 2, "batch_size": 4, "lr": 0.01},
    "baselines": {"mine": {"U1": {"list": 1}}},
    "students": {"mine": {"A": A}},
}


def config(**changes):
    """SMALL with values put at dotted paths (``__`` for a dot)."""
    result = copy.deepcopy(SMALL)
    for path, value in changes.items():
        *parents, key = path.split("__")
        place = result
        for parent in parents:
            place = place.setdefault(parent, {})
        place[key] = value
    return result


def test_a_number_on_the_command_line_is_a_word():
    assert read(config(evaluation__crops_per_clip="3")).evaluation.crops_per_clip == 3
    assert "crops_per_clip: input should be 1 or 3 (got 2)" in refusal(evaluation__crops_per_clip="2")


def refusal(**changes):
    with pytest.raises(DtkdError) as error:
        read(config(**changes)).runs()
    return str(error.value)


def student(**row):
    others = {"second": {"list": 2}, "frozen": {"frozen": True}, "larger": {"backbone": "slowfast_r50_8x8"}}
    return read(config(students__mine__A=row, baselines__mine=SMALL["baselines"]["mine"] | others))


def the_student(given):
    (run,) = [run for run in given.runs().values() if run.role == "student"]
    return run


# Validation


@pytest.mark.parametrize(("changes", "message"), [
    ({"seeds": []}, "seeds: list should have at least 1 item after validation, not 0 (got [])"),
    ({"seeds": [1, 2, 1]}, "seeds: [1, 2, 1] names a seed twice"),
    ({"analysis__chosen": {"mine": "AA"}}, "analysis.chosen.mine: no student is called 'AA'; did you mean 'A'?"),
    ({"analysis__chosen": {"mien": "A"}}, "analysis.chosen.mien: not one of datasets; did you mean 'mine'?"),
    ({"analysis__kl": "S"}, "analysis.kl: input should be 'forward' or 'reverse' (got 'S')"),
    ({"analysis__kl_floor": 0}, "analysis.kl_floor: input should be greater than 0 (got 0)"),
    ({"trian": {}}, "trian: unknown key; did you mean 'train'?"),
    ({"train__epohcs": 3}, "train.epohcs: unknown key; did you mean 'epochs'?"),
    ({"students__mine__A__S_aplha": 0.3}, "students.mine.A.S_aplha: unknown key; did you mean 'S_alpha'?"),
    ({"datasets__mine__zzz": 0}, "datasets.mine.zzz: unknown key"),
    ({"datasets__mine__format": "ucf"}, "datasets.mine.format: input should be 'ucf101', 'hmdb51', 'folders', 'csv' "
                                        "or 'features' (got 'ucf')"),
    ({"datasets__mine__annotations": None}, "datasets.mine.annotations: format ucf101 needs it: the folder of "
                                            "classInd.txt, trainlist01.txt, testlist01.txt ..."),
    ({"datasets__source__annotations": "x"}, "datasets.source.annotations: format folders draws its own lists; remove "
                                             "it, or use format csv"),
    ({"datasets__source__group_pattern": "(a"}, "datasets.source.group_pattern: '(a' is no regular expression: "
                                                "missing ), unterminated subpattern at position 0"),
    ({"datasets__source__test_fraction": 1}, "datasets.source.test_fraction: input should be less than 1 (got 1)"),
    ({"flow__algorithm": "farneback_cuda", "device": "cpu"},
     "flow.algorithm: farneback_cuda computes on a GPU, and device is cpu; choose farneback"),
    ({"flow__step": 0}, "flow.step: input should be greater than or equal to 1 (got 0)"),
    ({"flow__weights": "x"}, "flow.weights: farneback has none; leave it out, or choose raft_small or raft_large"),
    ({"split__quantile": 1.0}, "split.quantile: input should be greater than 0 and less than 1 (got 1.0)"),
    ({"split__boundary": "loose"}, "split.boundary: input should be 'inclusive' or 'strict' (got 'loose')"),
    ({"split__measure": "median", "split__over_time": "max"},
     "split.over_time: max: measure median is over time itself; set over_time: mean"),
    ({"split__measure": "person_height", "split__over_time": "share"},
     "split.over_time: share: it counts time above 0.5 pixels a frame, and person_height is in % of heights; choose "
     "mean, max or q90"),
    ({"split__on_no_person": "skip"}, "split.on_no_person: measure mean needs no person; leave it out"),
    ({"split__on_no_person": "guess"}, "split.on_no_person: input should be 'fail' or 'skip' (got 'guess')"),
    ({"flow__persons": {"every": 0}}, "flow.persons.every: input should be greater than or equal to 1 (got 0)"),
    ({"flow__persons": {"threshold": 1}}, "flow.persons.threshold: input should be less than 1 (got 1)"),
    ({"split__value": 0}, "split.value: input should be greater than 0 (got 0)"),
    ({"split__value": float("inf")}, "split.value: input should be a finite number (got inf)"),
    ({"split__threshold": "mean"}, "split.threshold: threshold 'mean' is unknown; did you mean 'kmeans'?; choose one "
                                   "of quantile, value, otsu, gap, kmeans"),
    ({"split__threshold": "value"}, "split.threshold: value is to be given; set split.value, in pixels a frame"),
    ({"split__threshold": "otsu", "split__value": 1}, "split.value: threshold otsu reads none; leave one of the two "
                                                      "out"),
    ({"split__threshold": "gap", "split__source": "random"}, "split.threshold: source random has no threshold of flow; "
                                                             "leave it out"),
    ({"split__quantile": [0.5, 0.25]}, "split.quantile: numbers of a list should ascend (got [0.5, 0.25])"),
    ({"split__quantile": "Q1"}, "split.quantile: input should be a number, or a list of numbers (got 'Q1')"),
    ({"split__quantile": [0.25, 0.75], "split__threshold": "otsu"},
     "split.quantile: threshold otsu reads no list of them; leave it out"),
    ({"split__names": ["a", "b", "c"]}, "split.names: there are 3, but 2 groups; give one for each"),
    ({"split__names": ["a", "a"]}, "split.names: ['a', 'a'] has a name twice; each group has its own"),
    ({"split__names": ["overall", "a"]}, "split.names, groups: 'overall' has a meaning of its own in tables; choose "
                                         "another name"),
    ({"split__groups": {"mine": {"a": ["b"], "c": ["d"]}}}, "split.groups: source flow reads none; set split.source: "
                                                            "listed, or leave it out"),
    ({"split__seed": -1}, "split.seed: input should be greater than or equal to 0 (got -1)"),
    ({"split__source": "listed"}, "split.static.mine: this, or split.groups, is required by split.source: listed (of "
                                  "each data set in use)"),
    ({"split__static": {"mine": ["a"]}}, "split.static: source flow reads none; set split.source: listed, or leave it "
                                         "out"),
    ({"split__source": "random", "split__value": 1}, "split.value: source random has no threshold of flow; leave it "
                                                     "out"),
    ({"split__source": "listed", "split__static": {"mein": ["a"]}},
     "split.static.mein: not one of datasets; did you mean 'mine'?"),
    ({"split__static": {"mine": []}}, "split.static.mine: list should have at least 1 item after validation, not 0 "
                                      "(got [])"),
    ({"split__source": "published"}, "split.source: published lists exist for datasets named ucf101 and hmdb51; use "
                                     "flow or listed"),
    ({"augment__crop": 65}, "augment.crop: 65 does not fit in the smallest short side 64"),
    ({"augment__fit": "letterbox", "augment__crop": 65}, "augment.crop: 65 does not fit in the smallest short side 64"),
    ({"augment__fit": "squash", "evaluation__crops_per_clip": 3},
     "evaluation.crops_per_clip: 3 crops lie along the longer side, and augment.fit: squash shows it all: set 1"),
    ({"augment__short_side": [80, 64]}, "augment.short_side: the smallest side comes first, not [80, 64]"),
    ({"train__lr": 0}, "train.lr: input should be greater than 0 (got 0)"),
    ({"train__precision": "fp8"}, "train.precision: input should be 'auto', 'fp32', 'bf16' or 'fp16' (got 'fp8')"),
    ({"model__dropout": 1}, "model.dropout: input should be less than 1 (got 1)"),
    ({"evaluation__crops_per_clip": 2}, "evaluation.crops_per_clip: input should be 1 or 3 (got 2)"),
    ({"results": "./"}, "results: name a folder of its own, such as results (got '.')"),
    ({"results": "/"}, "results: name a folder of its own, such as results (got '/')"),
    ({"results": "./~"}, "results: a folder would be called ~, a word that shells replace; write the path in full (got "
                         "'./~')"),
    ({"datasets__mine__videos": "~nobody-at-all/x"},
     "datasets.mine.videos: there is no home folder ~nobody-at-all here; write the path in full (got "
     "'~nobody-at-all/x')"),
    ({"datasets__mine__annotations": "$HOME/x"},
     "datasets.mine.annotations: a folder would be called $HOME, a word that shells replace; write the path in full "
     "(got '$HOME/x')"),
    ({"model__weights": "hf:mine"},
     "model.weights: after hf: stands the name of a repository, owner/name (got 'hf:mine')"),
    ({"model__backbone": "tsm-mobilenetv3_small_100", "model__weights": "kinetics400"},
     "model.weights: there are no kinetics400 weights of tsm-mobilenetv3_small_100; use imagenet or pretrain"),
    ({"model__backbone": "tsm-mobilenetv3_small_10"},
     "model.backbone: backbone 'tsm-mobilenetv3_small_10': timm has no network 'mobilenetv3_small_10' with one "
     "classifier; did you mean 'mobilenetv3_small_100'?"),
    ({"model__backbone": "tsn-vit_tiny_patch16_224"},
     "augment.crop: 64, but tsn-vit_tiny_patch16_224 takes 224 alone; set that"),
    ({"model__weights": "./none"}, "model.weights: a file called like one of the choices; rename it (got './none')"),
    ({"device": "gpu"}, "device: input should be 'auto', 'cpu' or 'cuda' (got 'gpu')"),
    ({"use": ["mien"]}, "use: 'mien' is not one of datasets; did you mean 'mine'?"),
    ({"use": ["mine", "mine"]}, "use: ['mine', 'mine'] names a data set twice"),
    ({"baselines__mine__A": {"list": 1}}, "students.mine.A: a baseline has that name too; give one of them another"),
    ({"use": []}, "use: list should have at least 1 item after validation, not 0 (got [])"),
    ({"baselines": {}}, "baselines.mine: the study needs at least one baseline to compare with"),
    ({"baselines__mine__U1__list": 4}, "baselines.mine.U1.list: 4, but mine has 3 lists"),
    ({"students__mine__A__list": 4}, "students.mine.A.list: 4, but mine has 3 lists"),
    ({"model__backbone": "slowfast_smal"}, "model.backbone: backbone 'slowfast_smal' is unknown; did you mean "
     f"'slowfast_small'?; choose one of {', '.join([*models.names(), 'tsn-...', 'tsm-...'])}"),
    ({"flow__algorithm": "raft_smal"},
     "flow.algorithm: flow algorithm 'raft_smal' is unknown; did you mean 'raft_small'?; choose "
     f"one of {', '.join(algorithms.names())}"),
    ({"clip__frames": 0}, "clip.frames: input should be greater than or equal to 1 (got 0)"),
    ({"clip__frames": 6}, "clip.frames: 6, but slowfast_small takes multiples of 4; set 4 or 8"),
    ({"clip__frames": 1}, "clip.frames: 1, but slowfast_small takes multiples of 4; set 4"),
    ({"baselines__mine__U6": {"clip": {"frames": 6, "rate": 1}}},
     "baselines.mine.U6.clip.frames: 6, but slowfast_small takes multiples of 4; set 4 or 8"),
    ({"model__backbone": "r3d_18", "clip__frames": 5, "baselines__mine__U5": {"backbone": "swin3d_t"}},
     "baselines.mine.U5.clip.frames: swin3d_t takes multiples of 2, and clip.frames is 5; give the row a clip of its "
     "own, with 4 or 6"),
    ({"model__backbone": "r3d_18", "model__weights": "pretrain", "pretrain": {"dataset": "source"}, "clip__frames": 5,
      "baselines__mine__U5": {"backbone": "swin3d_t", "clip": {"frames": 6, "rate": 1}}},
     "clip.frames: 5, but swin3d_t takes multiples of 2, and its pretraining has the study's clip; set 4 or 6"),
    ({"model__weights": "mine.pt", "baselines__mine__U5": {"backbone": "slowfast_r50_8x8"}},
     "model.weights: mine.pt is of one backbone, and some baselines have slowfast_r50_8x8: take these rows away "
     "(`U5: null`), or give them weights of their own"),
    ({"model__weights": "pretrain"}, "pretrain: required by model.weights: pretrain"),
    ({"model__weights": "pretrain", "pretrain": {"dataset": "nowhere"}},
     "pretrain.dataset: 'nowhere' is not one of datasets"),
    ({"students__mine__A__S_alpha": 1.1}, "students.mine.A.S_alpha: input should be less than or equal to 1 (got 1.1)"),
    ({"students__mine__A__S_alpha": None}, "students.mine.A.S_alpha: input should be a valid number (got None)"),
    ({"students__mine__A__method": "bskd"}, "students.mine.A.S_alpha: method bskd has no such setting; leave it out"),
    ({"students__mine__A": KD | {"S_alpha": 0.3}},
     "students.mine.A.S_alpha: method kd has no such setting; leave it out"),
    *[({"students__mine__A": KD | {name: False}},
       f"students.mine.A.{name}: method kd has no such setting; leave it out")
      for name in ("LT", "FT")],
    ({"students__mine__A__teacher": "U1"},
     "students.mine.A.teacher: method dtkd has no such setting; leave it out"),
    ({"students__mine__A": KD | {"teacher": "U11"}},
     "students.mine.A.teacher: no baseline is called 'U11'; did you mean 'U1'?"),
    ({"students__mine__A": KD | {"teacher": "U2"}, "baselines__mine__U2": {"list": 2}},
     "students.mine.A.teacher: U2 is of list 2, and may have trained on test videos of list 1; name a baseline of that "
     "list"),
    ({"students__mine__A": KD | {"teacher": "U6"}, "baselines__mine__U6": {"clip": {"frames": 4, "fps": 4}}},
     "students.mine.A.teacher: U6 has clip.fps, and the study's clip goes by rate, in which students and teachers see "
     "the same part of a video; set clip.rate"),
    ({"students__mine__A": A | {"clip": {"frames": 4, "fps": 4}}},
     "students.mine.A.clip: it has clip.fps, and the study's clip goes by rate, in which students and teachers see the "
     "same part of a video; set clip.rate"),
    ({"students__mine__A": A | {"backbone": "x3d_s", "clip": {"frames": 4, "rate": 4, "crop": 32}}},
     "baselines.mine: no unfrozen baseline of list 1 with the backbone and clip of A; add a row {list: 1, backbone: "
     "x3d_s, clip: {frames: 4, rate: 4, crop: 32}}"),
    ({"students__mine__A": A | {"backbone": "swin3d_t", "clip": {"frames": 5, "rate": 2}}, "baselines__mine__U5":
      {"backbone": "swin3d_t", "clip": {"frames": 5, "rate": 2}}},
     "baselines.mine.U5.clip.frames: 5, but swin3d_t takes multiples of 2; set 4 or 6"),
    ({"teachers__clip": {"frames": 6, "rate": 2}},
     "teachers.clip.frames: 6, but slowfast_small takes multiples of 4; set 4 or 8"),
    ({"teachers__groups": {"calm": {"backbone": "x3d_s"}}},
     "teachers.groups.calm: not one of the groups dynamic, static"),
    ({"teachers__weights": "kinetics400"},
     "teachers.weights: there are no kinetics400 weights of slowfast_small; use pretrain or none"),
    ({"teachers__weights": "pretrain"}, "pretrain: required by teachers.weights: pretrain"),
    ({"teachers__weights": "a.pt", "teachers__groups": {"static": {"backbone": "x3d_s"}}},
     "teachers.weights: a.pt is of x3d_s, and here for slowfast_small; name its own"),
    ({"teachers__pixels": "published"}, "teachers.pixels: slowfast_small was not published with a mean; use study"),
    ({"clip__crop": 32}, "clip.crop: is for clips of rows; the study's is augment.crop"),
    ({"students__mine__A": KD | {"backbone": "x3d_s"}, "baselines__mine": {"X1": {"backbone": "x3d_s"}}},
     "students.mine.A.teacher: list 1 has no unfrozen baseline of the study's network; name the baseline that teaches"),
    ({"students__mine__A__teachers": "both"},
     "students.mine.A.teachers: method dtkd learns from specialists (got 'both')"),
    ({"students__mine__A": KD | {"teachers": ["U1"]}},
     "students.mine.A.teachers: method kd learns from generalist (got ['U1'])"),
    ({"students__mine__A": MIXTURE | {"teachers": "experts"}},
     "students.mine.A.teachers: method mixture learns from both or specialists (got 'experts')"),
    ({"students__mine__A": AVERAGE | {"teachers": ["U1", "U11"]}},
     "students.mine.A.teachers: no baseline is called 'U11'; did you mean 'U1'?"),
    ({"students__mine__A": AVERAGE | {"teachers": ["U1", "U1"]}}, "students.mine.A.teachers: U1 is named twice"),
    ({"students__mine__A": AVERAGE | {"teachers": []}},
     "students.mine.A.teachers: method average learns from specialists or generalist or both or a list of baselines "
     "(got [])"),
    ({"students__mine__A": AVERAGE | {"teachers": "generalist", "LT": False}},
     "students.mine.A.LT: method average with these teachers (generalist) has no such setting; leave it out"),
    ({"students__mine__A": AVERAGE | {"teachers": ["U1", "U2"]}, "baselines__mine__U2": {"list": 2}},
     "students.mine.A.teachers: U2 is of list 2, and may have trained on test videos of list 1; name a baseline of "
     "that list"),
    *[({"students__mine__A": KD | {"method": name, "teachers": ["U1"]}},
       f"students.mine.A: method {name} weighs teachers against each other: it takes 2 or more, not 1")
      for name in ("ebkd", "ca_mkd", "aekd", "discrepancy")],
    ({"students__mine__A": KD | {"method": "aekd", "C": 0.4}},
     "students.mine.A: method aekd: 2 weights of at most C = 0.4 do not sum to 1; set C to 0.5 or more"),
    *[({"students__mine__A": {"method": "dist"}, f"train__{key}": 2},
       f"students.mine.A.method: dist compares the samples of a batch with each other, and train.{key}: 2 takes it "
       f"apart; set train.{key}: {whole}")
      for key, whole in (("micro_batch", "null"), ("devices", 1), ("nodes", 1))],
    ({"students__mine__A": MIXTURE | {"teachers": "specialists"}},
     "students.mine.A: method mixture: no teacher is a generalist; have both (teachers: both), or set gate: truth"),
    ({"students__mine__A": MIXTURE, "split__source": "listed",
      "split__groups": {"mine": {"generalist": ["a"], "b": ["c"]}}},
     "students.mine.A: a group of classes is called generalist, as its other teacher; rename it"),
    ({"students__mine__A": MIXTURE | {"split": "x"},
      "splits": {"x": {"source": "listed", "groups": {"mine": {"generalist": ["a"], "b": ["c"]}}}}},
     "students.mine.A: a group of classes is called generalist, as its other teacher; rename it"),
    ({"students__mine__A": KD | {"method": "aekd", "C": 0.4, "split": "two"}, "split__quantile": [0.3, 0.6],
      "splits": {"two": {"quantile": 0.5}}},
     "students.mine.A: method aekd: 2 weights of at most C = 0.4 do not sum to 1; set C to 0.5 or more"),
    ({"students__mine__A": KD | {"method": "aekd", "C": 0.3, "split": "three"},
      "splits": {"three": {"quantile": [0.3, 0.6]}}},
     "students.mine.A: method aekd: 3 weights of at most C = 0.3 do not sum to 1; set C to 0.334 or more"),
    ({"students__mine__B": A | {"LT": False}, "teachers__checkpoints": {"mine": {"static": "s.pt"}}},
     "teachers.checkpoints.mine.static: students differ in LT or teacher_outputs, and one file is one teacher; have "
     "rows agree, or the others' teachers trained in a study of their own"),
    ({"students__mine__B": A | {"list": 2}, "baselines__mine__U2": {"list": 2},
      "teachers__checkpoints": {"mine": {"static": "s.pt"}}},
     "teachers.checkpoints.mine.static: students are of several lists, and a teacher of one may have trained on test "
     "videos of another; give each list its file, with {list} in the path"),
    ({"teachers__checkpoints": {"mine": {"calm": "s.pt"}}},
     "teachers.checkpoints.mine.calm: not one of the groups static, dynamic"),
    ({"students__mine__A": A | {"split": "y"}, "splits": {"x": {"quantile": 0.5}}},
     "students.mine.A.split: 'y' is not one of splits"),
    ({"splits": {"LT": {"quantile": 0.5}}},
     "splits.LT: names of runs have this word for something else; choose another"),
    ({"splits": {"x": {"over_time": "max"}}},
     "splits.x.over_time: max, but split has mean: the flow of a study is summed in one way; set both alike, or make "
     "another study"),
    ({"students__mine__A": KD, "analysis__chosen": {"mine": "A"}},
     "analysis.chosen.mine: A has one teacher, and several are compared; name another"),
    ({"students__mine__A": KD | {"teacher_outputs": "full"}},
     "students.mine.A.teacher_outputs: method kd has no such setting; leave it out"),
    ({"students__mine__A__teacher_outputs": "half"},
     "students.mine.A.teacher_outputs: input should be 'full' or 'masked' (got 'half')"),
    ({"teachers__outputs": "half"}, "teachers.outputs: input should be 'full' or 'masked' (got 'half')"),
    ({"teachers__train": {"epohcs": 3}}, "teachers.train.epohcs: unknown key; did you mean 'epochs'?"),
    ({"teachers__train": {"lr": 0}}, "teachers.train.lr: input should be greater than 0 (got 0)"),
    ({"students__mine__A__KD_alpha": -1}, "students.mine.A.KD_alpha: input should be greater than or equal to 0 "
                                          "(got -1)"),
    ({"students__mine__A__KD_T": 0}, "students.mine.A.KD_T: input should be greater than 0 (got 0)"),
    ({"students__mine__A__weighting": "hard"}, "students.mine.A.weighting: input should be 'gated', 'blend' or "
                                               "'partition' (got 'hard')"),
])  # fmt: skip
def test_every_refusal_names_its_key(changes, message):
    assert refusal(**changes) == f"config: {message}"


@pytest.mark.parametrize("key", ["name", "use", "datasets", "model", "clip", "augment", "train", "baselines",
                                 "students"])  # fmt: skip
def test_a_missing_section_is_named(key):
    given = config()
    del given[key]
    with pytest.raises(DtkdError, match=f"^config: {key}: required key is missing$"):
        read(given)


def test_paths_have_one_spelling(monkeypatch, tmp_path):
    """Two spellings of a place are one study: one set of files, one set of settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    plain = {"results": "out", "model__weights": "w.pt", "datasets__mine__videos": "v"}
    plain["datasets__mine__annotations"] = "l"
    one = read(config(**plain, flow={"algorithm": "raft_small", "weights": "raft.pth"}))
    for change in ("./{}/", ".//{}", "x/../{}", "~/{}", f"{tmp_path}/{{}}/"):
        spelt = {key: change.format(value) for key, value in plain.items()}
        flow = {"algorithm": "raft_small", "weights": change.format("raft.pth")}
        assert read(config(**spelt, flow=flow)) == one
    (run,) = [run for run in one.runs().values() if run.role == "baseline"]
    assert one.settings(run)["weights"] == "w.pt"
    assert read(one.model_dump(mode="json")) == one


def test_the_shipped_paths_are_spelt_as_they_were():
    """Else every finished result of theirs would be made again."""
    for overlays in ((), ("paper.yaml",), ("own_videos.yaml",)):
        written, given = shipped(*overlays), read(shipped(*overlays))
        assert given.results == written["results"]
        assert given.model.weights == written["model"]["weights"]
        for name, dataset in written["datasets"].items():
            assert given.datasets[name].videos == dataset["videos"]
            assert given.datasets[name].annotations == dataset.get("annotations")


def test_pretraining_settings_are_checked_and_named():
    changes = {"model__weights": "pretrain", "pretrain": {"dataset": "source", "train": {"epohcs": 3}}}
    assert refusal(**changes) == "config: pretrain.train.epohcs: unknown key; did you mean 'epochs'?"


def test_a_name_that_cannot_be_a_folder_is_refused():
    message = refusal(datasets__mine=SMALL["datasets"]["mine"], use=["../mine"])
    assert message.startswith("config: use.0: ")
    assert "'../mine'" in message


def test_all_wrong_keys_are_told_at_once():
    lines = refusal(train__epochs=0, clip__rate=0, extra=1).splitlines()
    assert len(lines) == 3


def test_two_runs_never_share_a_folder():
    """Folders show six digits of a number; two students that differ in the seventh would overwrite each other."""
    message = refusal(students__mine__B=A | {"S_alpha": 0.30000001})
    assert "mine/list1/student/dtkd-S0.3-T2-A0.4-LT-FT-seed0" in message


def test_a_study_is_read_without_the_heavy_packages():
    """Snakemake reads it at every start, and in every job."""
    heavy = {"torch", "cv2", "pandas", "numpy", "snakemake"}
    code = f"import sys; from dtkd import config; print({heavy} & set(sys.modules))"
    environment = {"PYTHONPATH": str(PROJECT / "workflow_scripts"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "set()\n"


def test_a_pattern_of_none_is_a_word():
    """It says that nothing holds clips together, of which a study without a pattern is warned; lists are alike."""
    silent, spoken = (read(config(datasets__source__group_pattern=pattern)) for pattern in (None, "none"))
    assert silent.datasets["source"].source() == spoken.datasets["source"].source()
    assert silent.datasets["source"].may_part_scenes
    assert not spoken.datasets["source"].may_part_scenes
    assert not read(config(datasets__source__group_pattern="(.)")).datasets["source"].may_part_scenes
    assert not silent.datasets["mine"].may_part_scenes, "UCF101's form has its own lists"


# Names and folders


@pytest.mark.parametrize(("row", "name"), [
    (A, "dtkd-S0.3-T2-A0.4-LT-FT-seed0"),
    (BSKD, "bskd-T2-A0.4-LT-FT-seed0"),
    (A | {"LT": False}, "dtkd-S0.3-T2-A0.4-FT-seed0"),
    (A | {"FT": False}, "dtkd-S0.3-T2-A0.4-LT-seed0"),
    (A | {"LT": False, "FT": False}, "dtkd-S0.3-T2-A0.4-seed0"),
    (A | {"weighting": "blend"}, "dtkd-S0.3-T2-A0.4-LT-FT-blend-seed0"),
    (A | {"FT": False, "weighting": "partition"}, "dtkd-S0.3-T2-A0.4-LT-partition-seed0"),
    (A | {"KD_T": 2.5, "S_alpha": 1}, "dtkd-S1-T2.5-A0.4-LT-FT-seed0"),
    (BSKD | {"S_alpha": None, "teacher": None}, "bskd-T2-A0.4-LT-FT-seed0"),  # what an overlay takes away
    (A | {"outside": "zero"}, "dtkd-S0.3-T2-A0.4-LT-FT-zero-seed0"),
    (A | {"outside": "zero", "weighting": "blend", "FT": False, "teacher_outputs": "masked"},
     "dtkd-S0.3-T2-A0.4-LT-masked-blend-zero-seed0"),
    (A | {"outside": "zero", "weighting": "partition"}, "dtkd-S0.3-T2-A0.4-LT-FT-partition-seed0"),  # reads no score
    (A | {"teacher_outputs": "full"}, "dtkd-S0.3-T2-A0.4-LT-FT-seed0"),  # as the study's
    (A | {"teacher_outputs": "masked"}, "dtkd-S0.3-T2-A0.4-LT-FT-masked-seed0"),
    (BSKD | {"teacher_outputs": "masked"}, "bskd-T2-A0.4-LT-FT-masked-seed0"),
    (KD, "kd-T2-A0.4-slowfast_small-seed0"),
    (KD | {"teacher": "U1"}, "kd-T2-A0.4-slowfast_small-seed0"),  # the one that it is compared with, by name
    (KD | {"teacher": "larger"}, "kd-T2-A0.4-slowfast_r50_8x8-seed0"),
    (KD | {"teacher": "frozen"}, "kd-T2-A0.4-slowfast_small-frozen-seed0"),
    (A | {"teachers": "specialists"}, "dtkd-S0.3-T2-A0.4-LT-FT-seed0"),  # as ever
    (KD | {"teachers": "generalist"}, "kd-T2-A0.4-slowfast_small-seed0"),
    (KD | {"standardise": True}, "kd-T2-A0.4-slowfast_small-standardise-seed0"),
    (AVERAGE, "average-T2-A0.4-LT-FT-seed0"),
    (AVERAGE | {"teachers": "generalist"}, "average-T2-A0.4-generalist-slowfast_small-seed0"),
    (AVERAGE | {"teachers": "both", "LT": False, "teacher": "larger"},
     "average-T2-A0.4-both-FT-slowfast_r50_8x8-seed0"),
    (AVERAGE | {"teachers": ["U1", "larger"]}, "average-T2-A0.4-slowfast_small-slowfast_r50_8x8-seed0"),
    (AVERAGE | {"method": "aekd"}, "aekd-T2-A0.4-C0.6-LT-FT-seed0"),
    (MIXTURE, "mixture-T2-A0.4-LT-FT-slowfast_small-seed0"),
    (MIXTURE | {"gate": "truth", "teachers": "specialists"}, "mixture-T2-A0.4-specialists-LT-FT-truth-seed0"),
    ({"method": "dkd"}, "dkd-T4-a1-b8-slowfast_small-seed0"),
    ({"method": "dist", "KD_T": 4}, "dist-T4-b1-g1-slowfast_small-seed0"),
])  # fmt: skip
def test_student_names(row, name):
    assert the_student(student(**row)).name == name


def test_who_teaches_by_plain_distillation():
    """A baseline of the student's list; what it says is shared by all that learn from it, and is its backbone's."""
    run = the_student(given := student(**KD, teacher="larger"))
    (teachers,) = given.teacher_sets(run)
    larger = given.baseline_run("mine", given.baselines["mine"]["larger"], 0)
    assert teachers == TeacherSet("mine/list1/targets/frozen-slowfast_r50_8x8-seed0.pt", {"teacher": larger})
    assert given.targets_settings(run, teachers).items() <= given.settings(larger).items(), "as it was trained"
    usual = the_student(given := student(**KD))
    (teachers,) = given.teacher_sets(usual)
    assert teachers.teachers["teacher"].folder == "mine/list1/baseline/slowfast_small-seed0"
    assert teachers.file not in student(**BSKD).all_teacher_sets()
    assert given.chosen("mine") is None, "two teachers are compared where a student is singled out"


def test_a_student_of_both_reads_the_files_that_others_read():
    """Its settings are those of any student with specialists; what its baseline says is shared with plain students."""
    given = read(config(students__mine={"A": A, "KD": KD, "M": MIXTURE}))
    runs = {run.row.method: run for run in given.runs().values() if run.student}
    files = {method: [teachers.file for teachers in given.teacher_sets(run)] for method, run in runs.items()}
    assert files["mixture"] == files["dtkd"] + files["kd"]
    assert list(given.all_teacher_sets()) == files["mixture"]
    assert given.settings(runs["mixture"])["teacher_outputs"] == "full"
    assert given.teacher_runs(runs["mixture"]).keys() == {"static", "dynamic"}
    assert set(given.of_specialists("mine")) == {"A", "M"}


def test_records_tell_of_unusual_teachers_alone():
    def recorded(row):
        given = student(**row)
        return given.settings(the_student(given))["student"].get("teachers")

    assert [recorded(row) for row in (A, KD, AVERAGE, MIXTURE)] == [None] * 4
    assert recorded(AVERAGE | {"teachers": "both"}) == "both"
    assert recorded(AVERAGE | {"teachers": ["larger", "U1"]}) == ["slowfast_r50_8x8", "slowfast_small"]


def test_folders_of_every_role():
    given = read(config(
        seeds=[3], model__weights="pretrain", pretrain={"dataset": "source", "seed": 7},
        baselines__mine={"U1": {"list": 1}, "U2": {"list": 2}, "U4": {"frozen": True},
                         "U5": {"backbone": "slowfast_r50_8x8"}, "U6": {"clip": {"frames": 4, "rate": 4}},
                         "U7": {"list": 2, "clip": {"frames": 8, "rate": 2}}},
        students__mine={"A": A, "B": A | {"LT": False, "list": 2}},
    ))  # fmt: skip
    assert set(given.runs()) == {
        "source/list1/pretrain/slowfast_small-seed7",
        "source/list1/pretrain/slowfast_r50_8x8-seed7",
        "mine/list1/baseline/slowfast_small-seed3",
        "mine/list2/baseline/slowfast_small-seed3",
        "mine/list1/baseline/slowfast_small-frozen-seed3",
        "mine/list1/baseline/slowfast_r50_8x8-seed3",
        "mine/list1/baseline/slowfast_small-4x4-seed3",
        "mine/list1/teacher/static-LT-seed3",
        "mine/list1/teacher/dynamic-LT-seed3",
        "mine/list2/teacher/static-seed3",
        "mine/list2/teacher/dynamic-seed3",
        "mine/list1/student/dtkd-S0.3-T2-A0.4-LT-FT-seed3",
        "mine/list2/student/dtkd-S0.3-T2-A0.4-FT-seed3",
    }
    assert all(run.folder == folder for folder, run in given.runs().items())
    assert given.used_datasets() == ["mine", "source"]


def test_every_seed_repeats_every_run_but_the_pretraining():
    changes = {"model__weights": "pretrain", "pretrain": {"dataset": "source"}}
    one = read(config(**changes)).runs()
    two = read(config(seeds=[0, 5], **changes)).runs()
    assert set(one) < set(two)
    assert {folder.replace("seed5", "seed0") for folder in set(two) - set(one)} == {
        folder for folder in one if "pretrain" not in folder
    }


def test_a_baselines_own_clip_is_in_its_settings():
    small = {"clip": {"frames": 4, "rate": 4}}
    given = read(config(baselines__mine={"U1": None, "U2": {"list": 1}, "U5": small}))
    clips = {run.name: given.settings(run)["clip"] for run in given.runs().values() if run.role == "baseline"}
    assert clips == {"slowfast_small-seed0": {"frames": 8, "rate": 2},
                     "slowfast_small-4x4-seed0": {"frames": 4, "rate": 4}}  # fmt: skip
    assert given.reference("mine", 1)[0] == "U2", "students are compared with one of their own clip"


def test_rows_that_an_overlay_sets_to_null_are_gone():
    given = read(config(students__mine={"A": None, "B": BSKD}, baselines__mine={"U1": None, "U2": {"list": 1}}))
    assert list(given.students_of("mine")) == ["B"]
    assert given.reference("mine", 1)[0] == "U2"
    assert given.reference("mine", 2) is None


# Settings: what a run is made of


def settings_of(given, role):
    return {run.name: given.settings(run) for run in given.runs().values() if run.role == role}


@pytest.mark.parametrize(("changes", "summary", "more"), [
    ({}, {}, {}), ({"measure": "residual"}, {}, {}), ({"measure": "centre"}, {"measure": "centre"}, {}),
    ({"measure": "residual", "over_time": "q90"}, {"over_time": "q90"}, {"over_time": "q90"}),
    ({"source": "random", "over_time": "max"}, {"over_time": "max"}, {}),
    ({"measure": "person"}, {"measure": "person"}, {"on_no_person": "fail"}),
    ({"measure": "person_height", "on_no_person": "skip"}, {"measure": "person_height"}, {"on_no_person": "skip"}),
])  # fmt: skip
def test_what_flow_has_to_give_is_said_where_it_is_not_the_usual(changes, summary, more):
    """So that flow and splits of before there was more stand."""
    split = read(config(**{f"split__{key}": value for key, value in changes.items()})).split
    assert split.summary == summary
    own = {"quantile": 0.25, "boundary": "inclusive"}
    own |= {"seed": 0} if split.source == "random" else {"measure": split.measure, "over": "all"}
    assert split.settings("mine") == {"source": split.source, **own, **more}
    motion = split.settings("mine", "measure", "over")
    assert motion == {"source": split.source, **own, "measure": split.measure, "over": "all",
                      **({"over_time": split.over_time} if "over_time" in changes else {}), **more}  # fmt: skip


def test_persons_are_among_flows_settings_only_where_the_measure_is_of_them():
    """So that flow of before there was a detector stands."""
    plain, persons = {"algorithm": "farneback", "step": 1, "short_side": None}, {"every": 2}
    assert read(config(flow__persons=persons)).flow_settings == plain
    wanted = plain | {"person_every": 2, "person_threshold": 0.5}
    assert read(config(flow__persons=persons, split__measure="person")).flow_settings == wanted


@pytest.mark.parametrize(("given", "wanted"), [
    ({}, {"quantile": 0.25}), ({"threshold": "quantile"}, {"quantile": 0.25}), ({"value": 2.0}, {"value": 2.0}),
    ({"threshold": "value", "value": 2.0}, {"value": 2.0}), ({"threshold": "gap"}, {"threshold": "gap"}),
])  # fmt: skip
def test_a_threshold_is_among_the_settings_where_it_is_not_implied(given, wanted):
    """So that splits of before there was another stand."""
    split = read(config(**{f"split__{key}": value for key, value in given.items()})).split
    usual = {"source": "flow", "measure": "mean", "over": "all", "boundary": "inclusive"}
    assert split.settings("mine") == usual | wanted
    assert split.as_the_papers == ("quantile" in wanted)


def test_the_usual_fit_is_not_among_the_settings():
    """So that runs of before there was another stand."""
    usual = {"short_side": [64, 80], "crop": 64, "test_short_side": 64, "flip": 0.5}
    for changes, wanted in (({}, usual), ({"augment__fit": "squash"}, usual | {"fit": "squash"})):
        given = read(config(**changes))
        assert {str(given.settings(run)["augment"]) for run in given.runs().values()} == {str(wanted)}


@pytest.mark.parametrize("role", ["baseline", "teacher", "student"])
@pytest.mark.parametrize("changes", [
    {"train__epochs": 3}, {"train__lr": 0.1}, {"train__selection": "last"}, {"train__optimiser": "adamw"},
    {"clip__frames": 4}, {"augment__flip": 0.0}, {"augment__fit": "squash"}, {"augment__fit": "letterbox"},
    {"model__dropout": 0.0}, {"model__weights": "weights.pyth"},
    {"train__micro_batch": 2}, {"train__batch_norm": "synced"},
    {"train__selection": "validation"}, {"train__label_smoothing": 0.1}, {"train__class_balance": "weights"},
    {"train__rand_augment": {"magnitude": 5}}, {"train__clip_grad_norm": 1.0}, {"train__ema": 0.9},
    {"train__layer_decay": 0.8}, {"train": SMALL["train"] | {"schedule": "step", "milestones": [1]}},
])  # fmt: skip
def test_settings_change_with_what_matters(role, changes):
    before, after = settings_of(read(config()), role), settings_of(read(config(**changes)), role)
    assert before.keys() == after.keys()
    assert all(before[name] != after[name] for name in before)


def test_what_older_runs_had_no_choice_of_is_not_among_the_settings():
    """So that they stand."""
    for key in read(config()).train.learning():
        assert key not in LATER | {"validation_fraction"}
    validated = read(config(train__selection="validation", train__patience=3)).train.learning()
    assert (validated["validation_fraction"], validated["patience"]) == (0.1, 3)


@pytest.mark.parametrize(("own", "name"), [
    ({"epochs": 4}, "epochs4"), ({"label_smoothing": 0.1, "ema": 0.999}, "label_smoothing0.1-ema0.999"),
    ({"schedule": "step", "milestones": [1, 1.5]}, "schedule_step-milestones1+1.5"),
    ({"rand_augment": {"magnitude": 5}}, "rand_augment2+5"), ({"class_balance": "sampling"}, "class_balance_sampling"),
    ({"mixup": 0.2, "clip_grad_norm": None, "epochs": 2}, "mixup0.2"),
])  # fmt: skip
def test_a_control_is_a_baseline_that_is_trained_otherwise(own, name):
    study = read(config(baselines__mine__control={"train": own}))
    plain, control = (study.baseline_run("mine", row, 0) for row in study.baselines_of("mine").values())
    assert (plain.name, control.name) == ("slowfast_small-seed0", f"slowfast_small-{name}-seed0")
    differing = {
        key for key in Train.model_fields if getattr(study.train_of(control), key) != getattr(study.train, key)
    }
    assert differing == {key for key in own if own[key] is not None and own[key] != getattr(study.train, key)}
    assert study.settings(control)["train"] == study.train_of(control).learning() != study.settings(plain)["train"]
    trained = study.train_of(control)
    assert Train(**trained.learning(), **trained.computing()) == trained, "a training has it from the settings alone"
    assert study.reference("mine", 1)[0] == "U1"
    rows = shown_runs.table5(study)
    assert [(row["model"], row["method"]) for row in rows] == [
        ("U1", "baseline"),
        ("control", "control"),
        ("A", "dtkd"),
    ]
    assert rows[1]["variant"].startswith(next(iter(own)))


def test_all_runs_of_a_list_hold_out_the_same_videos():
    study = read(config(train__selection="validation", train__validation_fraction=0.25))
    files = {study.validation_file(run) for run in study.runs().values() if run.role != "pretrain"}
    assert files == {f"mine/list{number}/validation-0.25.csv" for number in {run.list for run in study.runs().values()}}
    usual = read(config())
    assert {usual.validation_file(run) for run in usual.runs().values()} == {None}


@pytest.mark.parametrize(("changes", "said"), [
    ({"train__patience": 2}, "train.patience: selection: best has no validation to wait for"),
    ({"train__selection": "validation", "teachers__train": {"selection": "last"}},
     "teachers.train.selection: last, but train.selection is validation: all trainings of a study hold out the same"),
    ({"train__selection": "validation", "teachers__train": {"validation_fraction": 0.2}},
     "teachers.train.validation_fraction: 0.2, but train.validation_fraction is 0.1"),
    ({"baselines__mine__U2": {"train": {"selection": "validation"}}},
     "baselines.mine.U2.train.selection: validation, but train.selection is best: all trainings of a study"),
    ({"baselines__mine__U2": {"train": {"devices": 2}}},
     "baselines.mine.U2.train.devices: is the same for all baselines; set train.devices"),
    ({"baselines__mine__U2": {"train": {"epoch": 2}}}, "baselines.mine.U2.train.epoch: unknown key; did you mean"),
    ({"baselines__mine__U1": {"train": {"epochs": 9}}}, "no unfrozen baseline of list 1"),
    ({"train__milestones": [1]}, "train.milestones: schedule: constant has none; set schedule: step"),
    ({"train__schedule": "step"}, "train.milestones: schedule: step needs some"),
    ({"train": SMALL["train"] | {"schedule": "step", "milestones": [3, 1]}}, "milestones: the first comes first"),
    ({"train__mixup": 0.2}, "train.mixup: mixes clips, and what teachers say to students.mine.A is of whole clips"),
    ({"train__class_balance": "sampling", "students__mine__A__FT": False},
     "students.mine.A.FT: teachers that go on learning would not see every clip by train.class_balance: sampling"),
])  # fmt: skip
def test_validations_that_do_not_fit(changes, said):
    with pytest.raises(DtkdError, match=re.escape(said)):
        read(config(**changes))


@pytest.mark.parametrize("role", ["baseline", "teacher", "student"])
@pytest.mark.parametrize("changes", [
    {"name": "other"}, {"device": "cuda"}, {"cache_mb": 0}, {"results": "elsewhere"}, {"flow__step": 2},
    {"split__quantile": 0.5},
    {"evaluation__clips_per_video": 3}, {"train__weight_decay": 0.0}, {"baselines__mine__U2": {"list": 2}},
    {"students__mine__B": BSKD}, {"train__micro_batch": None},
    {"teachers__train": {"lr": 0.01}}, {"teachers__train": None}, {"students__mine__A__teacher_outputs": "full"},
    {"train__validation_fraction": 0.3}, {"train__label_smoothing": 0.0}, {"train__rand_augment": None},
    {"train__class_balance": "none"}, {"baselines__mine__longer": {"train": {"epochs": 4}}},
    {"train__channels_last": True}, {"train__compile": True}, {"train__devices": 2}, {"train__nodes": 2},
])  # fmt: skip
def test_settings_do_not_change_with_what_does_not(role, changes):
    """Flow and split reach a run as input files, evaluation and device not at all."""
    before, after = settings_of(read(config()), role), settings_of(read(config(**changes)), role)
    assert before == {name: after[name] for name in before}


@pytest.mark.parametrize(("row", "other"), [
    (A, {"S_alpha": 0.5}), (A, {"KD_T": 4}), (A, {"KD_alpha": 0.5}), (A, {"FT": False}), (A, {"weighting": "blend"}),
    (A, {"teacher_outputs": "masked"}),
    (A, {"outside": "zero"}), (A | {"weighting": "blend"}, {"outside": "zero"}),
    (BSKD, {"KD_alpha": 0.5}), (KD, {"KD_alpha": 0.5}), (KD, {"KD_T": 4}),
])  # fmt: skip
def test_a_students_settings_change_with_its_row(row, other):
    one, two = student(**row), student(**row | other)
    assert one.settings(the_student(one)) != two.settings(the_student(two))
    assert the_student(one).folder != the_student(two).folder


@pytest.mark.parametrize(("row", "other"), [
    (A, {"outside": "confidence"}), (A | {"weighting": "partition"}, {"outside": "zero"}), (A, {"weighting": "gated"}),
    (A, {"method": "dtkd"}),
    (A, {"list": 2}), (KD, {"S_alpha": None}),
    (KD, {"teacher": "larger"}),  # another checkpoint to learn from, in another folder
])  # fmt: skip
def test_a_students_settings_keep_to_what_its_method_uses(row, other):
    one, two = student(**row), student(**row | other)
    assert one.settings(the_student(one)) == two.settings(the_student(two))


def test_settings_make_the_student_again():
    """A script rebuilds the student from its settings alone."""
    others = ({"FT": False}, {"weighting": "blend"}, {"outside": "zero"})
    for row in (A, BSKD, KD, *(A | other for other in others)):
        given = student(**row)
        run = the_student(given)
        assert student_row(given.settings(run)["student"]) == run.student


def test_training_settings_come_in_two_parts():
    """What a script gets of both makes the whole again."""
    for changes in ({}, {"micro_batch": 2, "compile": True, "devices": 4, "nodes": 2, "channels_last": True}):
        train = read(config(train=SMALL["train"] | changes)).train
        assert not train.learning().keys() & train.computing().keys()
        assert Train(**train.learning(), **train.computing()) == train


def test_settings_are_plain_values():
    given = read(config(students__mine__B=BSKD))
    for run in given.runs().values():
        settings = given.settings(run)
        assert yaml.safe_load(yaml.safe_dump(settings)) == settings


def test_a_change_of_pretraining_is_its_own():
    def runs(**train):
        given = read(config(model__weights="pretrain", pretrain={"dataset": "source", "train": train}))
        return settings_of(given, "pretrain"), settings_of(given, "baseline")

    (one, baseline), (two, same) = runs(epochs=5), runs(epochs=6)
    assert one["slowfast_small-seed0"]["train"]["epochs"] == 5
    assert one["slowfast_small-seed0"]["train"]["lr"] == 0.01, "what it does not say is as in `train`"
    assert one != two
    assert baseline == same, "the baseline sees it by its weights file"


def test_a_change_of_the_teachers_training_is_their_own():
    def runs(**train):
        given = read(config(teachers={"train": train}))
        return [settings_of(given, role) for role in ("baseline", "teacher", "student")]

    usual, (baseline, teacher, student) = runs(), runs(epochs=5)
    assert {each["train"]["epochs"] for each in teacher.values()} == {5}
    assert {each["train"]["lr"] for each in teacher.values()} == {0.01}, "what it does not say is as in `train`"
    assert [baseline, student] == [usual[0], usual[2]], "the student sees it by its teachers' files"
    given = read(config(teachers={"train": {"epochs": 5}}))
    ((teachers, run),) = given.all_teacher_sets().values()
    assert given.targets_settings(run, teachers)["train"]["epochs"] == 2, "they are asked about its clips"


def test_full_and_masked_teachers_stand_side_by_side():
    """Each pair and what it says has a name of its own; students of one pair share it."""
    rows = {"A": A, "B": A | {"teacher_outputs": "masked"}, "C": BSKD | {"teacher_outputs": "masked"}}
    given = read(config(students__mine=rows))
    outputs = {run.name: given.settings(run).get("teacher_outputs") for run in given.runs().values()}
    assert outputs == {
        "slowfast_small-seed0": None,
        "static-LT-seed0": "full", "dynamic-LT-seed0": "full", "dtkd-S0.3-T2-A0.4-LT-FT-seed0": "full",
        "static-LT-masked-seed0": None, "dynamic-LT-masked-seed0": None,
        "dtkd-S0.3-T2-A0.4-LT-FT-masked-seed0": None, "bskd-T2-A0.4-LT-FT-masked-seed0": None,
    }  # fmt: skip
    files = [given.teacher_sets(run)[0].file for run in given.runs().values() if run.student]
    assert files == ["mine/list1/targets/frozen-LT-seed0.pt", *["mine/list1/targets/frozen-LT-masked-seed0.pt"] * 2]


def test_a_masked_studys_runs_are_those_of_an_earlier_version():
    """Under their names, with their settings: teachers were masked before there was a choice."""
    masked, full = (read(config(teachers={"outputs": outputs})) for outputs in ("masked", "full"))
    assert masked.runs().keys() == full.runs().keys()
    for role in ("teacher", "student"):
        old, new = settings_of(masked, role), settings_of(full, role)
        assert {name: settings | {"teacher_outputs": "full"} for name, settings in old.items()} == new
        assert not any("teacher_outputs" in settings for settings in old.values())
    assert settings_of(masked, "baseline") == settings_of(full, "baseline")
    assert settings_of(masked, "student") == {
        "dtkd-S0.3-T2-A0.4-LT-FT-seed0": settings_of(masked, "baseline")["slowfast_small-seed0"]
        | {"student": A | {"method": "dtkd", "weighting": "gated"}}
    }, "and no other new key"
    asked = read(config(teachers={"outputs": "masked"}, students__mine__A__teacher_outputs="full"))
    assert the_student(asked).name == "dtkd-S0.3-T2-A0.4-LT-FT-full-seed0"


def test_teachers_follow_their_students_LT():
    given = read(config(students__mine={"A": A, "B": A | {"LT": False}, "C": BSKD}))
    names = {run.name for run in given.runs().values() if run.role == "teacher"}
    assert names == {"static-LT-seed0", "dynamic-LT-seed0", "static-seed0", "dynamic-seed0"}
    for run in given.runs().values():
        if run.role == "teacher":
            assert given.settings(run)["frozen"] == ("LT" in run.name)
            assert given.settings(run)["subset"] in run.name


# The shipped studies


def shipped(*overlays):
    result = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
    for name in overlays:
        update_config(result, yaml.safe_load((PROJECT / "studies" / name).read_text(encoding="utf-8")))
    return result


@pytest.mark.parametrize("overlays", [
    (), ("paper.yaml",), ("own_videos.yaml",), ("own_videos.yaml", "gpu.yaml"), ("readings.yaml",),
    ("subsets.yaml",),
])  # fmt: skip
def test_every_shipped_study_is_valid(overlays):
    given = read(shipped(*overlays))
    assert given.runs()
    assert all(given.students_of(dataset) for dataset in given.use)


@pytest.mark.parametrize("overlay", ["paper.yaml", "gpu.yaml"])
def test_large_networks_teachers_train_as_the_rest(overlay):
    """What the demo's small ones may need is none of their business."""
    result = shipped()
    result["teachers"]["train"] = {"epochs": 99}
    update_config(result, yaml.safe_load((PROJECT / "studies" / overlay).read_text(encoding="utf-8")))
    result["model"]["weights"] = "none"
    result["device"] = "cpu"
    given = read(result)
    assert given.train_settings("teacher") == given.train


@pytest.mark.parametrize(("overlays", "datasets"), [
    ((), {"demo_ucf": "ucf101", "demo_hmdb": "hmdb51"}),
    (("paper.yaml",), {"ucf101": "ucf101", "hmdb51": "hmdb51"}),
])  # fmt: skip
def test_students_are_table_5s(overlays, datasets):
    given, printed = read(shipped(*overlays)), published.table(5)
    columns = ["method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha"]
    assert given.use == list(datasets)
    for own, theirs in datasets.items():
        rows = printed[printed["dataset"] == theirs].set_index("model")
        expected = {
            model: {name: None if value != value else value for name, value in row.items()}
            for model, row in rows[columns].to_dict("index").items()
        }
        found = {
            model: {name: getattr(row, name, None) for name in columns} for model, row in given.students_of(own).items()
        }
        assert found == expected
        assert list(found) == list(expected), "in the table's order"
        assert all(row.list == 1 and not row.distillation.words() for row in given.students_of(own).values())


def test_baselines_are_table_3s():
    given = read(shipped("paper.yaml"))
    printed = published.table(3)
    assert len(printed) == 12
    for row in printed.itertuples():
        baseline = given.baselines_of(row.dataset)[row.model]
        run = given.baseline_run(row.dataset, baseline, seed=0)
        assert (run.list, run.backbone, run.frozen) == (row.list, row.backbone, row.frozen)
        clip = run.clip or given.clip
        assert (clip.frames, clip.rate) == ((64, 2) if row.backbone.endswith("16x8") else (32, 2))


@pytest.mark.parametrize("overlays", [(), ("paper.yaml",)])
def test_students_are_compared_with_table_3s_first(overlays):
    given = read(shipped(*overlays))
    assert [given.reference(dataset, 1)[0] for dataset in given.use] == ["U1", "H1"]


def test_targets_of_two_kinds_of_teachers_are_two_files():
    rows = {"A": A | {"LT": False, "split": "slowfast_small"}, "K": KD}
    given = read(config(students__mine=rows, splits={"slowfast_small": {"quantile": 0.5}}))
    with pytest.raises(
        DtkdError, match=r"two kinds of teachers would share the file .*frozen-slowfast_small-seed0\.pt"
    ):
        given.all_teacher_sets()


def test_controls_are_of_holms_family():
    baselines = {"U1": {"list": 1}, "long": {"list": 1, "train": {"epochs": 9}}}
    assert read(config(baselines__mine=baselines)).compared("mine") == {1: 2}
