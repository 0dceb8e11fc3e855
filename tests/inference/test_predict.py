"""A checkpoint, alone, answers for any video as its run's own test did; what cannot be read stops nothing else."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from checkpoint_files import CLASSES, CPU, PIXELS, SETTINGS, write
from conftest import draw

from dtkd.common.errors import DtkdError
from dtkd.config import Augment, Clip, Evaluation, Train
from dtkd.data.datasets import Videos
from dtkd.data.video import VideoError
from dtkd.inference import predict
from dtkd.training import networks
from dtkd.training.classifier import Classifier
from dtkd.training.evaluation import evaluate
from dtkd.training.hardware import Hardware
from dtkd.training.normalise import Normalise
from dtkd.training.views import views_to_test


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write(tmp_path_factory.mktemp("run") / "checkpoint.pt")


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.avi"
    path.write_bytes(b"no video")
    return path


def evaluated(checkpoint, videos: Videos, evaluation, augment=SETTINGS["augment"]):
    """The logits of the selected and of the last epoch, as the workflow's evaluation gives them."""
    states = torch.load(checkpoint, weights_only=True)
    normalise = Normalise(PIXELS["mean"], PIXELS["std"])
    found = evaluate(
        Classifier(networks.new_model(SETTINGS, 4, None)), states, normalise, videos,
        views_to_test(videos, Clip(**SETTINGS["clip"]), Augment(**augment), evaluation, normalise),
        settings=Train(**SETTINGS["train"]), hardware=CPU, average=evaluation.average,
    )  # fmt: skip
    return np.stack(found["logits"]), np.stack(found["logits_last"])


