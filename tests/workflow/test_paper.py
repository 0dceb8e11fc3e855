"""studies/paper.yaml over the official lists: exactly the paper's jobs, and nothing of the demo's sizes."""

import re
from collections import Counter

import official
import pytest
import tiny
import yaml
from snakemake.utils import update_config

from dtkd.config import Study, read

PAPER = tiny.PROJECT / "studies" / "paper.yaml"
JOBS = {
    "index": 2,
    "check": 2,
    "check_groups": 2,
    "stability": 2,
    "flow": 101 + 51,
    "split": 2,
    "pixel_statistics": 2 * 3,  # each list has its own training videos
    "download_weights": 3,
    "train_baseline": 2 * 6,
    "frozen_features": 2,
    "train_teacher": 2 * 2 * 2,  # static or dynamic, LT or not, for each dataset
    "teacher_logits": 2 * 2,
    "continue_teachers": 2 * 2,
    "train_student": 2 * 13,
    "table": 9,
    "disagreements": 1,
    "figure": 13,
    "figure_teachers": 1,
    "examples": 1,
    "report": 1,
    "all": 1,
}


def merged() -> dict:
    """config.yaml with the overlay, merged as Snakemake does."""
    config = yaml.safe_load((tiny.PROJECT / "config.yaml").read_text(encoding="utf-8"))
    update_config(config, yaml.safe_load(PAPER.read_text(encoding="utf-8")))
    return config


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A working folder with both datasets where the overlay looks for them: each video one byte."""
    root = tmp_path_factory.mktemp("paper")
    (root / "config.yaml").write_bytes((tiny.PROJECT / "config.yaml").read_bytes())
    (root / "data").mkdir()
    datasets = yaml.safe_load(PAPER.read_text(encoding="utf-8"))["datasets"]
    for name, write in (("ucf101", official.write_ucf101), ("hmdb51", official.write_hmdb51)):
        videos, annotations = write(root / name)
        videos.rename(root / datasets[name]["videos"])
        annotations.rename(root / datasets[name]["annotations"])
    return root


def test_every_job_of_the_paper(root):
    done = tiny.snakemake(root, "--dry-run", "--configfile", str(PAPER))
    assert done.returncode == 0, done.stderr
    counts = {rule: int(number) for rule, number in re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE)}
    assert counts == JOBS | {"total": sum(JOBS.values())}
    assert counts["total"] < 400, "a scheduler sees classes and runs, not videos"
    messages = Counter(re.findall(r"^Job \d+: (.+)$", done.stdout, re.MULTILINE))
    assert messages.total() == sum(JOBS.values()) - JOBS["all"]
    assert set(messages.values()) == {1}, "no job twice"
    for name, videos in (("HandstandPushups", "ucf101"), ("brush_hair", "hmdb51")):
        assert f"Optical flow of {videos}/{name}" in messages
    assert "Download the Kinetics-400 weights of slowfast_r101_16x8" in messages


def test_missing_data_is_one_line(tmp_path):
    """The overlay as shipped, before any path is put in."""
    (tmp_path / "config.yaml").write_bytes((tiny.PROJECT / "config.yaml").read_bytes())
    done = tiny.snakemake(tmp_path, "--dry-run", "--configfile", str(PAPER), "--", tiny.TABLE5)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last == "error: data/testTrainMulti_7030_splits: there is no such folder; correct `annotations`"


def test_wrong_videos_folder_is_one_line(root):
    paths = "datasets={ucf101: {videos: elsewhere}}"
    done = tiny.snakemake(root, "--dry-run", "--configfile", str(PAPER), "--config", paths, "--", tiny.TABLE5)
    assert done.returncode != 0
    assert done.stderr.strip().splitlines()[-1] == "error: elsewhere: there is no such folder; correct `videos`"
    assert len(done.stdout + done.stderr) < 10_000, "13,320 names would bury the one line"


def test_settings_are_the_papers():
    paper = read(merged())
    assert paper.model.model_dump() == {
        "backbone": "slowfast_r101_16x8", "weights": "kinetics400", "weights_sha256": None, "dropout": 0.5,
    }  # fmt: skip
    assert paper.pretrain is None
    assert paper.clip.model_dump() == {"frames": 64, "rate": 2, "fps": None, "crop": None}
    assert paper.augment.settings == {"short_side": [256, 320], "crop": 256, "test_short_side": 256, "flip": 0.5}
    assert paper.train.model_dump() == {
        "epochs": 10, "batch_size": 8, "optimiser": "sgd", "lr": 0.001, "momentum": 0.9, "weight_decay": 0.0,
        "schedule": "constant", "warmup_epochs": 0, "clips_per_video": 1, "selection": "best", "precision": "auto",
        "micro_batch": None, "channels_last": False, "compile": False, "devices": 1, "nodes": 1,
        "batch_norm": "local", "milestones": (), "gamma": 0.1, "validation_fraction": 0.1, "patience": None,
        "label_smoothing": 0.0, "class_balance": "none", "mixup": 0.0, "cutmix": 0.0, "rand_augment": None,
        "clip_grad_norm": None, "ema": None, "layer_decay": 1.0,
    }  # fmt: skip
    assert paper.teachers.outputs == "full"
    assert paper.train_settings("teacher") == paper.train
    assert paper.evaluation.model_dump() == {"clips_per_video": 1, "crops_per_clip": 1, "average": "softmax"}
    assert paper.flow.settings == {"algorithm": "farneback", "step": 1, "short_side": None}
    assert paper.split.settings("ucf101") == {
        "source": "flow", "measure": "mean", "over": "all", "quantile": 0.25, "boundary": "inclusive",
    }  # fmt: skip
    assert paper.use == ["ucf101", "hmdb51"]
    assert paper.used_datasets() == paper.use, "no demo dataset is rendered for the paper"
    assert paper.datasets["ucf101"].format == "ucf101"
    assert paper.datasets["hmdb51"].format == "hmdb51"
    assert not any(paper.datasets[name].render for name in paper.use)


def test_runs_are_the_papers():
    runs = read(merged()).runs().values()
    assert {run.dataset for run in runs} == {"ucf101", "hmdb51"}
    assert {run.backbone for run in runs} == {
        "slowfast_r101_16x8", "slowfast_r101_8x8", "slowfast_r50_8x8"
    }  # fmt: skip
    assert Counter(run.role for run in runs) == {"baseline": 12, "teacher": 8, "student": 26}


@pytest.mark.parametrize("section", ["flow", "split", "teachers", "clip", "augment", "train", "evaluation"])
def test_nothing_of_the_demos_sizes_is_left(section):
    """The overlay names every key of a section that the demo, or a later change of it, could size for itself."""
    demo = yaml.safe_load((tiny.PROJECT / "config.yaml").read_text(encoding="utf-8"))
    own = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    fields = set(Study.model_fields[section].annotation.model_fields)
    assert set(demo[section]) <= set(own[section])
    assert set(own[section]) == fields


def test_no_demo_weights_are_left():
    """Of `model` the checksum alone may stay unsaid: neither config gives one."""
    demo = yaml.safe_load((tiny.PROJECT / "config.yaml").read_text(encoding="utf-8"))
    own = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    assert set(demo["model"]) <= set(own["model"])
    assert own["pretrain"] is None
