"""Training: the same every time, resumed or not, with any loader; selection, schedules, errors."""

import math
import os
import re
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from dtkd.common.errors import DtkdError
from dtkd.config import Augment, Clip, Train
from dtkd.data.datasets import Videos
from dtkd.distillation import methods
from dtkd.models import backbones
from dtkd.training import evaluation, hardware, loop, optimisation
from dtkd.training.classifier import Classifier
from dtkd.training.hardware import Hardware
from dtkd.training.normalise import Normalise
from dtkd.training.objectives import CrossEntropy, Distillation
from dtkd.training.sampling import TestClips, TrainingClips, epoch_batches
from dtkd.training.targets import Targets

CLIP = Clip(frames=8, rate=1)
AUGMENT = Augment(short_side=(32, 36), crop=32, test_short_side=32)
CPU = Hardware(torch.device("cpu"), 1)
GROUPS = torch.tensor([0, 1, 0, 1])
SECONDS = ["train_seconds", "wait_seconds", "test_seconds"]
OPTIMISERS = {
    "sgd": {"lr": 0.02, "weight_decay": 1e-4},
    "adamw": {"optimiser": "adamw", "lr": 0.002, "schedule": "cosine", "warmup_epochs": 0.5},
}


def network(seed, dropout=0.5):
    torch.manual_seed(seed)
    return backbones.build("slowfast_small", 4, dropout, width=8)


def classifier(seed=0):
    return Classifier(network(seed))


def student(clips=6, videos=12):
    """The paper's loss, from what two teachers are said to say."""
    said = 2 * torch.randn(2, clips, videos, 4, generator=torch.Generator().manual_seed(5))
    method = methods.build("dtkd", S_alpha=0.3, KD_T=2, KD_alpha=0.4)
    return Distillation(method, Targets(("static", "dynamic"), said), GROUPS)


def student_by(name, clips=4, videos=12):
    """A student by any method, of the teachers that it usually has."""
    kind = methods.METHODS[name]
    teachers = {"specialists": ("static", "dynamic"), "generalist": ("teacher",),
                "both": ("static", "dynamic", "generalist")}[kind.teachers]  # fmt: skip
    settings = {key: 0.5 for key, field in kind.model_fields.items() if field.is_required()}
    said = 2 * torch.randn(len(teachers), clips, videos, 4, generator=torch.Generator().manual_seed(5))
    groups = None if kind.teachers == "generalist" else GROUPS
    shown = (torch.rand(clips, videos, 20, generator=torch.Generator().manual_seed(6)).half(),)
    return Distillation(kind(**settings), Targets(teachers, said, shown if kind.needs_features else ()), groups)


OBJECTIVES = {"cross-entropy": CrossEntropy, "student": student}


def normalise():
    return Normalise([0.45] * 3, [0.2] * 3)


def first(videos, count):
    """So many videos, spread over the classes."""
    positions = np.linspace(0, len(videos) - 1, count).astype(int)
    return Videos(*(tuple(values[p] for p in positions) for values in (videos.names, videos.paths, videos.labels)))


def train(toy, folder, learner=None, objective=None, seed=0, videos=7, hardware=CPU, fingerprint=None, clip=CLIP,
          **settings):  # fmt: skip
    """Three epochs of two steps unless ``settings`` say otherwise; the checkpoint, the history, the classifier."""
    learner, objective = learner or classifier(seed), objective or CrossEntropy()
    settings = Train(**({"epochs": 3, "batch_size": 4} | OPTIMISERS["sgd"] | settings))
    checkpoint, history, predictions = loop.train(
        learner, objective, normalise(), first(toy[0], videos), first(toy[1], 4), clip=clip, augment=AUGMENT,
        settings=settings, seed=seed, hardware=hardware, resume=folder / "resume.pt",
        fingerprint=fingerprint or {"run": 1}, label="run",
    )  # fmt: skip
    return checkpoint | {"predictions": predictions}, history, learner


