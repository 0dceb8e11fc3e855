"""`train.selection: validation` from the lists to Table 5: nobody trains on what is held out."""

import pandas as pd
import pytest
import small
import tiny
import torch


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study of one epoch, with teachers that stay as they are and others that go on learning."""
    root = small.write(tmp_path_factory.mktemp("validated"), "AB", epochs=2, selection="validation", patience=1)
    done = tiny.snakemake(root, "--resources", "gpu=1", tiny.TABLE5, "results/figures/figure6.png", cores=2)
    assert done.returncode == 0, done.stderr[-5000:]
    return root


def test_every_run_is_tested_on_what_none_trains_on(finished):
    folder = finished / small.LIST
    held = pd.read_csv(folder / "validation-0.1.csv")
    index = pd.read_parquet(finished / "results/small/videos.parquet")
    assert set(held["class"]) == set(index["class"])
    train = set(index.loc[index["list1"] == "train", "path"])
    assert set(held["video"]) < train
    for file in folder.glob("targets/*.pt"):
        assert set(torch.load(file, weights_only=True)["videos"]) == train - set(held["video"])
    runs = list(folder.glob("*/*/history.parquet"))
    assert len(runs) == 1 + 2 + 2  # the baseline, its teachers, their students
    for run in runs:
        history = pd.read_parquet(run)
        assert history["val_top1"].notna().all()
        assert pd.notna(history["top1"].iloc[-1])


def test_a_change_of_the_share_makes_the_trainings_again(finished):
    tiny.configure(finished, lambda config: config["train"].update(validation_fraction=0.3))
    plan = tiny.snakemake(finished, "--dry-run", tiny.TABLE5)
    assert "Hold out 0.3 of the training videos of small, list 1" in plan.stdout
    assert plan.stdout.count("Train student") >= 2
