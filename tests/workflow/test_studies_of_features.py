"""A study of features: which jobs it has, and what its index and its groups are made of."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import tiny


@pytest.fixture
def study(tmp_path):
    """The tiny study on features: those of later classes change more from step to step."""
    tiny.write(tmp_path)
    random = np.random.default_rng(0)
    for label, name in enumerate(tiny.CLASSES):
        (tmp_path / "features" / name).mkdir(parents=True)
        for clip in tiny.CLIPS[name]:
            steps = random.normal(0, 1 + label, (6, 5)).astype(np.float16)
            np.save(tmp_path / "features" / clip.replace(".avi", ".npy"), steps)

    def of_features(config):
        own = {"format": "features", "videos": "features", "annotations": "lists", "lists": 1}
        config["datasets"] = {"own": own, "tiny": config["datasets"]["tiny"]}
        config |= {"use": ["own"], "split": {"measure": "feature_change"}, "clip": {"frames": 4, "rate": 1}}
        config["model"]["backbone"] = "linear"
        config["baselines"], config["students"] = ({"own": config[key]["tiny"]} for key in ("baselines", "students"))

    tiny.configure(tmp_path, of_features)
    return tmp_path


def jobs(study, *targets):
    told = tiny.snakemake(study, "--dry-run", *targets)
    assert told.returncode == 0, told.stderr
    return set(re.findall(r"^(\w+) +\d+$", told.stdout, re.MULTILINE)) - {"total"}


def test_the_report_of_features_needs_no_frames(study):
    made = jobs(study, "results/report.html")
    assert not made & {"flow", "examples", "check", "check_groups"}
    assert made >= {"index", "split", "stability", "pixel_statistics", "train_teacher", "train_student", "report"}
    told = tiny.snakemake(study, "--dry-run", "results/own/check.html")
    assert "own: checks look at videos; files of features are looked at as the index is made" in told.stderr


def test_flow_of_the_videos_makes_the_groups_where_they_are_there(study):
    def filmed(config):
        config["datasets"]["own"]["features_of"] = "tiny"
        config["split"]["measure"] = "mean"

    tiny.configure(study, filmed)
    told = tiny.snakemake(study, "--summary", "results/own/split.json")
    assert told.returncode == 0, told.stderr
    made = set(re.findall(r"^results/\S+", told.stdout, re.MULTILINE))
    flow = {f"results/tiny/flow/{name}.parquet" for name in tiny.CLASSES}
    assert made == flow | {"results/tiny/videos.parquet", "results/own/split.json"}


def test_groups_by_change_and_a_file_that_is_no_use(study):
    broken = study / "features" / tiny.CLIPS["Diving"][3].replace(".avi", ".npy")
    np.save(broken, np.full((6, 5), np.nan, np.float16))
    done = tiny.snakemake(study, "results/own/split.json")
    assert done.returncode != 0
    assert "1 of 16 videos cannot be used: Diving/v_Diving_g04_c01.npy (step 1 holds NaN or infinity" in done.stderr
    tiny.configure(study, lambda config: config.update(on_bad_video="skip"))
    done = tiny.snakemake(study, "results/own/split.json")
    assert done.returncode == 0, done.stderr
    index = pd.read_parquet(study / "results/own/videos.parquet")
    assert (len(index), set(index["steps"]), set(index["dimension"])) == (15, {6}, {5})
    split = json.loads((study / "results/own/split.json").read_text())
    assert {name: entry["subset"] for name, entry in split["classes"].items()} == {
        "Archery": "static", "Bowling": "dynamic", "Diving": "dynamic", "JumpRope": "dynamic"
    }  # fmt: skip
    own = index[index["class"] == "Archery"]["feature_change"].mean()
    assert split["classes"]["Archery"]["mean"] == pytest.approx(own)