def assert_same(one, two):
    """Bit for bit: what is saved, every network that was trained, and the history except for its clock."""
    (a, history_a, learner_a), (b, history_b, learner_b) = one, two
    pd.testing.assert_frame_equal(history_a.drop(columns=SECONDS), history_b.drop(columns=SECONDS), check_exact=True)
    assert a["epoch"] == b["epoch"]
    pd.testing.assert_frame_equal(a["predictions"], b["predictions"], check_exact=True)
    states = [(a["model"], b["model"]), (a["last"], b["last"]), (learner_a.state_dict(), learner_b.state_dict())]
    for left, right in states:
        assert list(left) == list(right)
        assert all(torch.equal(left[name], right[name]) for name in left)


def differ(a, b):
    return any(not torch.equal(a[name], b[name]) for name in a)


def after(objective, calls, change):
    """An objective whose loss is what ``change`` makes of it from so many steps on."""
    loss, done = objective.loss, iter(range(10**6))

    def changed(*given):
        step = loss(*given)
        return step if next(done) < calls else change(step)

    objective.loss = changed
    return objective


def interrupt_after(calls, objective=None):
    """An objective that lets so many steps be done, then is interrupted."""

    def interrupt(_):
        raise KeyboardInterrupt

    return after(objective or CrossEntropy(), calls, interrupt)


def nan_at(step, objective=None):
    """An objective whose loss is NaN from this step on, counted from 1."""
    return after(objective or CrossEntropy(), step - 1, lambda found: found._replace(loss=found.loss * math.nan))


# The same every time


def test_it_learns_and_writes_what_it_promises(toy, tmp_path):
    settings = {"epochs": 10, "batch_size": 12, "optimiser": "adamw", "lr": 0.01}
    checkpoint, history, learner = train(toy, tmp_path, Classifier(network(0, dropout=0)), videos=12, **settings)
    assert history["train_loss"].iloc[-1] < 0.5 * history["train_loss"].iloc[0]
    assert history["train_top1"].iloc[-1] > 75
    assert history["top1"].max() >= 50  # chance is 25
    assert list(history["epoch"]) == list(range(1, 11))
    assert list(history.columns) == [
        "epoch", "lr", "train_loss", "train_top1", "train_seconds", "wait_seconds", "top1", "top5", "test_seconds",
    ]  # fmt: skip
    assert (history[SECONDS] >= 0).all(axis=None)
    assert (history["wait_seconds"] <= history["train_seconds"]).all()
    predictions = checkpoint.pop("predictions")
    assert list(predictions.columns) == ["video", "label", "logits", "logits_last"]
    assert (list(predictions["video"]), list(predictions["label"])) == (list(first(toy[1], 4).names), [0, 1, 2, 3])
    assert set(checkpoint) == {"model", "last", "epoch"}
    assert not differ(checkpoint["last"], learner.model.state_dict())
    assert checkpoint["epoch"] == 1 + history["top1"].argmax()


def test_a_students_history_tells_of_its_losses_and_weights(toy, tmp_path):
    _, history, _ = train(toy, tmp_path, objective=student(), epochs=1)
    assert {"L_KD", "L_CE", "w_st", "w_dy"} < set(history.columns)
    row = history.iloc[0]
    assert row["train_loss"] == row["L_total"]
    assert row["train_loss"] == pytest.approx(0.4 * 2**2 * row["L_KD"] + 0.6 * row["L_CE"], rel=1e-5)
    assert 0 < row["w_st"] < 1


@pytest.mark.parametrize("seed", range(3))
def test_the_columns_of_weights_are_in_the_groups_order(toy, tmp_path, seed):
    """Whichever group's clip the first batch has."""
    _, history, _ = train(toy, tmp_path, objective=student(), epochs=1, batch_size=2, seed=seed)
    columns = list(history.columns)
    start = columns.index("train_loss")
    assert columns[start : start + 6] == ["train_loss", "L_total", "L_KD", "L_CE", "w_st", "w_dy"]


def test_the_same_seed_gives_the_same_run_and_another_seed_another(toy, tmp_path):
    one, two = (train(toy, tmp_path / name) for name in ("one", "two"))
    assert_same(one, two)
    assert differ(one[0]["last"], train(toy, tmp_path / "three", seed=1)[0]["last"])
    assert differ(one[0]["last"], train(toy, tmp_path / "four", classifier(0), seed=1)[0]["last"])  # the same start


def test_the_global_random_state_before_a_run_does_not_matter(toy, tmp_path):
    one = train(toy, tmp_path / "one", epochs=1)
    learner = classifier()
    torch.manual_seed(99)
    assert_same(one, train(toy, tmp_path / "two", learner, epochs=1))


