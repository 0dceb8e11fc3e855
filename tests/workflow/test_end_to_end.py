"""The whole method on a few rendered videos: real jobs, from rendering to Table 5; again; and with another seed."""

import shutil

import numpy as np
import pandas as pd
import pytest
import tiny
import yaml

LIST = "results/small/list1"
STUDENT = "student/dtkd-S0.3-T2-A0.4-LT-FT-seed{}"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study of 4 x 12 drawn videos of 48 px and one epoch, run to its end."""
    root = tmp_path_factory.mktemp("small")
    render = {"vocabulary": "demo_hmdb", "groups": 4, "clips_per_group": 1, "width": 48, "height": 48, "frames": 12}
    students = {
        "A": {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "LT": True, "FT": True},
        "B": {"S_alpha": 0.5, "KD_T": 2, "KD_alpha": 0.4, "LT": True, "FT": False},
        "C": {"method": "bskd", "KD_T": 2, "KD_alpha": 0.4, "LT": True, "FT": True},
    }
    place = {"format": "hmdb51", "videos": "raw", "annotations": "raw/lists", "render": render}
    config = {
        "name": "small",
        "use": ["small"],
        "device": "cpu",
        "datasets": {"small": place},
        "model": {"backbone": "slowfast_small", "weights": "none"},
        "clip": {"frames": 8, "rate": 1},
        "augment": {"short_side": [32, 36], "crop": 32, "test_short_side": 32},
        "train": {"epochs": 1, "batch_size": 8, "lr": 0.05},
        "baselines": {"small": {"H1": {"list": 1}}},
        "students": {"small": students},
    }
    (root / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    run(root)
    return root


def run(root):
    done = tiny.snakemake(root, "--resources", "gpu=1", tiny.TABLE5, cores=8)
    assert done.returncode == 0, done.stderr[-5000:]


def table(root):
    return pd.read_csv(root / tiny.TABLE5)


def logits(root, run):
    return np.stack(pd.read_parquet(root / LIST / run / "predictions.parquet")["logits"])


def test_every_row_is_filled_from_its_own_predictions(finished):
    rows = table(finished)
    assert list(rows["model"]) == ["H1", "A", "B", "C"]
    assert rows[["top1", "top5", "top1_last", "top5_last"]].notna().all(axis=None)
    assert rows["gain"].tolist()[1:] == pytest.approx((rows["top1"] - rows["top1"][0]).tolist()[1:], abs=0.011)
    assert logits(finished, STUDENT.format(0)).shape == (12, 12)
    for run_folder in (finished / LIST).glob("*/*/"):
        held = {file.name for file in run_folder.iterdir()}
        assert held == {"checkpoint.pt", "history.parquet", "predictions.parquet", "run.json"}
    assert not list(finished.rglob("*.partial*"))


def test_nothing_is_left_to_do(finished):
    again = tiny.snakemake(finished, tiny.TABLE5)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stderr + again.stdout


def test_same_seed_same_table_another_seed_another(finished):
    before, said = (finished / tiny.TABLE5).read_bytes(), logits(finished, STUDENT.format(0))
    for gone in (LIST, "results/tables"):
        shutil.rmtree(finished / gone)
    run(finished)
    assert (finished / tiny.TABLE5).read_bytes() == before
    np.testing.assert_array_equal(logits(finished, STUDENT.format(0)), said)

    tiny.configure(finished, lambda config: config.update(seeds=[1]))
    run(finished)
    assert not np.allclose(logits(finished, STUDENT.format(1)), said, atol=1e-3)
    assert (finished / tiny.TABLE5).read_bytes() != before
