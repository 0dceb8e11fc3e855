"""Features of videos by a network, and a study's steps on these: index, statistics, a training, a prediction."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import draw

from dtkd.common.files import write_json
from dtkd.config import Train
from dtkd.data import datasets, features, inspection
from dtkd.data.datasets import Source
from dtkd.inference import extract, predict
from dtkd.models import backbones
from dtkd.training import networks, trainer
from dtkd.training.hardware import Hardware
from dtkd.training.trainer import Plan

SETTINGS = {
    "backbone": "slowfast_tiny", "dropout": 0.0, "frozen": False, "seed": 0,
    "clip": {"frames": 4, "rate": 1}, "augment": {"short_side": [32, 36], "crop": 32, "test_short_side": 32},
    "train": {"epochs": 1, "batch_size": 4, "lr": 0.01},
}  # fmt: skip
CPU = Hardware(torch.device("cpu"), threads=1)


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """Two classes of four videos, and a network that was trained on others."""
    folder = tmp_path_factory.mktemp("filmed")
    for label, name in enumerate(("left", "right")):
        (folder / "videos" / name).mkdir(parents=True)
        for number in range(4):
            draw(folder / "videos" / name / f"{number}.avi", seed=10 * label + number, label=label)
    model = networks.new_model(SETTINGS, 3, None).state_dict()
    about = {"classes": ["a", "b", "c"], "own": None, "pixels": {"mean": [0.5] * 3, "std": [0.2] * 3}}
    torch.save({"model": model, "last": model, "epoch": 1, "settings": SETTINGS} | about, folder / "checkpoint.pt")
    return folder


def told(monkeypatch, capsys, *arguments):
    """(exit status, what the command says)."""
    monkeypatch.setattr(sys, "argv", ["extract", *map(str, arguments), "--device", "cpu", "--threads", "1"])
    with pytest.raises(SystemExit) as ended:
        extract.main()
    said = capsys.readouterr().err
    if isinstance(ended.value.code, str):
        return 1, said + ended.value.code
    return ended.value.code, said


def test_what_the_last_layer_is_given(filmed):
    """Windows spread over the video, each through all of the network but its last layer, which gives the logits."""
    trained = predict.load(filmed / "checkpoint.pt")
    path = filmed / "videos/left/0.avi"
    videos = datasets.Videos(("a",), (path,), (0,))
    found = next(extract.extracted(trained, videos, windows=3, batch=2, hardware=CPU))
    assert found.shape == (3, backbones.projection(trained.classifier.model).in_features)
    assert found.dtype == np.float32
    logits = backbones.projection(trained.classifier.model)(torch.from_numpy(found)).mean(0)
    evaluation = predict.Evaluation(clips_per_video=3, average="logits")
    expected = next(predict.predict(trained, [path], evaluation, CPU))
    torch.testing.assert_close(logits.detach(), expected, rtol=1e-4, atol=1e-5)


def test_features_are_extracted_and_learned_from(filmed, tmp_path, monkeypatch, capsys):
    """A bad video stops nothing else; what is there is not made again; lists and files are a data set as they are."""
    out = tmp_path / "features"
    (filmed / "videos/right/broken.avi").write_bytes(b"no video")
    status, said = told(monkeypatch, capsys, filmed / "checkpoint.pt", filmed / "videos", out, "--windows", 4)
    (filmed / "videos/right/broken.avi").unlink()
    assert status == 1
    assert "broken.avi: " in said
    assert f"8 of 9 videos have features in {out}" in said
    assert set(pd.read_csv(out / "lists.csv").columns) == {"video", "class", "split", "split2", "split3", "group"}
    (out / "left/1.npy").write_bytes((out / "left/1.npy").read_bytes()[:-4])
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.npy")}
    assert told(monkeypatch, capsys, filmed, filmed / "videos", out, "--windows", 4)[0] == 0
    made = [path for path, when in before.items() if path.stat().st_mtime_ns != when]
    assert made == [out / "left/1.npy"], "the one that was cut off"
    status, said = told(monkeypatch, capsys, filmed, filmed / "videos", out, "--windows", 5)
    assert status == 1
    assert "features.json: the features there differ in windows; name another folder" in said

    source = Source("features", out, out / "lists.csv")
    everything = datasets.index(source)
    sound, reasons = features.inspect(out, everything["path"])
    assert not reasons
    index = inspection.described(everything, sound, features.FeatureInfo)
    run = tmp_path / "run"
    run.mkdir()
    index.to_parquet(run / "videos.parquet")
    write_json(run / "pixels.json", features.statistics(datasets.Videos.of(index, out, "list1", "train")))
    train = Train(epochs=8, batch_size=4, lr=0.01, optimiser="adamw", selection="last")
    settings = {"backbone": "temporal_conv", "dropout": 0.0, "frozen": False, "seed": 0, "weights": "none",
                "clip": {"frames": 3, "rate": 1}, "train": train.learning()}  # fmt: skip
    names = {"checkpoint": "checkpoint.pt", "history": "history.parquet", "predictions": "predictions.parquet",
             "record": "run.json"}  # fmt: skip
    plan = Plan(settings, train.computing(), str(out), "list1", "cpu", 1, 64, None,
                {"index": str(run / "videos.parquet"), "pixels": str(run / "pixels.json")},
                {name: str(run / file) for name, file in names.items()})  # fmt: skip
    trainer.run(plan, CPU)
    history = pd.read_parquet(run / "history.parquet")
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0] / 2
    assert json.loads((run / "run.json").read_text())["settings"] == settings, "as the workflow compares them"

    tested = pd.read_parquet(run / "predictions.parquet")
    answers = predict.predict(predict.load(run), [out / video for video in tested["video"]], hardware=CPU)
    for logits, answer in zip(tested["logits"], answers, strict=True):
        np.testing.assert_allclose(answer.numpy(), logits, atol=1e-6)
    assert predict.videos_in([out], (".npy",)) == sorted(out.rglob("*.npy"))
    status, said = told(monkeypatch, capsys, run, out, tmp_path / "more")
    assert (status, "takes features itself; name a network that takes videos" in said) == (1, True)


def test_published_weights_bring_their_clip(tmp_path):
    model = backbones.build("r3d_18", 5)
    torch.save(model.state_dict(), tmp_path / "weights.pth")
    trained = extract.published("r3d_18", tmp_path / "weights.pth", Train(epochs=1, batch_size=1, lr=1))
    assert (trained.clip.frames, trained.clip.rate, trained.augment.crop) == (16, 2, 112)
    torch.testing.assert_close(trained.classifier.model.state_dict(), model.state_dict())
    with pytest.raises(extract.DtkdError, match="slowfast_tiny: has no published clip"):
        extract.published("slowfast_tiny", tmp_path / "weights.pth", Train(epochs=1, batch_size=1, lr=1))