@dataclass(frozen=True)
class Loaders(Hardware):
    """A CPU with loader processes."""

    count: int = 1

    @property
    def workers(self):
        return self.count


@pytest.mark.parametrize("count", [1, 2])
def test_loader_processes_do_not_matter(toy, tmp_path, count):
    """Nor does it matter for dropout that they live on from epoch to epoch."""
    many = Loaders(torch.device("cpu"), 1, count)
    assert_same(train(toy, tmp_path / "0"), train(toy, tmp_path / "n", hardware=many))


# Resuming


@pytest.mark.parametrize("name", methods.names())
def test_students_of_every_method_train_and_resume(toy, tmp_path, name):
    whole = train(toy, tmp_path / "whole", objective=student_by(name), epochs=2)
    assert np.isfinite(whole[1][["L_total", "L_KD", "L_CE"]]).all(axis=None)
    assert differ(whole[0]["last"], train(toy, tmp_path / "alone", epochs=2)[0]["last"])
    with pytest.raises(KeyboardInterrupt):
        train(toy, tmp_path / "again", objective=interrupt_after(3, student_by(name)), epochs=2)
    assert_same(whole, train(toy, tmp_path / "again", classifier(7), student_by(name), epochs=2))


def test_a_loss_that_compares_samples_takes_no_part_of_a_batch(toy, tmp_path):
    with pytest.raises(DtkdError, match=r"dist compares the samples of a batch .* set train\.micro_batch: null"):
        train(toy, tmp_path, objective=student_by("dist"), epochs=1, micro_batch=2)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("kind", OBJECTIVES)
def test_a_resumed_run_equals_an_uninterrupted_one(toy, tmp_path, kind, optimiser):
    settings = OPTIMISERS[optimiser]
    whole = train(toy, tmp_path / "whole", objective=OBJECTIVES[kind](), **settings)
    for calls in (5, 2):  # in the middle of epoch 3, then (from the beginning) at the very start of epoch 2
        folder = tmp_path / str(calls)
        with pytest.raises(KeyboardInterrupt):
            train(toy, folder, objective=interrupt_after(calls, OBJECTIVES[kind]()), **settings)
        steps = []
        torch.manual_seed(3)
        counted = after(OBJECTIVES[kind](), 0, lambda step, steps=steps: steps.append(step) or step)
        assert_same(whole, train(toy, folder, objective=counted, **settings))
        assert len(steps) == 6 - 2 * (calls // 2)  # the finished epochs were not trained again


def test_a_run_interrupted_in_every_epoch_equals_an_uninterrupted_one(toy, tmp_path, capsys):
    whole = train(toy, tmp_path / "whole")
    assert "goes on" not in capsys.readouterr().err
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train(toy, tmp_path, objective=interrupt_after(3))
    assert_same(whole, train(toy, tmp_path))
    assert "run: goes on after epoch 2 of 3" in capsys.readouterr().err


def test_a_finished_run_is_not_trained_again(toy, tmp_path):
    whole = train(toy, tmp_path)
    assert_same(whole, train(toy, tmp_path, objective=interrupt_after(0)))


def test_the_best_epoch_survives_resuming(toy, tmp_path, monkeypatch):
    """The best epoch was before the interruption, and its weights are not the last."""
    scores = {"whole": iter([75, 0, 50, 0, 25, 0]), "parts": iter([75, 0, 50, 0, 25, 0])}
    results = {}
    for name in scores:
        monkeypatch.setattr(loop, "top_k", lambda *_, name=name: float(next(scores[name])))
        if name == "parts":
            with pytest.raises(KeyboardInterrupt):
                train(toy, tmp_path / name, objective=interrupt_after(3, student()))
        results[name] = train(toy, tmp_path / name, objective=student())
    assert_same(results["whole"], results["parts"])
    assert results["parts"][0]["epoch"] == 1


@pytest.mark.parametrize("kind", ["other settings", "empty", "cut", "noise", "list", "no fingerprint"])
def test_a_resume_file_of_another_run_or_a_broken_one_is_left_aside(toy, tmp_path, kind, capsys):
    whole = train(toy, tmp_path / "whole", epochs=1)
    path = tmp_path / "resume.pt"
    train(toy, tmp_path, seed=5, epochs=1, fingerprint={"run": 2 if kind == "other settings" else 1})
    content = path.read_bytes()
    if kind in ("list", "no fingerprint"):
        torch.save([1, 2] if kind == "list" else {"learner": {}}, path)
    else:
        path.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "noise": b"noise" * 99}.get(kind, content))
    assert_same(whole, train(toy, tmp_path, epochs=1))
    said = capsys.readouterr().out
    assert ("not readable" in said and "training starts over" in said) == (kind in ("empty", "cut", "noise"))


