"""Training: the same every time, resumed or not, with any loader; selection, schedules, errors; and testing."""

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
from dtkd.config import Augment, Clip, Evaluation, Student, Train
from dtkd.data.datasets import Videos
from dtkd.distillation.classifier import Classifier
from dtkd.distillation.dual_teacher import Distilled
from dtkd.models import backbones, weights
from dtkd.training import loop, networks
from dtkd.training.metrics import top_k
from dtkd.training.sampling import TestClips, TrainingClips, epoch_batches

CLIP = Clip(frames=8, rate=1)
AUGMENT = Augment(short_side=(32, 36), crop=32, test_short_side=32)
CPU = loop.Hardware(torch.device("cpu"), 1)
STATIC = torch.tensor([True, False, True, False])
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


def distilled(FT, seed=0):
    student = Student(S_alpha=0.3, KD_T=2, KD_alpha=0.4, FT=FT)
    return Distilled(network(seed), network(101), network(102), STATIC, student)


LEARNERS = {"classifier": classifier, "FT": lambda: distilled(True), "not-FT": lambda: distilled(False)}


def normalise():
    return loop.Normalise([0.45] * 3, [0.2] * 3)


def first(videos, count):
    """So many videos, spread over the classes."""
    positions = np.linspace(0, len(videos) - 1, count).astype(int)
    return Videos(*(tuple(values[p] for p in positions) for values in (videos.names, videos.paths, videos.labels)))


