"""What only a GPU can show, at the real size: `make test-gpu` (about ten minutes on a card of 24 GiB).

`DTKD_TEST_DEVICE=cpu make test-gpu` tries the suite itself, with small networks, on any computer.
"""

import os

import numpy as np
import pytest
import torch
from conftest import make_videos, write_video
from torch import distributed, multiprocessing

from dtkd.config import Augment, Clip, Train
from dtkd.data.datasets import Videos
from dtkd.distillation import methods
from dtkd.models import backbones
from dtkd.motion import flow, raft
from dtkd.training import loop, targets
from dtkd.training.classifier import Classifier
from dtkd.training.hardware import choose_hardware
from dtkd.training.normalise import Normalise
from dtkd.training.objectives import CrossEntropy, Distillation
from dtkd.training.parallel import Group

DEVICE = os.environ.get("DTKD_TEST_DEVICE", "cuda")
REAL = DEVICE == "cuda"
pytestmark = pytest.mark.skipif(REAL and not torch.cuda.is_available(), reason="torch sees no CUDA device here")

BACKBONE = "slowfast_r50_8x8" if REAL else "slowfast_tiny"
CLIP = Clip(frames=32, rate=2) if REAL else Clip(frames=8, rate=1)
AUGMENT = Augment(short_side=(256, 320), crop=256, test_short_side=256) if REAL else Augment(
    short_side=(32, 36), crop=32, test_short_side=32)  # fmt: skip
PRECISIONS = ["bf16", "fp16"] if REAL else ["fp32"]
BATCH = 4
THREADS = 4 if REAL else 1
GROUPS = torch.tensor([0, 1, 0, 1])
MOST_GIB = 16
"""What R50 8×8 with batches of four clips of 256 px may take in mixed precision: it is to fit a common card."""


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Training and test videos, 320×240 and 80 frames each on a GPU, as UCF101's are."""
    folder = tmp_path_factory.mktemp("videos")
    found = make_videos(folder, "train", 3), make_videos(folder, "test", 1)
    if REAL:
        for side in found:
            for path, label in zip(side.paths, side.labels, strict=True):
                noise = np.random.default_rng(label).integers(90, 130, (80, 240, 320, 3)).astype(np.uint8)
                noise[:, 60 * label : 60 * label + 60] += 60  # each class has its own rows
                write_video(path, noise)
    return found


def classifier(seed=0):
    torch.manual_seed(seed)
    return Classifier(backbones.build(BACKBONE, 4, 0.5))


def normalise():
    return Normalise([0.45] * 3, [0.225] * 3)


def train(videos, folder, objective=None, learner=None, **changes):
    settings = Train(**({"epochs": 2, "batch_size": BATCH, "lr": 0.005, "momentum": 0.9} | changes))
    return loop.train(
        learner or classifier(), objective or CrossEntropy(), normalise(), *videos, clip=CLIP, augment=AUGMENT,
        settings=settings, seed=0, hardware=choose_hardware(DEVICE, THREADS), resume=folder / "resume.pt",
        fingerprint={"run": 1}, label="run",
    )  # fmt: skip


@pytest.mark.parametrize("precision", PRECISIONS)
def test_mixed_precision_learns_at_the_real_size(videos, tmp_path, precision):
    """Losses are finite and fall, weights stay float32, and it fits the card that the documentation names."""
    if REAL:
        torch.cuda.reset_peak_memory_stats()
    checkpoint, history, predictions = train(videos, tmp_path, precision=precision, epochs=4)
    assert np.isfinite(history["train_loss"]).all()
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
    assert {value.dtype for value in checkpoint["model"].values() if value.is_floating_point()} == {torch.float32}
    assert np.isfinite(np.stack(predictions["logits"])).all()
    if REAL:
        assert torch.cuda.max_memory_allocated() < MOST_GIB * 2**30


def test_a_resumed_training_goes_on(videos, tmp_path):
    """The first epoch is not trained again; a GPU adds up in any order, so losses are not the same to the bit."""
    whole = train(videos, tmp_path / "whole")[1]

    class Interrupted(CrossEntropy):
        steps = 0

        def loss(self, *given):
            Interrupted.steps += 1
            if Interrupted.steps > len(videos[0]) // BATCH:
                raise KeyboardInterrupt
            return super().loss(*given)

    with pytest.raises(KeyboardInterrupt):
        train(videos, tmp_path, Interrupted())
    went_on = train(videos, tmp_path)[1]
    assert went_on["epoch"].tolist() == [1, 2]
    np.testing.assert_allclose(went_on["train_loss"], whole["train_loss"], rtol=0.05)