def test_a_resume_file_of_the_same_run_is_used(toy, tmp_path):
    """The counterpart: what the test above proves is the fingerprint's doing."""
    other = train(toy, tmp_path, seed=5, epochs=1)
    assert_same(other, train(toy, tmp_path, seed=5, epochs=1))
    assert not differ(train(toy, tmp_path, epochs=1)[0]["last"], other[0]["last"])


# Selection and schedules


@pytest.mark.parametrize(("selection", "epoch"), [("best", 2), ("last", 3)])
def test_the_selected_epochs_weights(toy, tmp_path, monkeypatch, selection, epoch):
    scores = iter([50, 0, 75, 0, 75, 0])  # top-1 and top-5 of each epoch; the first of equals is the best
    with monkeypatch.context() as patch:
        patch.setattr(loop, "top_k", lambda *_: float(next(scores)))
        checkpoint, history, _ = train(toy, tmp_path / "a", selection=selection)
    assert list(history["top1"]) == [50, 75, 75]
    assert checkpoint["epoch"] == epoch
    shorter = train(toy, tmp_path / "b", epochs=epoch)[0]["last"]  # a constant rate: the same first epochs
    assert not differ(checkpoint["model"], shorter)
    assert differ(checkpoint["model"], checkpoint["last"]) == (selection == "best")


def test_a_diverged_network_is_not_the_best(toy, tmp_path, monkeypatch):
    """Weights that turn NaN in an epoch's last step leave a finite loss behind, and must not look like 100 %."""
    predict = evaluation.predict

    def broken(*args, **kwargs):
        logits, truth = predict(*args, **kwargs)
        return logits * np.nan, truth

    monkeypatch.setattr(evaluation, "predict", broken)
    _, history, _ = train(toy, tmp_path, epochs=1)
    assert history["top1"].tolist() == history["top5"].tolist() == [0.0]


def held_out(toy):
    """Every third training video, one of each class, and the others."""
    return [Videos(*(tuple(values[p] for p in range(12) if (p % 3 == 0) == held)
                     for values in (toy[0].names, toy[0].paths, toy[0].labels))) for held in (True, False)]  # fmt: skip


def train_and_validate(toy, folder, objective=None, scores=None, monkeypatch=None, **settings):
    """As `train`, with a held-out video of each class; ``scores`` are what the validation's top-1 is taken to be."""
    learner, (held, others) = classifier(), held_out(toy)
    settings = Train(**({"epochs": 3, "batch_size": 4, "selection": "validation"} | OPTIMISERS["sgd"] | settings))
    if scores:
        said = iter(value for score in scores for value in (score, 0))
        monkeypatch.setattr(loop, "top_k", lambda *_: float(next(said)))
    checkpoint, history, predictions = loop.train(
        learner, objective or CrossEntropy(), normalise(), others, toy[1], held, clip=CLIP, augment=AUGMENT,
        settings=settings, seed=0, hardware=CPU, resume=folder / "resume.pt", fingerprint={"run": 1}, label="run",
    )  # fmt: skip
    return checkpoint | {"predictions": predictions}, history, learner


