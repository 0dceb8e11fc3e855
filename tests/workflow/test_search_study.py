"""A search from its first rung to Table 5: held-out training videos choose, and records tell what was chosen."""

import json
from pathlib import Path

import pandas as pd
import pytest
import small
import tiny

from dtkd.operations import verify


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study of two epochs: a student, and a search of two candidates of which it is one."""
    root = small.write(tmp_path_factory.mktemp("validated"), "A", epochs=2, selection="validation", patience=1)
    tuned = small.STUDENTS["A"] | {"search": {"grid": {"S_alpha": [0.3, 0.5]}, "rungs": [1], "eta": 2}}
    tiny.configure(root, lambda config: config["students"]["small"].update(tuned=tuned))
    targets = (
        tiny.TABLE5,
        "results/tables/searches.csv",
        "results/figures/searches.png",
    )
    done = tiny.snakemake(root, "--resources", "gpu=1", *targets, cores=2)
    assert done.returncode == 0, done.stderr[-5000:]
    return root


def test_a_search_finds_a_student_by_what_is_held_out(finished, monkeypatch):
    monkeypatch.chdir(finished)
    search, winner = Path(small.LIST, "search/tuned-seed0"), Path(small.LIST, "student/search-tuned-seed0")
    first = {name: json.loads((search / f"epoch1/candidate-{name}.json").read_text()) for name in ("S0.3", "S0.5")}
    row = pd.read_parquet(f"{small.LIST}/student/dtkd-S0.3-T2-A0.4-LT-FT-seed0/history.parquet").iloc[0]
    (epoch,) = first["S0.3"]["epochs"]
    assert (epoch["train_loss"], epoch["val_top1"]) == (row["train_loss"], row["val_top1"]), "as if it were a row"
    assert "top1" not in epoch, "no test video has been looked at"

    (found,) = json.loads((search / "epoch2/ranking.json").read_text())["ranking"]
    record = json.loads((winner / "run.json").read_text())
    assert record["winner"] == found["candidate"] == json.loads((search / "epoch1/ranking.json").read_text())["on"][0]
    history = pd.read_parquet(winner / "history.parquet")
    assert history["val_top1"].tolist() == found["val_top1"]
    assert [file.parent.name for file in search.glob("candidates/*/resume.pt")] == [found["candidate"]]
    (row,) = pd.read_csv(tiny.TABLE5).query("model == 'tuned'").to_dict("records")
    assert (f"S{row['S_alpha']:g}", row["variant"]) == (found["candidate"], f"best of 2: {found['candidate']}")
    assert pd.read_csv("results/tables/searches.csv")["rank"].tolist() == [1, 2]
    assert verify.verify("results").changed == []
    assert verify.other_settings("results") == []
