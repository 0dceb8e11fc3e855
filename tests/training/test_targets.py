"""What teachers say to training clips: of finished ones, and of ones that go on learning meanwhile."""

import copy
from pathlib import Path

import pandas as pd
import pytest
import torch
from test_loop import AUGMENT, CLIP, CPU, first, network, normalise
from torch.nn import functional as F

from dtkd.common.errors import DtkdError
from dtkd.config import Clip, Train
from dtkd.data.datasets import Videos
from dtkd.models import backbones
from dtkd.training import targets
from dtkd.training.classifier import Classifier
from dtkd.training.sampling import TrainingClips, epoch_batches
from dtkd.training.targets import Learner, Targets

GROUPS = torch.tensor([0, 1, 0, 1])
LABELS = torch.tensor([0, 1, 3, 2, 1])  # two of the first group
OWN = GROUPS[LABELS] == 0


def clips(N=5):
    return torch.randint(256, (N, 3, 8, 32, 32), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def settings(**changes):
    return Train(**({"epochs": 3, "batch_size": 4, "lr": 0.02, "momentum": 0.5} | changes))


def teachers(dropout=0.5, allowed=False):
    masks = (GROUPS == 0, GROUPS == 1) if allowed else (None, None)
    return {name: Classifier(network(seed, dropout), mask)
            for name, seed, mask in zip(("static", "dynamic"), (101, 102), masks, strict=True)}  # fmt: skip


# The file


def test_targets_are_of_these_videos(tmp_path):
    videos = Videos(("a/1.avi", "b/2.avi"), (Path("a/1.avi"), Path("b/2.avi")), (0, 1))
    said = Targets(("static", "dynamic"), torch.randn(2, 3, 2, 4))
    said.save(tmp_path / "seed0.pt", videos)
    loaded = Targets.load(tmp_path / "seed0.pt", videos, 3)
    assert loaded.teachers == said.teachers
    assert torch.equal(loaded.logits, said.logits)
    others = Videos(videos.names[::-1], videos.paths[::-1], videos.labels[::-1])
    for wrong, count in ((others, 3), (videos, 4)):
        with pytest.raises(DtkdError, match=r"seed0\.pt: holds the logits of other training clips; remove it"):
            Targets.load(tmp_path / "seed0.pt", wrong, count)


def test_features_beyond_half_precision_are_no_targets(tmp_path):
    """They are kept as float16: a large one would be infinite, and the student's loss NaN, whoever is to blame."""
    videos = Videos(("a/1.avi", "b/2.avi"), (Path("a/1.avi"), Path("b/2.avi")), (0, 1))
    features = torch.ones(3, 2, 5)
    features[1, 1, 4] = 1e5
    said = Targets(("teacher",), torch.randn(1, 3, 2, 4), (features.half(),))
    with pytest.raises(DtkdError, match=r"the teacher teacher's pooled features of b/2\.avi are not finite, or beyond"):
        said.save(tmp_path / "seed0.pt", videos)
    assert not (tmp_path / "seed0.pt").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_no_target(tmp_path, value):
    """Half precision overflows; a student would learn from its labels alone, or from noise, without a word."""
    videos = Videos(("a/1.avi", "b/2.avi"), (Path("a/1.avi"), Path("b/2.avi")), (0, 1))
    said = torch.randn(2, 3, 2, 4)
    said[1, 2, 1, 0] = value
    with pytest.raises(
        DtkdError, match=r"the dynamic teacher's logits of b/2\.avi are not finite; use train\.precision"
    ):
        Targets(("static", "dynamic"), said).save(tmp_path / "a.pt", videos)
    assert not (tmp_path / "a.pt").exists()
    said[1, 2, 1] = torch.tensor([1.0, -torch.inf, 0.0, -torch.inf])  # a masked teacher's
    Targets(("static", "dynamic"), said).save(tmp_path / "a.pt", videos)


def test_a_batchs_rows_are_those_of_its_clips():
    said = Targets(("static", "dynamic"), torch.randn(2, 3, 2, 4))
    found = said.of([(2, 1), (0, 0)], torch.device("cpu"))
    assert list(found) == ["static", "dynamic"]
    assert torch.equal(found["dynamic"], torch.stack([said.logits[1, 2, 1], said.logits[1, 0, 0]]))


def test_masked_teachers_predict_their_own_groups_classes():
    said = Targets(("static", "dynamic"), torch.randn(2, 3, 2, 4)).masked(GROUPS)
    assert torch.equal(said.logits[0].isinf(), (GROUPS != 0).expand(3, 2, 4))
    assert torch.equal(said.logits[1].isinf(), (GROUPS != 1).expand(3, 2, 4))


# Finished teachers


def test_what_frozen_teachers_say_is_what_they_say_to_each_clip(toy):
    """Each network has the clips as they were: pytorchvideo's SlowFast changes the list that it is given."""
    pair, videos = {"static": network(101), "dynamic": network(102)}, first(toy[0], 5)
    options = settings(epochs=2, clips_per_video=2)
    said = targets.frozen(pair, normalise(), videos, clip=CLIP, augment=AUGMENT, settings=options, seed=0, hardware=CPU)
    assert said.teachers == ("static", "dynamic")
    assert said.logits.shape == (2, 4, 5, 4)
    assert said.logits.dtype == torch.float32
    data = TrainingClips(videos, CLIP, AUGMENT, 0)
    with torch.no_grad():
        for t, model in enumerate(pair.values()):
            for k, v in ((0, 0), (3, 2), (1, 4)):
                torch.testing.assert_close(said.logits[t, k, v], model.eval()(normalise()(data[k, v][0][None]))[0],
                                           rtol=1e-4, atol=1e-5)  # fmt: skip


def test_micro_batches_bound_frozen_teachers(toy):
    seen, model = [], network(1)
    model.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    found = [
        targets.frozen({"teacher": model}, normalise(), first(toy[0], 5), clip=CLIP, augment=AUGMENT, seed=0,
                       hardware=CPU, settings=settings(epochs=1, micro_batch=most)).logits
        for most in (None, 2)
    ]  # fmt: skip
    assert seen == [5, 2, 2, 1]
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)