def test_validation_selects_and_the_test_videos_are_asked_once(toy, tmp_path, monkeypatch):
    asked, predict = [], evaluation.predict
    monkeypatch.setattr(evaluation, "predict",
                        lambda *args, **kwargs: asked.append(len(args[2])) or predict(*args, **kwargs))  # fmt: skip
    checkpoint, history, learner = train_and_validate(toy, tmp_path, None, [50, 75, 75], monkeypatch)
    assert asked == [4, 4, 4, 8, 8], "the validation videos each epoch, then the test videos by two epochs' weights"
    assert (checkpoint["epoch"], list(history["val_top1"])) == (2, [50, 75, 75])
    assert history["top1"].notna().tolist() == history["top5"].notna().tolist() == [False, True, True]
    assert not differ(checkpoint["last"], learner.model.state_dict())
    tests = TestClips(toy[1], CLIP, AUGMENT)
    for column, part, row in (("logits", "model", 1), ("logits_last", "last", 2)):
        learner.model.load_state_dict(checkpoint[part])
        logits, labels = predict(learner, normalise(), tests, Train(epochs=1, batch_size=4, lr=1), CPU)
        assert np.array_equal(np.stack(checkpoint["predictions"][column]), logits)
        assert history["top1"][row] == 100 * (logits.argmax(1) == labels).mean()


def test_validation_never_sees_the_test_videos_before_the_end(toy, tmp_path):
    """With other test videos, all the same but what is said of them."""
    one = train_and_validate(toy, tmp_path / "one")
    two = train_and_validate((toy[0], first(toy[0], 5)), tmp_path / "two")
    assert (one[0]["epoch"], list(one[1]["val_top1"])) == (two[0]["epoch"], list(two[1]["val_top1"]))
    assert not differ(one[0]["model"], two[0]["model"])


@pytest.mark.parametrize(("scores", "patience", "most", "epochs"), [
    ([50, 25, 25, 75], 2, 4, 3), ([50, 25, 75, 50, 50], 2, 9, 5), ([25, 50, 75, 100], 1, 4, 4), ([50, 50], 1, 9, 2),
])  # fmt: skip
def test_patience_ends_a_training(toy, tmp_path, monkeypatch, scores, patience, most, epochs):
    checkpoint, history, _ = train_and_validate(
        toy, tmp_path, None, [*scores, 0, 0], monkeypatch, epochs=most, patience=patience
    )
    assert len(history) == epochs
    assert checkpoint["epoch"] == 1 + int(np.argmax(scores[:epochs]))


def test_a_validated_run_that_is_resumed_equals_an_uninterrupted_one(toy, tmp_path):
    whole = train_and_validate(toy, tmp_path / "whole", student(videos=8))
    for calls in (3, 1):
        with pytest.raises(KeyboardInterrupt):
            train_and_validate(toy, tmp_path / "again", interrupt_after(calls, student(videos=8)))
    assert_same(whole, train_and_validate(toy, tmp_path / "again", student(videos=8)))
    assert_same(whole, train_and_validate(toy, tmp_path / "again", interrupt_after(0, student(videos=8))))