def train(toy, folder, learner=None, seed=0, videos=7, hardware=CPU, fingerprint=None, clip=CLIP, **settings):
    """Three epochs of two steps unless ``settings`` say otherwise; gives the checkpoint, the history, the learner."""
    learner = learner or classifier(seed)
    settings = Train(**({"epochs": 3, "batch_size": 4} | OPTIMISERS["sgd"] | settings))
    checkpoint, history, predictions = loop.train(
        learner, normalise(), first(toy[0], videos), first(toy[1], 4), clip=clip, augment=AUGMENT, settings=settings,
        seed=seed, hardware=hardware, resume=folder / "resume.pt", fingerprint=fingerprint or {"run": 1}, label="run",
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


def interrupt_after(learner, calls):
    """Let a learner do so many steps, then be interrupted."""
    step = learner.forward

    def forward(*args):
        nonlocal calls
        calls -= 1
        if calls < 0:
            raise KeyboardInterrupt
        return step(*args)

    learner.forward = forward
    return learner


# The same every time


def test_it_learns_and_writes_what_it_promises(toy, tmp_path):
    settings = {"epochs": 10, "batch_size": 12, "optimiser": "adamw", "lr": 0.01}
    checkpoint, history, learner = train(toy, tmp_path, Classifier(network(0, dropout=0)), videos=12, **settings)
    assert history["train_loss"].iloc[-1] < 0.5 * history["train_loss"].iloc[0]
    assert history["train_top1"].iloc[-1] > 75
    assert history["top1"].max() >= 50  # chance is 25
    assert list(history["epoch"]) == list(range(1, 11))
    assert list(history.columns) == ["epoch", "lr", "train_loss", "train_top1", "top1", "top5", *SECONDS]
    assert (history[SECONDS] >= 0).all(axis=None)
    assert (history["wait_seconds"] <= history["train_seconds"]).all()
    predictions = checkpoint.pop("predictions")
    assert list(predictions.columns) == ["video", "label", "logits", "logits_last"]
    assert (list(predictions["video"]), list(predictions["label"])) == (list(first(toy[1], 4).names), [0, 1, 2, 3])
    assert set(checkpoint) == {"model", "last", "epoch"}
    assert not differ(checkpoint["last"], learner.model.state_dict())
    assert checkpoint["epoch"] == 1 + history["top1"].argmax()


def test_a_students_history_tells_of_its_losses_and_weights(toy, tmp_path):
    _, history, _ = train(toy, tmp_path, distilled(False), epochs=1)
    assert {"L_KD", "L_CE", "w_st", "w_dy", "L_teachers"} < set(history.columns)
    row = history.iloc[0]
    expected = 0.4 * 2**2 * row["L_KD"] + 0.6 * row["L_CE"] + row["L_teachers"]
    assert row["train_loss"] == pytest.approx(expected, rel=1e-5)


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
class Loaders(loop.Hardware):
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


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("kind", LEARNERS)
def test_a_resumed_run_equals_an_uninterrupted_one(toy, tmp_path, kind, optimiser):
    settings = OPTIMISERS[optimiser]
    whole = train(toy, tmp_path / "whole", LEARNERS[kind](), **settings)
    for calls in (5, 2):  # in the middle of epoch 3, then (from the beginning) at the very start of epoch 2
        folder = tmp_path / str(calls)
        with pytest.raises(KeyboardInterrupt):
            train(toy, folder, interrupt_after(LEARNERS[kind](), calls), **settings)
        learner = LEARNERS[kind]()
        learner.steps = 0
        learner.register_forward_pre_hook(lambda module, _: setattr(module, "steps", module.steps + 1))
        torch.manual_seed(3)
        assert_same(whole, train(toy, folder, learner, **settings))
        assert learner.steps == 6 - 2 * (calls // 2)  # the finished epochs were not trained again


def test_a_run_interrupted_in_every_epoch_equals_an_uninterrupted_one(toy, tmp_path, capsys):
    whole = train(toy, tmp_path / "whole")
    assert "goes on" not in capsys.readouterr().err
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train(toy, tmp_path, interrupt_after(classifier(), 3))
    assert_same(whole, train(toy, tmp_path))
    assert "run: goes on after epoch 2 of 3" in capsys.readouterr().err


def test_a_finished_run_is_not_trained_again(toy, tmp_path):
    whole = train(toy, tmp_path)
    assert_same(whole, train(toy, tmp_path, interrupt_after(classifier(), 0)))


def test_frozen_teachers_and_the_best_epoch_survive_resuming(toy, tmp_path, monkeypatch):
    """The best epoch was before the interruption, and its weights are not the last."""
    scores = {"whole": iter([75, 0, 50, 0, 25, 0]), "parts": iter([75, 0, 50, 0, 25, 0])}
    results = {}
    for name in scores:
        monkeypatch.setattr(loop, "top_k", lambda *_, name=name: float(next(scores[name])))
        if name == "parts":
            with pytest.raises(KeyboardInterrupt):
                train(toy, tmp_path / name, interrupt_after(distilled(True), 3))
        results[name] = train(toy, tmp_path / name, distilled(True))
    assert_same(results["whole"], results["parts"])
    assert results["parts"][0]["epoch"] == 1
    learner, fresh = results["parts"][2], distilled(True)
    for teacher in ("static", "dynamic"):
        assert not differ(getattr(learner, teacher).state_dict(), getattr(fresh, teacher).state_dict())


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
    learner = classifier()
    predict = loop.predict

    def broken(*args, **kwargs):
        logits, truth = predict(*args, **kwargs)
        return logits * np.nan, truth

    monkeypatch.setattr(loop, "predict", broken)
    _, history, _ = train(toy, tmp_path, learner, epochs=1)
    assert history["top1"].tolist() == history["top5"].tolist() == [0.0]


def schedule(**settings):
    return Train(**({"epochs": 10, "batch_size": 8, "lr": 0.2} | settings))


def test_learning_rates():
    constant, cosine = schedule(), schedule(schedule="cosine", warmup_epochs=2)
    assert [loop.learning_rate(constant, at) for at in (0, 0.5, 9.9)] == [0.2] * 3
    assert [loop.learning_rate(cosine, at) for at in (0, 1, 2, 6, 10, 11)] == pytest.approx(
        [0.02, 0.11, 0.2, 0.1, 0, 0]
    )
    assert loop.learning_rate(schedule(schedule="cosine"), 5) == pytest.approx(0.1)
    warm = schedule(warmup_epochs=20)  # never done warming up
    assert loop.learning_rate(warm, 10) == pytest.approx(0.2 * 0.55)
    rates = [loop.learning_rate(cosine, at) for at in np.linspace(2, 10, 50)]
    assert all(a > b for a, b in pairwise(rates))


def test_the_optimiser_follows_the_schedule_step_by_step(toy, tmp_path, monkeypatch):
    used = []
    step = torch.optim.SGD.step
    monkeypatch.setattr(torch.optim.SGD, "step",
                        lambda self, *args: used.append(self.param_groups[0]["lr"]) or step(self, *args))  # fmt: skip
    _, history, _ = train(toy, tmp_path, epochs=2, lr=0.02, schedule="cosine", warmup_epochs=1)
    expected = [0.02 * 0.1, 0.02 * 0.55, 0.02, 0.02 * 0.5 * (1 + math.cos(math.pi / 2))]
    assert used == pytest.approx(expected)
    assert history["lr"].tolist() == pytest.approx([expected[1], expected[3]])


# Errors and the machine


def test_a_loss_that_is_not_finite_names_epoch_step_and_videos(toy, tmp_path):
    learner = classifier()
    forward = learner.forward
    calls = 0

    def break_down(*batch):
        nonlocal calls
        calls += 1
        step = forward(*batch)
        return step._replace(loss=step.loss * (math.nan if calls == 4 else 1))

    learner.forward = break_down
    with pytest.raises(DtkdError, match="run: the loss is nan at epoch 2, step 2; batch: ") as said:
        train(toy, tmp_path, learner)
    names = first(toy[0], 7).names
    batch = epoch_batches(0, 1, 7, 1, 4)[1]
    assert re.search("batch: (.*)\\. Lower", str(said.value))[1].split(", ") == [names[v] for _, v in batch]
    assert "train.lr" in str(said.value)
    assert "train.precision" in str(said.value)
    assert "\n" not in str(said.value)


def nan_at(step, learner):
    """The learner's loss is NaN at this step, counted from 1."""
    forward, calls = learner.forward, iter(range(1, 1000))

    def break_down(*batch):
        result = forward(*batch)
        return result._replace(loss=result.loss * (math.nan if next(calls) == step else 1))

    learner.forward = break_down
    return learner


def test_the_last_good_state_stays_and_the_same_settings_end_there_again(toy, tmp_path):
    whole = train(toy, tmp_path / "whole", epochs=2)
    with pytest.raises(DtkdError, match="is nan at epoch 2, step 2") as first:
        train(toy, tmp_path, nan_at(4, classifier()), epochs=2)
    assert f"{tmp_path / 'resume.pt'} keeps the state after epoch 1" in str(first.value)
    with pytest.raises(DtkdError) as again:
        train(toy, tmp_path, nan_at(2, classifier()), epochs=2)  # of this process, the second step of epoch 2
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
        machine = loop.hardware("auto", threads)
        assert machine == loop.Hardware(torch.device("cpu"), expected)
        assert torch.get_num_threads() == expected
        assert cv2.getNumThreads() == 1
        assert machine.workers == 0
    with pytest.raises(DtkdError, match="sees no CUDA device here"):
        loop.hardware("cuda", 1)


@pytest.mark.usefixtures("restored_threads")
def test_a_job_that_was_given_a_gpu_and_cannot_use_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for given, device, warned in (("0", "auto", True), ("0", "cpu", False), ("", "auto", False), ("-1", "auto", False)):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
        assert loop.hardware(device, 1).device.type == "cpu"
        assert ("torch sees no CUDA device" in capsys.readouterr().out) == warned


@pytest.mark.usefixtures("restored_threads")
def test_hardware_with_a_gpu_leaves_the_threads_to_the_loaders(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    for device in ("auto", "cuda"):
        machine = loop.hardware(device, 8)
        assert (machine.device.type, machine.workers, torch.get_num_threads()) == ("cuda", 7, 1)
    assert loop.hardware("cuda", 1).workers == 1
    assert loop.hardware("cpu", 4) == loop.Hardware(torch.device("cpu"), 4)


@pytest.mark.parametrize(("learner", "videos", "settings", "why"), [
    (classifier, 7, {"batch_size": 1}, ["train.batch_size is 1", "raise train.batch_size"]),
    (classifier, 1, {}, ["class0/train0.avi is all there is to train on", "add training videos"]),
    (classifier, 7, {"micro_batch": 2}, ["train.micro_batch is 2", "set train.micro_batch: null"]),
    (lambda: distilled(False), 7, {"batch_size": 3},
     ["a batch may have one clip of a learning teacher's subset", "set FT: true"]),
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
    (classifier, 7, {"batch_size": 1}, 8), (classifier, 5, {"batch_size": 2}, 4), (lambda: distilled(True), 7, {}, 4),
    (lambda: Classifier(backbones.freeze_backbone(network(0))), 3, {"batch_size": 1}, 4),
])  # fmt: skip
def test_what_can_be_alone_and_what_is_not(toy, tmp_path, learner, videos, settings, frames):
    clip = Clip(frames=frames, rate=1)
    _, history, _ = train(toy, tmp_path, learner(), videos=videos, clip=clip, epochs=1, **settings)
    assert np.isfinite(history["train_loss"]).all()


# Testing


def test_normalise():
    clip = torch.full((1, 3, 2, 2, 2), 51, dtype=torch.uint8)
    out = loop.Normalise([0.2, 0.1, 0.0], [0.1, 0.2, 0.4])(clip)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out[0, :, 0, 0, 0], torch.tensor([0.0, 0.5, 0.5]))
    out = loop.Normalise([0.2, 0.1, 0.0], [0.1, 0.0, 0.0])(clip * 0)
    torch.testing.assert_close(out[0, :, 0, 0, 0], torch.tensor([-2.0, -0.1, 0.0]))  # no division by 0


def test_letterboxed_clips_have_margins_of_the_mean_colour_wherever_they_are_asked_for(toy, tmp_path):
    """Networks meet zeros there, as those of their own padding: in training, its tests, teaching and evaluation."""
    letterbox, seen = Augment(short_side=(32, 32), crop=32, test_short_side=32, fit="letterbox"), []
    change = loop.Normalise([0.2, 0.4, 0.6], [0.2] * 3)
    assert change.colour == (51, 102, 153)
    change.register_forward_hook(lambda _, args, clips: seen.append(clips))
    learner, settings = classifier(), Train(epochs=1, batch_size=4, lr=0.1)
    given = {"clip": CLIP, "augment": letterbox, "settings": settings, "hardware": CPU}
    checkpoint, _, _ = loop.train(learner, change, first(toy[0], 4), first(toy[1], 4), seed=0, fingerprint={},
                                    resume=tmp_path / "resume.pt", **given)  # fmt: skip
    loop.training_logits([learner.model], change, first(toy[0], 4), seed=0, **given)
    loop.evaluate(learner, checkpoint, change, first(toy[1], 4), evaluation=Evaluation(), **given)
    assert len(seen) == 5
    for clips in seen:  # 40 rows and 48 columns of a frame become 27 and 32
        margins = torch.cat([clips[..., :2, :], clips[..., -3:, :]], dim=-2)
        assert margins.abs().max() < 1e-5
        assert clips[..., 2:-3, :].abs().amax((1, 2, 4)).min() > 0.1  # every row between them


def scored(seed=0):
    """A network whose logits differ by a lot, so that the two averages do too."""
    model = network(seed).train()
    with torch.no_grad():
        for _ in range(3):  # sensible batch-norm statistics
            model(torch.randn(4, 3, 8, 32, 32))
        backbones.projection(model).weight *= 200
    return Classifier(model).eval()


def evaluation_settings(**changes):
    return Train(**({"epochs": 1, "batch_size": 5, "lr": 0.1} | changes))


@pytest.mark.parametrize("average", ["logits", "softmax"])
def test_views_are_averaged_as_asked(toy, average):
    learner, videos = scored(), first(toy[1], 3)
    tests = TestClips(videos, CLIP, AUGMENT, 2, 3)
    with torch.no_grad():  # what all views have in common would hide how they differ
        mean = torch.cat([learner.logits(normalise()(tests[v][0])) for v in range(3)]).mean(0)
        backbones.projection(learner.model).bias -= mean
    protocol = Evaluation(clips_per_video=2, crops_per_clip=3, average=average)
    states = dict.fromkeys(("model", "last"), learner.model.state_dict())
    table = loop.evaluate(learner, states, normalise(), videos, clip=CLIP, augment=AUGMENT, evaluation=protocol,
                            settings=evaluation_settings(), hardware=CPU)  # fmt: skip
    found = np.stack(table["logits"])
    each = {}  # by average: one row a video
    with torch.no_grad():
        for v in range(3):
            logits = learner.logits(normalise()(tests[v][0]))
            assert logits.shape == (6, 4)
            each.setdefault("logits", []).append(logits.mean(0))
            each.setdefault("softmax", []).append(logits.softmax(1).mean(0))
    each = {name: torch.stack(values) for name, values in each.items()}
    torch.testing.assert_close(
        torch.from_numpy(found) if average == "logits" else torch.from_numpy(found).exp(), each[average],
        rtol=1e-4, atol=1e-4,
    )  # fmt: skip
    assert not torch.allclose(each["logits"].softmax(1), each["softmax"], atol=1e-3)


def test_averaged_probabilities_keep_the_order_of_the_smallest(toy):
    """The softmax of 0 beside 200 is 0 in float32; as a fifth guess it still comes before -50."""
    row = torch.tensor([200.0, 190.0, 40.0, 30.0, 0.0, -50.0, -torch.inf])

    class Certain(torch.nn.Module):
        def logits(self, clips):
            return row.expand(len(clips), -1)

    tests = TestClips(first(toy[1], 2), CLIP, AUGMENT, 2, 3)
    logits, _ = loop.predict(Certain().logits, normalise(), tests, evaluation_settings(), CPU, "softmax")
    np.testing.assert_allclose(logits, row.log_softmax(0).expand(2, -1), rtol=1e-5, atol=1e-5)
    assert top_k(logits, np.array([4, 5]), 5) == 50


def test_one_view_comes_back_as_its_logits(toy):
    learner, videos = scored(), first(toy[1], 2)
    tests = TestClips(videos, CLIP, AUGMENT)
    with torch.no_grad():
        expected = learner.logits(normalise()(torch.cat([tests[0][0], tests[1][0]])))
    for average in ("logits", "softmax"):
        found, labels = loop.predict(learner.logits, normalise(), tests, evaluation_settings(), CPU, average)
        torch.testing.assert_close(torch.from_numpy(found), expected)
        assert labels.tolist() == list(videos.labels)


def test_neither_batch_size_nor_loaders_change_predictions(toy):
    learner = scored()
    tests = TestClips(toy[1], CLIP, AUGMENT, 2, 1)
    machines = (CPU, Loaders(torch.device("cpu"), 1, 2))
    found = [loop.predict(learner.logits, normalise(), tests, evaluation_settings(batch_size=size), machine)
             for size, machine in ((1, CPU), (3, CPU), (100, CPU), (3, machines[1]))]  # fmt: skip
    for logits, labels in found[1:]:
        np.testing.assert_allclose(logits, found[0][0], rtol=1e-3, atol=1e-3)
        np.testing.assert_array_equal(labels, toy[1].labels)
    np.testing.assert_array_equal(found[3][0], found[1][0])


def test_no_more_clips_than_a_batch_are_held_at_once(toy, monkeypatch):
    """Thirty views of each of eight long videos would not fit in memory: the loader's batches count views."""
    sizes, rows = [], []
    loader = loop.loader
    monkeypatch.setattr(loop, "loader", lambda *args, **kw: sizes.append(kw["batch_size"]) or loader(*args, **kw))
    learner = scored()
    learner.model.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
    tests = TestClips(first(toy[1], 3), CLIP, AUGMENT, 2, 3)
    loop.predict(learner.logits, normalise(), tests, evaluation_settings(batch_size=13), CPU)
    loop.predict(learner.logits, normalise(), tests, evaluation_settings(batch_size=4), CPU)
    assert sizes == [2, 1]
    assert rows == [12, 6] + [4, 2] * 3


def test_predicting_leaves_a_learner_as_it_was_but_in_eval_mode(toy):
    learner = scored().train()
    before = {name: value.clone() for name, value in learner.state_dict().items()}
    loop.predict(learner.logits, normalise(), TestClips(first(toy[1], 3), CLIP, AUGMENT), evaluation_settings(), CPU)
    assert not differ(learner.state_dict(), before)
    assert not learner.training


def test_bf16_on_a_cpu_is_close_to_fp32(toy, tmp_path):
    learner = scored()
    tests = TestClips(toy[1], CLIP, AUGMENT)
    exact, half = (loop.predict(learner.logits, normalise(), tests, evaluation_settings(precision=p), CPU)[0]
                   for p in ("fp32", "bf16"))  # fmt: skip
    assert half.dtype == np.float32
    assert not np.array_equal(exact, half)
    assert np.abs(exact - half).max() < 0.03 * np.abs(exact).max()
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
        with loop.autocast(precision, CPU.device)[0]:
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
    """Training's, its tests' and those of the frozen teachers; the result is that of undivided batches."""
    plain, other = trained_as(toy, tmp_path / "plain"), trained_as(toy, tmp_path / "micro", micro_batch=2)
    assert_close(plain, other)
    seen = []
    teachers = [network(1), network(2)]
    teachers[0].register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    found = [
        loop.training_logits(
            teachers, normalise(), first(toy[0], 5), clip=CLIP, augment=AUGMENT, seed=0, hardware=CPU,
            settings=Train(epochs=1, batch_size=4, lr=0.1, micro_batch=most),
        )
        for most in (None, 2)
    ]  # fmt: skip
    assert seen == [5, 2, 2, 1]
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)
    learner, rows = classifier(), []
    learner.model.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
    train(toy, tmp_path / "again", learner, epochs=1, micro_batch=2)
    assert rows == [2, 2, 2, 1, 2, 2]  # batches of 4 and 3 clips, four tests


def test_the_history_and_the_evaluation_agree(toy, tmp_path, monkeypatch):
    """The best epoch's top-1 in the history is what its saved weights get from the evaluation rule's protocol."""
    seen = []
    predict = loop.predict
    with monkeypatch.context() as patch:
        patch.setattr(loop, "predict", lambda *args: seen.append(predict(*args)) or seen[-1])
        settings = {"backbone": "slowfast_small", "dropout": 0.5, "frozen": False, "seed": 1}
        checkpoint, history, _ = train(toy, tmp_path, Classifier(networks.new_model(settings, 4, None)), videos=12)
    predictions = checkpoint.pop("predictions")
    torch.save(checkpoint, tmp_path / "checkpoint.pt")
    parts = {part: weights.load_state_dict(tmp_path / "checkpoint.pt", part=part) for part in ("model", "last")}
    learner = Classifier(networks.new_model(settings, 4, None))
    found = loop.evaluate(
        learner, parts, normalise(), first(toy[1], 4), clip=CLIP, augment=AUGMENT, evaluation=Evaluation(),
        settings=evaluation_settings(batch_size=4), hardware=CPU,
    )  # fmt: skip
    assert checkpoint["epoch"] < 3, "the two parts differ"
    for column, epoch in (("logits", checkpoint["epoch"]), ("logits_last", 3)):
        logits = np.stack(found[column])
        np.testing.assert_array_equal(logits, seen[epoch - 1][0])
        np.testing.assert_array_equal(logits, np.stack(predictions[column]))
        assert top_k(logits, np.array(first(toy[1], 4).labels), 1) == history["top1"][epoch - 1]


def test_a_batch_is_trained_on_once_per_clip(toy, tmp_path):
    """Each epoch trains on every video exactly as often as asked, also where the last batch would be a single clip."""
    learner = classifier()
    seen = []
    learner.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    train(toy, tmp_path, learner, videos=9, batch_size=4, epochs=1)
    assert sorted(len(clips) for clips in seen) == [4, 5]
    data = TrainingClips(first(toy[0], 9), CLIP, AUGMENT, 0)
    expected = sorted(normalise()(data[0, v][0][None])[0].sum().item() for v in range(9))
    assert sorted(clip.sum().item() for clips in seen for clip in clips) == pytest.approx(expected, rel=1e-5)


def test_teachers_that_spoke_once_teach_as_teachers_that_are_asked(toy, tmp_path):
    """The students' training with cached logits is the training with live frozen teachers, clip for clip."""
    teachers = [network(101), network(102)]
    videos = first(toy[0], 7)
    settings = Train(**({"epochs": 3, "batch_size": 4, "clips_per_video": 2} | OPTIMISERS["sgd"]))
    cached = loop.training_logits(
        teachers, normalise(), videos, clip=CLIP, augment=AUGMENT, settings=settings, seed=0, hardware=CPU
    )
    assert cached.shape == (2, 6, 7, 4)
    assert cached.dtype == torch.float32
    student = Student(S_alpha=0.3, KD_T=2, KD_alpha=0.4, FT=True)
    shared = Distilled(network(0), None, None, STATIC, student, cached.clone())
    one = train(toy, tmp_path / "cached", shared, clips_per_video=2)
    two = train(toy, tmp_path / "live", distilled(True), clips_per_video=2)
    pd.testing.assert_frame_equal(one[1].drop(columns=SECONDS), two[1].drop(columns=SECONDS), rtol=1e-4, atol=1e-4)
    assert one[1]["L_KD"].ne(0).all()
    wrong = Distilled(network(0), None, None, STATIC, student, cached.flip(2))
    other = train(toy, tmp_path / "wrong", wrong, clips_per_video=2)
    assert not np.allclose(other[1]["L_KD"], two[1]["L_KD"], rtol=1e-3), "the test can tell whose logits they are"