def test_targets_are_what_teachers_say_and_students_learn_from_them(videos, tmp_path):
    hardware, teachers = (
        choose_hardware(DEVICE, THREADS),
        {name: classifier(seed) for seed, name in enumerate(("a", "b"))},
    )
    settings = Train(epochs=1, batch_size=BATCH, lr=0.005, precision=PRECISIONS[0])
    found = targets.frozen(teachers, normalise(), videos[0], clip=CLIP, augment=AUGMENT, settings=settings, seed=0,
                           hardware=hardware)  # fmt: skip
    again = targets.frozen({"a": teachers["a"]}, normalise(), videos[0], clip=CLIP, augment=AUGMENT,
                           settings=settings, seed=0, hardware=hardware)  # fmt: skip
    assert found.logits.shape == (2, 1, len(videos[0]), 4)
    torch.testing.assert_close(again.logits[0], found.logits[0], atol=0.05, rtol=0.05)
    method = methods.build("dtkd", S_alpha=0.3, KD_T=2, KD_alpha=0.4)
    _, history, _ = train(videos, tmp_path, Distillation(method, found, GROUPS), epochs=1, precision=PRECISIONS[0])
    assert np.isfinite(history["train_loss"]).all()


@pytest.mark.parametrize("batch_norm", ["local", "synced"])
def test_two_processes_learn_what_one_does(videos, tmp_path, batch_norm):
    """Two GPUs, or two processes on one, which NCCL refuses and gloo does not; their weights stay the same."""
    cards = torch.cuda.device_count() if REAL else 1
    if batch_norm == "synced" and cards < 2:
        pytest.skip("torch's SyncBatchNorm takes NCCL, and that a GPU for each process")
    multiprocessing.spawn(member, (videos, tmp_path, batch_norm, cards), nprocs=2)
    states = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    assert all(torch.equal(states[0][name], states[1][name]) for name, _ in classifier().named_parameters())
    started = classifier().state_dict()
    assert any(not torch.equal(started[name], states[0][name]) for name in started)


def member(rank: int, videos: tuple[Videos, Videos], folder, batch_norm: str, cards: int) -> None:
    """One process of a training."""
    hardware = choose_hardware(DEVICE, THREADS)
    if REAL:
        torch.cuda.set_device(rank % cards)
    backend = "nccl" if cards > 1 else "gloo"
    distributed.init_process_group(backend, init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    learner = classifier()
    loop.train(
        learner, CrossEntropy(), normalise(), *videos, clip=CLIP, augment=AUGMENT, seed=0, hardware=hardware,
        settings=Train(epochs=1, batch_size=BATCH, lr=0.005, precision=PRECISIONS[0], batch_norm=batch_norm),
        resume=folder / "resume.pt", fingerprint={"run": 1}, label="run", group=Group(rank, 2),
    )  # fmt: skip
    torch.save({name: value.cpu() for name, value in learner.state_dict().items()}, folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.parametrize("options", [{"channels_last": True}, {"compile": True}], ids=lambda given: next(iter(given)))
def test_options_change_the_first_gradient_by_rounding(videos, tmp_path, options):
    if "compile" in options and not REAL:
        pytest.skip("the suite of tests has it on a CPU")
    usual, changed = (train(videos, tmp_path / name, epochs=1, lr=1e-6, **given)[1]["train_loss"].iloc[0]
                      for name, given in (("usual", {}), ("changed", options)))  # fmt: skip
    assert changed == pytest.approx(usual, rel=0.02)


def test_raft_says_on_a_gpu_what_it_says_on_a_cpu(videos, tmp_path):
    torch.manual_seed(0)
    weights = tmp_path / "raft_small.pth"
    torch.save(raft.NETWORKS["raft_small"]().state_dict(), weights)
    file = make_videos(tmp_path, "small", 1).paths[0]
    found = {
        device: flow.video_flow(file, "raft_small", weights=str(weights), device=device) for device in (DEVICE, "cpu")
    }
    np.testing.assert_allclose(found[DEVICE]["mean"], found["cpu"]["mean"], rtol=0.02)