# A teacher that goes on learning


@pytest.mark.parametrize("masked", [False, True])
def test_it_learns_from_its_own_cross_entropy(masked):
    """Over its group's classes where it is masked, else over all; the mean of its own samples."""
    classifier = teachers(dropout=0, allowed=masked)["static"]
    reference = copy.deepcopy(classifier)
    _, loss = Learner(classifier, normalise(), settings(momentum=0), CPU.device).step(clips(), LABELS, OWN)
    expected = F.cross_entropy(reference.train()(normalise()(clips()[OWN])), LABELS[OWN])
    assert loss == pytest.approx(expected.item())
    expected.backward()
    for p, q in zip(classifier.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(p, q - 0.02 * q.grad)


def test_it_answers_others_samples_as_a_frozen_teacher_does():
    """Its batch norms know nothing of them, and there is no dropout in what it says."""
    classifier = teachers()["static"]
    before = copy.deepcopy(classifier)
    logits, _ = Learner(classifier, normalise(), settings(), CPU.device).step(clips(), LABELS, OWN)
    frozen = copy.deepcopy(before).eval()
    with torch.no_grad():
        torch.testing.assert_close(logits[~OWN], frozen(normalise()(clips()[~OWN])))
        before.train()(normalise()(clips()[OWN]))  # statistics of its own samples alone
    for (key, value), buffer in zip(before.named_buffers(), classifier.buffers(), strict=True):
        assert torch.equal(value, buffer), key


def test_without_own_samples_it_stays_as_it_is():
    """Not even momentum or weight decay moves it."""
    classifier = teachers()["static"]
    learner = Learner(classifier, normalise(), settings(weight_decay=0.1), CPU.device)
    learner.step(clips(), LABELS, OWN)
    before = copy.deepcopy(classifier.state_dict())
    logits, loss = learner.step(clips(), LABELS, torch.zeros(5, dtype=torch.bool))
    assert loss is None
    assert logits.isfinite().all()
    assert all(torch.equal(value, before[name]) for name, value in classifier.state_dict().items())


def test_micro_batches_bound_it_and_it_learns_the_same():
    frozen = {most: Classifier(backbones.freeze_backbone(network(1, dropout=0))) for most in (None, 1)}
    seen, results = [], []
    frozen[1].model.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    for most, classifier in frozen.items():
        learner = Learner(classifier, normalise(), settings(micro_batch=most), CPU.device)
        results.append([learner.step(clips(), LABELS, OWN) for _ in range(2)])
    assert set(seen) == {1}
    for (one, loss), (other, loss_other) in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
        assert loss == pytest.approx(loss_other, rel=1e-5)


def test_in_mixed_precision_it_still_gets_gradients():
    """Autocast keeps the rounded weights of a forward pass without gradients for the next, within one block."""
    classifier = teachers()["static"]
    learner = Learner(classifier, normalise(), settings(precision="bf16"), CPU.device)
    grads = []
    learner.optimiser.step = lambda: grads.extend(p.grad is not None for p in classifier.parameters())
    learner.step(clips(), LABELS, OWN)
    assert len(grads) > 10
    assert all(grads)


# The run of all of them


def continued(toy, folder, pair=None, videos=7, clip=CLIP, **changes):
    return targets.continued(
        pair or teachers(), GROUPS, normalise(), first(toy[0], videos), clip=clip, augment=AUGMENT,
        settings=settings(**changes), seed=0, hardware=CPU, resume=folder / "resume.pt", fingerprint={"run": 1},
        label="targets",
    )  # fmt: skip


def test_what_they_say_at_each_step_before_they_learn_from_it(toy, tmp_path):
    """The path of a teacher is its own, step by step in the students' batches; a clip's answer is that of its step."""
    pair, videos = teachers(dropout=0), first(toy[0], 7)
    mine = {name: Learner(copy.deepcopy(one), normalise(), settings(), CPU.device) for name, one in pair.items()}
    said, history = continued(toy, tmp_path, pair)
    assert said.logits.shape == (2, 3, 7, 4)
    assert said.logits.isfinite().all()
    data = TrainingClips(videos, CLIP, AUGMENT, 0)
    for epoch in range(3):
        losses = {name: [] for name in mine}
        for items in epoch_batches(0, epoch, 7, 1, 4):
            frames = torch.stack([data[item][0] for item in items])
            labels = torch.tensor([videos.labels[v] for _, v in items])
            for number, (name, learner) in enumerate(mine.items()):
                logits, loss = learner.step(frames, labels, GROUPS[labels] == number)
                losses[name] += [] if loss is None else [loss]
                for row, (k, v) in enumerate(items):
                    torch.testing.assert_close(said.logits[number, k, v], logits[row])
        assert history["loss_static"][epoch] == pytest.approx(sum(losses["static"]) / len(losses["static"]))
    assert list(history.columns) == ["epoch", "lr", "loss_static", "loss_dynamic"]


def test_resumed_they_say_what_they_would_have_said(toy, tmp_path, monkeypatch, capsys):
    """Bit for bit, with dropout and momentum; a run of other settings is not gone on with."""
    whole, whole_history = continued(toy, tmp_path / "whole")
    step, calls = Learner.step, []

    def interrupted(self, *given):
        calls.append(given)
        if len(calls) > 2 * 3:  # of two teachers, in the middle of epoch 2
            raise KeyboardInterrupt
        return step(self, *given)

    monkeypatch.setattr(Learner, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        continued(toy, tmp_path)
    monkeypatch.setattr(Learner, "step", step)
    torch.manual_seed(3)
    said, history = continued(toy, tmp_path)
    assert "targets: goes on after epoch 1 of 3" in capsys.readouterr().err
    assert torch.equal(said.logits, whole.logits)
    pd.testing.assert_frame_equal(history, whole_history, check_exact=True)


def test_a_loss_that_is_not_finite_names_the_teacher_and_the_step(toy, tmp_path, monkeypatch):
    step = Learner.step
    calls = iter(range(1, 100))
    broken = lambda self, *given: (step(self, *given)[0], float("nan") if next(calls) == 6 else 1.0)  # noqa: E731
    monkeypatch.setattr(Learner, "step", broken)
    with pytest.raises(DtkdError, match=r"targets: the loss of the dynamic teacher is nan at epoch 2, step 1; batch: "):
        continued(toy, tmp_path)


def test_one_clip_alone_before_a_batch_norm_of_one_value(toy, tmp_path):
    with pytest.raises(DtkdError, match=r"a batch may have one clip of a learning teacher's group: .* or set FT: true"):
        continued(toy, tmp_path, batch_size=3, clip=Clip(frames=4, rate=1))
    said, _ = continued(toy, tmp_path, batch_size=3, epochs=1)  # with two frames there are values enough
    assert said.logits.isfinite().all()
