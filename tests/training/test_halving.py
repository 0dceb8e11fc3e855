"""Successive halving: who goes on, and that a candidate that wins is trained as any other student."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from test_pinned_training import ALONE, COMMON, CPU, write_data

from dtkd.common.errors import DtkdError
from dtkd.training import evaluation, halving, launch, loop, trainer

SECONDS = ["train_seconds", "wait_seconds", "test_seconds"]


def tried(name, *top1, top5=50.0, diverged=None):
    epochs = [
        {"epoch": n, "val_top1": value, "val_top5": top5, "train_seconds": 2.0} for n, value in enumerate(top1, 1)
    ]
    return {"candidate": name, "epochs": epochs, "diverged": diverged}


def order(found):
    return [row["candidate"] for row in found["ranking"]]


# Ranking


def test_the_best_epoch_so_far_counts():
    found = halving.ranking([tried("a", 10.0, 30.0), tried("b", 40.0, 20.0), tried("c", 0.0, 35.0)], 2)
    assert (order(found), found["on"]) == (["b", "c", "a"], ["b", "c"])
    assert found["ranking"][0] == {
        "candidate": "b", "top1": 40.0, "top5": 50.0, "epoch": 1, "val_top1": [40.0, 20.0], "train_seconds": 4.0,
        "diverged": None,
    }  # fmt: skip


def test_of_equals_top_5_decides_then_who_was_better_before():
    alike = [tried("a", 10.0), tried("b", 10.0), tried("c", 10.0, top5=60.0)]
    assert order(halving.ranking(alike, 1)) == ["c", "a", "b"]
    assert order(halving.ranking(alike[::-1], 1)) == ["c", "b", "a"]


def test_who_has_diverged_is_last_and_goes_nowhere():
    some = [tried("a", 90.0, diverged="nan"), tried("b", diverged="inf"), tried("c", 0.0)]
    found = halving.ranking(some, 2)
    assert (order(found), found["on"]) == (["c", "a", "b"], ["c"]), "a place stays empty"
    assert found["ranking"][2]["top1"] is None
    with pytest.raises(DtkdError, match=r"no candidate left, all have diverged; the first one: nan$"):
        halving.ranking(some[:2], 1)


def test_a_place_that_nobody_has(tmp_path):
    (tmp_path / "ranking.json").write_text(json.dumps({"on": ["b", "a"]}))
    assert [halving.at_place(tmp_path / "ranking.json", place) for place in (1, 2, 3)] == ["b", "a", None]
    assert halving.ranking([tried("a", 1.0), {"candidate": None, **halving.NOBODY}], 1)["on"] == ["a"]


# What is known


def test_only_states_of_who_goes_on_are_kept(tmp_path):
    for name in "abc":
        halving.state(tmp_path, name).parent.mkdir(parents=True)
        halving.state(tmp_path, name).write_bytes(b"state")
        halving.keep(halving.state(tmp_path, name), {}, [], False, None)
    halving.forget(tmp_path, ["b"])
    assert [halving.state(tmp_path, name).exists() for name in "abc"] == [False, True, False]
    assert len(list(tmp_path.glob("candidates/*/history.json"))) == 3


@pytest.mark.parametrize(("over", "diverged", "known"), [
    (False, None, [1, 2, None]), (True, None, [1, 2, 2]), (False, "nan", [1, 2, 2]),
])  # fmt: skip
def test_what_is_known_of_a_candidate_is_not_trained_again(tmp_path, over, diverged, known):
    state, mark, epochs = tmp_path / "resume.pt", {"settings": {"rungs": (1, 2)}}, tried("a", 1.0, 2.0)["epochs"]
    assert halving.known(state, mark, 1) is None
    halving.keep(state, mark, epochs, over, diverged)
    found = [halving.known(state, mark, until) for until in (1, 2, 3)]
    assert [each and len(each["epochs"]) for each in found] == known
    assert [each and each["diverged"] for each in found] == [None, None, diverged]
    assert halving.known(state, {"settings": {"rungs": (1, 3)}}, 1) is None, "of other settings"


# Training


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Videos, of which a third of the training videos are held out."""
    folder = tmp_path_factory.mktemp("halving")
    write_data(folder)
    index = pd.read_parquet(folder / "videos.parquet")
    held = index[index["list1"] == "train"].groupby("class").head(1)
    held[["path", "class"]].rename(columns={"path": "video"}).to_csv(folder / "validation.csv", index=False)
    return folder