@pytest.mark.parametrize("evaluation", [
    Evaluation(), Evaluation(clips_per_video=3, crops_per_clip=3), Evaluation(clips_per_video=2, average="logits"),
])  # fmt: skip
def test_answers_are_those_of_the_workflows_evaluation(checkpoint, toy, evaluation):
    for part, wanted in zip(("model", "last"), evaluated(checkpoint, toy[1], evaluation), strict=True):
        said = list(predict.predict(predict.load(checkpoint, part), toy[1].paths, evaluation, CPU))
        np.testing.assert_allclose(torch.stack(said).numpy(), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("fit", ["squash", "letterbox"])
def test_frames_are_fitted_as_in_the_checkpoints_training(checkpoint, toy, tmp_path, fit, monkeypatch, capsys):
    augment = SETTINGS["augment"] | {"fit": fit}
    other = write(tmp_path / "checkpoint.pt", settings=SETTINGS | {"augment": augment})
    said = torch.stack(list(predict.predict(predict.load(other), toy[1].paths, hardware=CPU)))
    wanted, _ = evaluated(other, toy[1], Evaluation(), augment)
    np.testing.assert_allclose(said.numpy(), wanted, rtol=1e-5, atol=1e-5)
    cropped = torch.stack(list(predict.predict(predict.load(checkpoint), toy[1].paths, hardware=CPU)))
    assert not torch.allclose(said, cropped, atol=1e-3)
    assert command(monkeypatch, other, toy[1].paths[0], "--crops", 3) == (
        f"error: --crops: 3 crops lie along the longer side, and augment.fit: {fit} shows it all: set 1"
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_a_video_that_cannot_be_used_is_an_answer_too(checkpoint, toy, broken, workers, monkeypatch):
    monkeypatch.setattr(Hardware, "workers", workers)
    paths = [toy[1].paths[0], broken, broken.parent / "gone.avi", toy[1].paths[1]]
    trained = predict.load(checkpoint)
    first, second, third, last = predict.predict(trained, paths, hardware=CPU)
    assert isinstance(second, VideoError)
    assert "broken.avi: is not a video" in str(second)
    assert "gone.avi: cannot be read" in str(third)
    for path, logits in ((paths[0], first), (paths[3], last)):
        torch.testing.assert_close(logits, next(predict.predict(trained, path, hardware=CPU)), rtol=1e-5, atol=1e-5)


def test_videos_of_one_batch_answer_in_their_order(checkpoint, toy, broken):
    """Four videos a batch, an error among them: each has the answer that it has alone."""
    trained, paths = predict.load(checkpoint), [*toy[1].paths[:6], broken, *toy[1].paths[6:]]
    found = list(predict.predict(trained, paths, hardware=CPU))
    assert [isinstance(answer, VideoError) for answer in found] == [path == broken for path in paths]
    for path, answer in zip(paths, found, strict=True):
        if path != broken:
            torch.testing.assert_close(answer, next(predict.predict(trained, path, hardware=CPU)), rtol=1e-5, atol=1e-5)


def test_a_file_that_was_replaced_is_read_anew(checkpoint, tmp_path):
    trained = predict.load(checkpoint)
    first, second = (next(predict.predict(trained, draw(tmp_path / "a.avi", frames=frames), hardware=CPU))
                     for frames in (40, 9))  # fmt: skip
    assert isinstance(second, torch.Tensor), second
    first += 1  # no tensor of inference mode


def test_a_name_that_opencv_cannot_take_is_an_answer(checkpoint, toy, tmp_path, monkeypatch):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.avi"))
    shutil.copy(toy[1].paths[0], odd)
    [error] = predict.predict(predict.load(checkpoint), odd, hardware=CPU)
    assert str(error) == f"{tmp_path}/a\\xff.avi: its name is not UTF-8: rename it."
    assert command(monkeypatch, checkpoint, odd, toy[1].paths[0], "--top", 1, "--csv", tmp_path / "a.csv") == 1
    assert pd.read_csv(tmp_path / "a.csv")["video"].tolist() == [f"{tmp_path}/a\\xff.avi", str(toy[1].paths[0])]


def test_a_teacher_answers_for_its_own_classes_only(tmp_path, toy):
    trained = predict.load(write(tmp_path / "teacher.pt", own=["clap", "wave"]))
    [logits] = predict.predict(trained, toy[1].paths[0], hardware=CPU)
    found = predict.ranked(trained.classes, logits, 9)
    assert sorted(name for name, _ in found) == ["clap", "wave"]
    assert sum(probability for _, probability in found) == pytest.approx(1)
    assert found[0][1] >= found[1][1]


@pytest.mark.parametrize(("content", "message"), [
    (None, "cannot be read"),
    (b"text", "is damaged"),
    ({"model": {"a": torch.zeros(1)}}, "is no checkpoint of a finished run; give the checkpoint.pt of a run's folder"),
    (torch.zeros(3), "is no checkpoint of a finished run"),
    ({"model": {}, "settings": {}, "classes": []}, "was made by an earlier version"),
])  # fmt: skip
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content, message):
    path = tmp_path / "weights.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(DtkdError, match=rf"weights\.pt:? {message}"):
        predict.load(path)


def test_a_runs_folder_will_do(checkpoint):
    assert predict.load(checkpoint.parent).classes == CLASSES
    with pytest.raises(ValueError, match="'model' and 'last', not 'first'"):
        predict.load(checkpoint, "first")


def test_folders_give_their_videos(tmp_path):
    for name in ("videos/b/2.mp4", "videos/b/1.AVI", "videos/a.avi", "videos/notes.txt", "videos/.hidden/c.avi",
                 "videos/b/.d.avi", "videos/folder.avi/e.avi", "elsewhere/f.avi"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "videos" / "link").symlink_to(tmp_path / "elsewhere")
    found = predict.videos_in([tmp_path / "any.name", tmp_path / "videos"])
    assert [str(path.relative_to(tmp_path)) for path in found] == [
        "any.name", "videos/a.avi", "videos/b/1.AVI", "videos/b/2.mp4", "videos/folder.avi/e.avi", "videos/link/f.avi"
    ]  # fmt: skip
    (tmp_path / "empty").mkdir()
    with pytest.raises(DtkdError, match="empty: no videos in this folder"):
        predict.videos_in([tmp_path / "videos", tmp_path / "empty"])


def command(monkeypatch, *words):
    """The command's exit status."""
    monkeypatch.setattr(sys, "argv", ["predict", *map(str, words), "--device", "cpu", "--threads", "1"])
    with pytest.raises(SystemExit) as ended:
        predict.main()
    return ended.value.code


def test_the_command_prints_and_writes_what_was_asked_for(checkpoint, toy, broken, monkeypatch, capsys, tmp_path):
    good, file = toy[1].paths[0], tmp_path / "out" / "answers.csv"
    assert command(monkeypatch, checkpoint, good, broken, "--top", 2, "--csv", file, "--clips", 2, "--crops", 3) == 1
    printed, said = capsys.readouterr()
    evaluation = Evaluation(clips_per_video=2, crops_per_clip=3)
    [logits] = predict.predict(predict.load(checkpoint), [good], evaluation, CPU)
    (first, p), (second, q) = predict.ranked(CLASSES, logits, 2)
    assert printed == f"{good}: {first} {100 * p:.1f} %, {second} {100 * q:.1f} %\n"
    assert f"error: {broken}: is not a video" in said
    rows = pd.read_csv(file)
    assert rows["video"].tolist() == [str(good), str(good), str(broken)]
    assert rows["class"].tolist()[:2] == [first, second]
    assert rows["probability"].tolist()[:2] == pytest.approx([p, q])
    assert rows["error"].isna().tolist() == [True, True, False]
    assert rows["error"][2].startswith("is not a video that FFmpeg can open")
    assert f"2 of 2 videos are in {file}" in said

    [last] = predict.predict(predict.load(checkpoint, "last"), [good], hardware=CPU)
    (name, p), *_ = predict.ranked(CLASSES, last, 1)
    assert command(monkeypatch, checkpoint, "--last", "--top", 1, good) == 0
    assert capsys.readouterr().out == f"{good}: {name} {100 * p:.1f} %\n"


def test_what_the_command_cannot_do_is_said_before_it_begins(checkpoint, toy, broken, monkeypatch, capsys, tmp_path):
    good = toy[1].paths[0]
    assert "broken.avi is damaged" in command(monkeypatch, broken, good)
    for options, message in (
        (["--top", 0], "--top: at least 1"),
        (["--csv", tmp_path], "is no file"), (["--csv", "/dev/null"], "is no file"),
        (["--csv", good], "is what is to be read"), (["--csv", checkpoint], "is what is to be read"),
    ):  # fmt: skip
        assert command(monkeypatch, checkpoint, good, *options) == 2
        assert message in capsys.readouterr().err
    for inputs, file in (((checkpoint.parent, good), checkpoint), ((checkpoint, good.parent), good)):  # in folders
        before = file.read_bytes()
        assert command(monkeypatch, *inputs, "--csv", file) == 2
        assert "is what is to be read" in capsys.readouterr().err
        assert file.read_bytes() == before


def test_a_fault_of_the_machine_is_one_line_and_leaves_what_there_is(checkpoint, toy, monkeypatch, tmp_path, capsys):
    def answers(*_):
        yield torch.zeros(4)
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    def interrupted(*_):
        yield torch.zeros(4)
        raise KeyboardInterrupt

    monkeypatch.setattr(predict, "predict", answers)
    said = command(monkeypatch, checkpoint, *toy[1].paths[:2], "--csv", tmp_path / "a.csv")
    monkeypatch.setattr(predict, "predict", interrupted)
    link = tmp_path / "link.csv"
    link.symlink_to("b.csv")
    assert command(monkeypatch, checkpoint, *toy[1].paths[:2], "--csv", link) == 130
    assert capsys.readouterr().err.endswith("Interrupted; the same command starts over\n")
    assert link.is_symlink()
    assert len(pd.read_csv(tmp_path / "b.csv")) == 3
    assert said.startswith("error: not enough memory on the GPU for 2.00 GiB more")
    assert len(said.splitlines()) == 1
    assert pd.read_csv(tmp_path / "a.csv")["video"].tolist() == [str(toy[1].paths[0])] * 3