def test_a_run_whose_patience_has_ended_does_not_go_on(toy, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        train_and_validate(toy, tmp_path, None, [50, 25, 0], patch, epochs=4, patience=1)
    _, history, _ = train_and_validate(toy, tmp_path, interrupt_after(0), epochs=4, patience=1)
    assert len(history) == 2


def schedule(**settings):
    return Train(**({"epochs": 10, "batch_size": 8, "lr": 0.2} | settings))


def test_learning_rates():
    constant, cosine = schedule(), schedule(schedule="cosine", warmup_epochs=2)
    assert [optimisation.learning_rate(constant, at) for at in (0, 0.5, 9.9)] == [0.2] * 3
    assert [optimisation.learning_rate(cosine, at) for at in (0, 1, 2, 6, 10, 11)] == pytest.approx(
        [0.02, 0.11, 0.2, 0.1, 0, 0]
    )
    assert optimisation.learning_rate(schedule(schedule="cosine"), 5) == pytest.approx(0.1)
    warm = schedule(warmup_epochs=20)  # never done warming up
    assert optimisation.learning_rate(warm, 10) == pytest.approx(0.2 * 0.55)
    rates = [optimisation.learning_rate(cosine, at) for at in np.linspace(2, 10, 50)]
    assert all(a > b for a, b in pairwise(rates))


def test_the_optimiser_follows_the_schedule_step_by_step(toy, tmp_path, monkeypatch):
    used = []
    step = optimisation.SGD.step
    monkeypatch.setattr(optimisation.SGD, "step",
                        lambda self, *args: used.append(self.param_groups[0]["lr"]) or step(self, *args))  # fmt: skip
    _, history, _ = train(toy, tmp_path, epochs=2, lr=0.02, schedule="cosine", warmup_epochs=1)
    expected = [0.02 * 0.1, 0.02 * 0.55, 0.02, 0.02 * 0.5 * (1 + math.cos(math.pi / 2))]
    assert used == pytest.approx(expected)
    assert history["lr"].tolist() == pytest.approx([expected[1], expected[3]])


# Errors and the machine


def test_a_loss_that_is_not_finite_names_epoch_step_and_videos(toy, tmp_path):
    with pytest.raises(DtkdError, match="run: the loss is nan at epoch 2, step 2; batch: ") as said:
        train(toy, tmp_path, objective=nan_at(4))
    names = first(toy[0], 7).names
    batch = epoch_batches(0, 1, 7, 1, 4)[1]
    assert re.search("batch: (.*)\\. Lower", str(said.value))[1].split(", ") == [names[v] for _, v in batch]
    assert "train.lr" in str(said.value)
    assert "train.precision" in str(said.value)
    assert "\n" not in str(said.value)


def test_the_last_good_state_stays_and_the_same_settings_end_there_again(toy, tmp_path):
    whole = train(toy, tmp_path / "whole", epochs=2)
    with pytest.raises(DtkdError, match="is nan at epoch 2, step 2") as first:
        train(toy, tmp_path, objective=nan_at(4), epochs=2)
    assert f"{tmp_path / 'resume.pt'} keeps the state after epoch 1" in str(first.value)
    with pytest.raises(DtkdError) as again:
        train(toy, tmp_path, objective=nan_at(2), epochs=2)  # of this process, the second step of epoch 2
    assert str(again.value) == str(first.value)
    assert_same(whole, train(toy, tmp_path, epochs=2))  # what stayed is good


def test_weights_that_are_lost_in_an_epochs_last_step_are_not_kept(toy, tmp_path):
    """The loss was finite still; the next one would not be."""
    learner = classifier()
    weight, calls = backbones.projection(learner.model).weight, iter(range(1, 1000))
    weight.register_hook(lambda gradient: gradient * (math.nan if next(calls) == 4 else 1))
    with pytest.raises(DtkdError, match=r"the weights are no longer finite after epoch 2, step 2; batch: .*class"):
        train(toy, tmp_path, learner)
    assert len(torch.load(tmp_path / "resume.pt", weights_only=True)["history"]) == 1


def test_too_high_a_rate_ends_in_that_error(toy, tmp_path):
    with pytest.raises(DtkdError, match=r"the loss is (nan|inf) at epoch \d, step \d"):
        train(toy, tmp_path, lr=1e30)


@pytest.fixture
def restored_threads():
    yield
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@pytest.mark.usefixtures("restored_threads")
def test_hardware_bounds_the_threads(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    for threads, expected in ((1, 1), (2, 2), (0, 1), (10**6, 3)):
        cv2.setNumThreads(2)
        machine = hardware.choose_hardware("auto", threads)
        assert machine == Hardware(torch.device("cpu"), expected)
        assert torch.get_num_threads() == expected
        assert cv2.getNumThreads() == 1
        assert machine.workers == 0
    with pytest.raises(DtkdError, match="sees no CUDA device here"):
        hardware.choose_hardware("cuda", 1)


@pytest.mark.usefixtures("restored_threads")
def test_a_job_that_was_given_a_gpu_and_cannot_use_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for given, device, warned in (("0", "auto", True), ("0", "cpu", False), ("", "auto", False), ("-1", "auto", False)):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
        assert hardware.choose_hardware(device, 1).device.type == "cpu"
        assert ("torch sees no CUDA device" in capsys.readouterr().out) == warned


@pytest.mark.usefixtures("restored_threads")
def test_hardware_with_a_gpu_leaves_the_threads_to_the_loaders(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    for device in ("auto", "cuda"):
        machine = hardware.choose_hardware(device, 8)
        assert (machine.device.type, machine.workers, torch.get_num_threads()) == ("cuda", 7, 1)
    assert hardware.choose_hardware("cuda", 1).workers == 1
    assert hardware.choose_hardware("cpu", 4) == Hardware(torch.device("cpu"), 4)


@pytest.mark.parametrize(("learner", "videos", "settings", "why"), [
    (classifier, 7, {"batch_size": 1}, ["train.batch_size is 1", "raise train.batch_size"]),
    (classifier, 1, {}, ["class0/train0.avi is all there is to train on", "add training videos"]),
    (classifier, 7, {"micro_batch": 2}, ["train.micro_batch is 2", "set train.micro_batch: null"]),
])  # fmt: skip
def test_one_clip_alone_before_a_batch_norm_of_one_value(toy, tmp_path, learner, videos, settings, why):
    """Said before the first step, where torch would stop at some later one."""
    with pytest.raises(DtkdError) as error:
        train(toy, tmp_path, learner(), videos=videos, clip=Clip(frames=4, rate=1), **settings)
    assert str(error.value) == (
        "run: a clip of clip.frames: 4 at augment.crop: 32 gives a batch norm one value of each channel, too few to "
        f"train on alone, and {why[0]}: set clip.frames: 8, raise augment.crop, or {why[1]}"
    )


@pytest.mark.parametrize(("learner", "videos", "settings", "frames"), [
    (classifier, 7, {"batch_size": 1}, 8), (classifier, 5, {"batch_size": 2}, 4),
    (lambda: Classifier(backbones.freeze_backbone(network(0))), 3, {"batch_size": 1}, 4),
])  # fmt: skip
def test_what_can_be_alone_and_what_is_not(toy, tmp_path, learner, videos, settings, frames):
    clip = Clip(frames=frames, rate=1)
    _, history, _ = train(toy, tmp_path, learner(), videos=videos, clip=clip, epochs=1, **settings)
    assert np.isfinite(history["train_loss"]).all()


# Precision, layout, compilation


def test_bf16_on_a_cpu_is_close_to_fp32(toy, tmp_path):
    longer = Clip(frames=16, rate=1)
    losses = [train(toy, tmp_path / p, epochs=1, precision=p, clip=longer)[1]["train_loss"][0]
              for p in ("fp32", "bf16", "auto")]  # fmt: skip
    assert losses[1] != losses[0] == losses[2]  # auto is fp32 on a CPU
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_fp16_is_for_gpus(toy, tmp_path):
    with pytest.raises(DtkdError, match=r"train\.precision: fp16 is for GPUs, and this is a CPU; use auto"):
        train(toy, tmp_path, precision="fp16", clip=Clip(frames=16, rate=1))


@pytest.mark.parametrize("frames", [4, 8])
def test_a_precision_in_which_torch_gets_gradients_wrong_is_refused(toy, tmp_path, frames):
    """In bf16 on a CPU, the weight gradient of a convolution over 2 frames with a kernel of 3 is noise (torch 2.14)."""
    with pytest.raises(DtkdError, match=r"train\.precision: bf16 on a CPU: .* use auto, fp32, or at least 12 frames"):
        train(toy, tmp_path, precision="bf16", clip=Clip(frames=frames, rate=1))


@pytest.mark.parametrize(
    ("kernel", "stride", "frames"),
    [((5, 7, 7), 1, 12), ((3, 1, 1), 1, 12), ((7, 1, 1), 4, 12), ((1, 7, 7), 1, 3), ((3, 1, 1), 1, 3),
     ((3, 1, 1), 1, 4), ((1, 3, 3), 1, 3)],
    ids=str,
)  # fmt: skip
def test_gradients_in_the_precision_that_is_let_through(kernel, stride, frames):
    """SlowFast's convolutions over the fewest frames that are not refused: 12 fast ones, 3 slow ones."""
    torch.manual_seed(0)
    padding = [k // 2 for k in kernel]
    layer = torch.nn.Conv3d(16, 24, kernel, (stride, 1, 1), padding, bias=False)
    clips = torch.randn(3, 16, frames, 6, 6)
    gradients = []
    for precision in ("fp32", "bf16"):
        layer.zero_grad()
        with hardware.autocast(precision, CPU.device)[0]:
            loss = layer(clips).float().square().mean()
        loss.backward()
        gradients.append(layer.weight.grad.clone())
    assert 0 < (gradients[0] - gradients[1]).norm() < 0.02 * gradients[0].norm()


def trained_as(toy, folder, **settings):
    """A frozen network, that rounding may not grow in; and whether its clips came channel by channel."""
    learner, clips = Classifier(backbones.freeze_backbone(network(0, dropout=0))), []
    learner.model.register_forward_pre_hook(lambda _, args: clips.append(args[0]))
    checkpoint, history, _ = train(toy, folder, learner, **({"epochs": 2} | settings))
    return learner, checkpoint, history, [one.is_contiguous(memory_format=torch.channels_last_3d) for one in clips]


def assert_close(one, two):
    a, b = one[1]["last"], two[1]["last"]
    assert list(a) == list(b)
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=0, atol=1e-6, msg=name)
    pd.testing.assert_frame_equal(one[2].drop(columns=SECONDS), two[2].drop(columns=SECONDS), rtol=1e-5)


def test_channels_last_changes_the_layout_and_nothing_else(toy, tmp_path):
    plain, other = trained_as(toy, tmp_path / "plain"), trained_as(toy, tmp_path / "last", channels_last=True)
    assert_close(plain, other)
    assert (any(plain[3]), all(other[3])) == (False, True)
    for learner, expected in ((plain[0], False), (other[0], True)):
        weights = [p for p in learner.model.parameters() if p.dim() == 5 and min(p.shape[1], p[0, 0].numel()) > 1]
        assert all(p.is_contiguous(memory_format=torch.channels_last_3d) == expected for p in weights)


def test_a_compiled_network_learns_the_same_and_keeps_its_names(toy, tmp_path, monkeypatch):
    """Traced, with its backward pass, as for any backend; `benchmarks/training.py` compares what the compiler makes."""
    compiled = []
    trace = torch.compile

    def record(function, *args):
        compiled.append(function)
        return trace(function, *args, backend="aot_eager", fullgraph=True)

    plain = trained_as(toy, tmp_path / "plain", epochs=1, videos=8)
    monkeypatch.setattr(torch, "compile", record)
    other = trained_as(toy, tmp_path / "compiled", epochs=1, videos=8, compile=True)
    assert other[0].model._call_impl in compiled
    assert_close(plain, other)


def test_a_computer_that_cannot_compile_says_so(toy, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("No working C++ compiler found\nSet TORCHDYNAMO_VERBOSE=1")

    monkeypatch.setattr(torch, "compile", lambda _: fail)
    with pytest.raises(DtkdError, match=r"train\.compile: torch\.compile does not work here \(No .* found\): install"):
        train(toy, tmp_path, compile=True)


def test_micro_batches_bound_every_pass(toy, tmp_path):
    """Training's and its tests'; the result is that of undivided batches."""
    plain, other = trained_as(toy, tmp_path / "plain"), trained_as(toy, tmp_path / "micro", micro_batch=2)
    assert_close(plain, other)
    learner, rows = classifier(), []
    learner.model.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
    train(toy, tmp_path / "again", learner, epochs=1, micro_batch=2)
    assert rows == [2, 2, 2, 1, 2, 2]  # batches of 4 and 3 clips, four tests


def test_a_batch_is_trained_on_once_per_clip(toy, tmp_path):
    """Each epoch trains on every video exactly as often as asked, also where the last batch would be a single clip."""
    learner = classifier()
    seen = []
    learner.register_forward_pre_hook(lambda module, args: seen.append(args[0]) if module.training else None)
    train(toy, tmp_path, learner, videos=9, batch_size=4, epochs=1)
    assert sorted(len(clips) for clips in seen) == [4, 5]
    data = TrainingClips(first(toy[0], 9), CLIP, AUGMENT, 0)
    expected = sorted(normalise()(data[0, v][0][None])[0].sum().item() for v in range(9))
    assert sorted(clip.sum().item() for clips in seen for clip in clips) == pytest.approx(expected, rel=1e-5)


def test_channels_last_is_as_torch_lays_it_out():
    """Of kernels of one value, too: else their convolutions are computed by other operations, which round otherwise."""
    ours, torchs = network(0), network(0).to(memory_format=torch.channels_last_3d)
    hardware.accelerate([ours], normalise(), Train(epochs=1, batch_size=4, lr=0.1, channels_last=True), CPU.device)
    assert [p.stride() for p in ours.parameters()] == [p.stride() for p in torchs.parameters()]
    assert any(p.dim() == 5 and p.shape[2:].numel() == 1 for p in ours.parameters())