def plan(data, out, until=None, **changes):
    """A run into ``out``; with ``until`` a candidate's, whose state is there."""
    train = COMMON["train"] | {"epochs": 3, "selection": "validation", "validation_fraction": 0.3, "ema": 0.5,
                               "schedule": "cosine"}  # fmt: skip
    names = {"checkpoint": "checkpoint.pt", "history": "history.parquet", "predictions": "predictions.parquet",
             "record": "run.json"}  # fmt: skip
    given = {"index": "videos.parquet", "pixels": "pixels.json", "validation": "validation.csv"}
    out.mkdir(exist_ok=True)
    own = {"outputs": {}, "state": str(out / "resume.pt"), "until": until} if until else {
        "outputs": {key: str(out / file) for key, file in names.items()}}  # fmt: skip
    return trainer.Plan(
        settings=COMMON | {"train": train | changes.pop("train", {})}, computing=ALONE, root=str(data / "raw"),
        column="list1", device="cpu", threads=1, cache_mb=16, sha256=None,
        inputs={key: str(data / file) for key, file in given.items()}, **(own | changes),
    )  # fmt: skip


def known(own, until):
    return halving.known(own.resume, halving.fingerprint(own.settings, own.inputs), until)


def test_a_winner_is_the_ordinary_run_bit_for_bit(data, tmp_path, monkeypatch):
    """Trained to a rung, interrupted on the way to the next one, gone on with to the end, and tested."""
    trainer.run(plan(data, tmp_path / "plain"), CPU)

    launch.start(plan(data, tmp_path / "candidate", until=1))
    first = known(plan(data, tmp_path / "candidate", until=1), 1)
    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "predict", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            launch.start(plan(data, tmp_path / "candidate", until=3))
    launch.start(plan(data, tmp_path / "candidate", until=3))
    assert {path.name for path in (tmp_path / "candidate").iterdir()} == {"resume.pt", "history.json"}, "not tested"

    (tmp_path / "ranking.json").write_text("{}")
    search = {"winner": "a", "settings": {"search": "whole"}, "ranking": str(tmp_path / "ranking.json")}
    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_epoch", lambda *_: pytest.fail("trained again"))
        state = str(tmp_path / "candidate/resume.pt")
        trainer.run(plan(data, tmp_path / "winner", state=state, search=search), CPU)

    plain, winner = (torch.load(tmp_path / name / "checkpoint.pt") for name in ("plain", "winner"))
    assert plain["settings"] == winner["settings"], "those that predict needs"
    for weights in ("model", "last"):
        assert all(torch.equal(value, winner[weights][name]) for name, value in plain[weights].items())
    histories = [pd.read_parquet(tmp_path / name / "history.parquet").drop(columns=SECONDS)
                 for name in ("plain", "winner")]  # fmt: skip
    pd.testing.assert_frame_equal(*histories, rtol=0, atol=0)
    assert [row["train_loss"] for row in first["epochs"]] == histories[0]["train_loss"].tolist()[:1]
    tables = [pd.read_parquet(tmp_path / name / "predictions.parquet") for name in ("plain", "winner")]
    assert all((a == b).all() for a, b in zip(*(table["logits"] for table in tables), strict=True))

    record = json.loads((tmp_path / "winner/run.json").read_text())
    assert (record["winner"], record["settings"]) == ("a", {"search": "whole"})
    assert Path(record["inputs"]["ranking"]["path"]).name == "ranking.json"
    assert (tmp_path / "candidate/resume.pt").exists(), "a grid that grows goes on from it"


def test_a_lost_state_costs_time_alone(data, tmp_path):
    launch.start(plan(data, tmp_path / "a", until=1))
    before = known(plan(data, tmp_path / "a", until=1), 1)
    (tmp_path / "a/resume.pt").unlink()
    launch.start(plan(data, tmp_path / "a", until=2))
    after = known(plan(data, tmp_path / "a", until=2), 2)
    assert after["epochs"][0]["train_loss"] == before["epochs"][0]["train_loss"]


def test_a_candidate_that_diverges_ends_no_search(data, tmp_path, monkeypatch):
    train_epoch = loop.train_epoch

    def broken(run, epoch, *rest):
        if epoch == 1:
            raise loop.Diverged("the loss is nan at epoch 2")
        return train_epoch(run, epoch, *rest)

    monkeypatch.setattr(loop, "train_epoch", broken)
    launch.start(plan(data, tmp_path / "a", until=2))
    found = known(plan(data, tmp_path / "a", until=2), 2)
    assert (len(found["epochs"]), found["diverged"]) == (1, "the loss is nan at epoch 2")
    with pytest.raises(DtkdError, match="nan at epoch 2"):
        trainer.run(plan(data, tmp_path / "plain"), CPU)
