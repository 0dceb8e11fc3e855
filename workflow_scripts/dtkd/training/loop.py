"""Train, resume, evaluate: one loop for every role; what a step minimises is the learner's business."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from dtkd.common.device import choose
from dtkd.common.distributed import DistributedBatchSampler, Group
from dtkd.common.errors import DtkdError
from dtkd.config import Augment, Clip, Evaluation, Train
from dtkd.data.datasets import Videos
from dtkd.models import backbones
from dtkd.models.shared_batch_norm import share_batch_norms
from dtkd.models.weights import save_tensors
from dtkd.training.metrics import top_k
from dtkd.training.micro_batches import gradient, together
from dtkd.training.sampling import EpochBatches, FrameCache, TestClips, TrainingClips, loader, seed_of

RESUME = 1  # what a resume file holds; raised when that changes, so that an older one is left alone


@dataclass(frozen=True)
class Hardware:
    """Where a run computes, and with how much of the machine."""

    device: torch.device
    threads: int
    cache_mb: int = 0  # of decoded frames, in all loader processes together

    @property
    def workers(self) -> int:
        """Loader processes: on a GPU all threads but one; on a CPU the training process decodes for itself."""
        return max(self.threads - 1, 1) if self.device.type == "cuda" else 0

    def frame_cache(self) -> FrameCache:
        """A cache of decoded frames; each loader process has its own."""
        return FrameCache(self.cache_mb / max(self.workers, 1))


def hardware(device: str, threads: int, cache_mb: int = 0, devices: int = 1) -> Hardware:
    """Choose the device and bound the threads of torch by what the rule was given and what the machine has.

    ``devices`` is how many GPUs this process and those that it will start may use, of those that the machine has.

    OpenCV decodes on one: its own pool would take every core of the machine.
    """
    given = os.environ.get("CUDA_VISIBLE_DEVICES", "-1")  # what a scheduler sets
    chosen = choose(device, devices)
    if device == "auto" and chosen.type == "cpu" and given not in ("", "-1"):
        print(f"warning: this job was given GPU {given}, but torch sees no CUDA device and uses the CPU", flush=True)
    threads = max(1, min(threads, len(os.sched_getaffinity(0))))
    torch.set_num_threads(threads if chosen.type == "cpu" else 1)
    cv2.setNumThreads(1)
    torch.backends.cudnn.benchmark = chosen.type == "cuda"  # clips are of one size
    return Hardware(chosen, threads, cache_mb)


class Normalise(nn.Module):
    """uint8 clips (N, C, T, H, W) to float with the dataset's mean and standard deviation per channel (of 0..1).

    A channel that never changes (deviation 0) says nothing: it becomes 0.

    ``memory_format`` is that of the clips that it gives: as the network's weights have it.
    """

    def __init__(self, mean: list[float], std: list[float]):
        super().__init__()
        self.memory_format = torch.preserve_format
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1, 1) * 255, persistent=False)
        std = [value or 1.0 for value in std]
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1, 1) * 255, persistent=False)

    @property
    def colour(self) -> tuple[int, int, int]:
        """The mean as a pixel (RGB, of 255), which becomes zero except for rounding: what a network's padding is."""
        return tuple(self.mean.flatten().round().int().tolist())

    def forward(self, clips: Tensor) -> Tensor:
        return (clips.to(self.mean.dtype, memory_format=self.memory_format) - self.mean) / self.std


def progress(data=None, **options) -> tqdm:
    """A progress bar with time left; where no terminal shows it (a log file), a line every half minute."""
    return tqdm(data, dynamic_ncols=True, mininterval=2 if os.isatty(2) else 30, **options)


def autocast(precision: str, device: torch.device):
    """`auto`: bf16 where the GPU has it, else fp16; fp32 on a CPU, for which fp16 is refused: it is slow there."""
    if precision == "auto" and device.type == "cpu":
        precision = "fp32"
    elif precision == "auto":
        precision = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    if precision == "fp32":
        return nullcontext(), False
    if precision == "fp16" and device.type == "cpu":
        raise DtkdError("train.precision: fp16 is for GPUs, and this is a CPU; use auto, fp32 or bf16")
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    return torch.autocast(device.type, dtype), precision == "fp16"


def accelerate(networks: list[nn.Module], normalise: Normalise, settings: Train, device: torch.device) -> None:
    """Lay out and compile ``networks`` as the settings ask; their results change by rounding, their states' names not.

    Raises:
        DtkdError: torch.compile does not work here.
    """
    if settings.channels_last:
        normalise.memory_format = torch.channels_last_3d
        for network in networks:
            network.to(memory_format=torch.channels_last_3d)
    if settings.compile:
        try:
            torch.compile(torch.sin)(torch.ones(8, device=device))
        except Exception as error:  # whatever a compiler may say
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise DtkdError(
                f"train.compile: torch.compile does not work here ({said[0]}): install a C++ compiler and Python's "
                "headers (python3-dev), or set compile: false"
            ) from error
        # a student and two teachers that go on learning share their code, and so its limit: graphs with gradients and
        # without, in train and in eval mode, of one clip and of any number
        torch._dynamo.config.recompile_limit = 16
        for network in networks:
            network.compile()


OPTIMISERS = {
    "sgd": lambda parameters, s: torch.optim.SGD(parameters, s.lr, s.momentum, weight_decay=s.weight_decay),
    "adamw": lambda parameters, s: torch.optim.AdamW(parameters, s.lr, weight_decay=s.weight_decay),
}


def learning_rate(settings: Train, progress: float) -> float:
    """The rate after ``progress`` epochs (a fraction within an epoch counts)."""
    if progress < settings.warmup_epochs:
        return settings.lr * (0.1 + 0.9 * progress / settings.warmup_epochs)
    if settings.schedule == "cosine":
        span = max(settings.epochs - settings.warmup_epochs, 1e-9)
        return settings.lr * 0.5 * (1 + math.cos(math.pi * min((progress - settings.warmup_epochs) / span, 1)))
    return settings.lr


def train(
    learner: nn.Module,
    normalise: Normalise,
    train_videos: Videos,
    test_videos: Videos,
    *,
    clip: Clip,
    augment: Augment,
    settings: Train,
    seed: int,
    hardware: Hardware,
    resume: Path,
    fingerprint: dict[str, Any],
    label: str = "",
    group: Group = Group(),  # noqa: B008 (frozen)
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame] | None:
    """Train ``learner.model`` and test it after every epoch on each test video's centre clip.

    After each epoch the whole state is written to ``resume``; a run that finds it there, with the same
    ``fingerprint``, goes on from that epoch and ends as an uninterrupted run would (bit for bit on a CPU).

    Every process of a ``group`` calls it with the same arguments. They draw the same batches, of which each takes its
    share, and make the same steps as one process would, except for rounding and for dropout's choices; the first one
    tests and writes, for all, and the others return None.

    Returns:
        The checkpoint (``model``: the selected epoch's state dict, ``last``: the last epoch's, ``epoch``), the
        history, one row an epoch, and the predictions, one row a test video.

    Raises:
        DtkdError: the loss is no longer finite (names the epoch, the step and the batch's videos), or the precision
            is one in which torch's gradients are wrong; or a batch norm would see a single value (`check_alone`).
    """
    check_alone(learner, train_videos, clip, augment, settings, seed, group, label)
    device = hardware.device
    learner.to(device)
    normalise.to(device)
    if group.size > 1:
        share_batch_norms(learner)
    accelerate(list(learner.children()), normalise, settings, device)
    parameters = [p for p in learner.parameters() if p.requires_grad]
    optimiser = OPTIMISERS[settings.optimiser](backbones.parameter_groups(learner), settings)
    cast, scaled = autocast(settings.precision, device)
    if device.type == "cpu" and settings.precision not in ("auto", "fp32"):
        fewest = backbones.frames_for_convolutions(learner.model, augment.crop)
        if fewest is None or clip.frames < fewest:
            raise DtkdError(
                f"train.precision: {settings.precision} on a CPU: torch gets gradients wrong where a convolution is "
                f"longer than its frames, as with clip.frames: {clip.frames}; use auto, fp32"
                f"{f', or at least {fewest} frames' if fewest else ''}"
            )
    scaler = torch.amp.GradScaler(device.type, enabled=scaled)
    batches = EpochBatches(seed, len(train_videos), settings.clips_per_video, settings.batch_size)
    cache = hardware.frame_cache()
    data = loader(
        TrainingClips(train_videos, clip, augment, seed, cache, normalise.colour),
        batches=DistributedBatchSampler(batches, group), workers=hardware.workers, pin=device.type == "cuda",
    )  # fmt: skip
    # a loader of its own for each test would fill a second cache, and decode for it what comes once
    tests = TestClips(test_videos, clip, augment, cache=None if hardware.workers else cache,
                      margins=normalise.colour)  # fmt: skip
    history: list[dict[str, float]] = []
    best: dict[str, Any] = {"top1": -1.0}

    saved = group.from_first(_load_resume(resume, fingerprint) if group.rank == 0 else None)
    if saved is not None:
        learner.load_state_dict(saved["learner"])
        optimiser.load_state_dict(saved["optimiser"])
        if saved["scaler"]:  # empty where the run began with another precision, on another kind of GPU
            scaler.load_state_dict(saved["scaler"])
        history, best, last_logits = saved["history"], saved["best"], saved["last_logits"]
        print(f"{label}: goes on after epoch {len(history)} of {settings.epochs}", file=sys.stderr, flush=True)

    steps = len(batches)
    bar = progress(total=settings.epochs * steps, initial=len(history) * steps, desc=label, unit="step",
                   disable=group.rank > 0)  # fmt: skip
    for epoch in range(len(history), settings.epochs):
        started, waited = time.perf_counter(), 0.0
        torch.manual_seed(seed_of(seed, "epoch", epoch, *[group.rank] * (group.rank > 0)))  # dropout
        batches.epoch = epoch
        learner.train()
        totals: dict[str, list[float]] = {}
        correct = seen = 0
        requested = time.perf_counter()
        for step, ((frames, _, _), items) in enumerate(zip(data, batches, strict=True)):
            waited += time.perf_counter() - requested
            for parameter_group in optimiser.param_groups:
                parameter_group["lr"] = learning_rate(settings, epoch + step / steps)
            frames = frames.to(device, non_blocking=True)
            labels = torch.tensor([train_videos.labels[p] for _, p in items], device=device)
            optimiser.zero_grad(set_to_none=True)
            result = gradient(
                learner, normalise, frames, labels, items,
                most=settings.micro_batch or len(items), cast=cast, scaler=scaler, group=group,
            )  # fmt: skip
            loss = result.loss.item()
            if not math.isfinite(loss):
                names = ", ".join(train_videos.names[p] for _, p in items)
                raise DtkdError(
                    f"{label}: the loss is {loss} at epoch {epoch + 1}, step {step + 1}; batch: {names}. "
                    f"{_diverged(resume, epoch)}"
                )
            scaler.step(optimiser)
            scaler.update()
            for name, value in {"train_loss": loss, **{n: s.item() for n, s in result.scalars.items()}}.items():
                totals.setdefault(name, []).append(value)
            correct += (result.logits.argmax(1) == labels).sum().item()
            seen += len(labels)
            bar.update()
            requested = time.perf_counter()
        if not all(value.isfinite().all() for value in parameters):  # the last step's gradients were not
            names = ", ".join(train_videos.names[p] for _, p in items)
            raise DtkdError(
                f"{label}: the weights are no longer finite after epoch {epoch + 1}, step {steps}; batch: {names}. "
                f"{_diverged(resume, epoch)}"
            )
        trained = time.perf_counter()
        if group.rank > 0:
            continue
        logits, truth = predict(learner.logits, normalise, tests, settings, hardware)
        row = {
            "epoch": epoch + 1,
            "lr": optimiser.param_groups[0]["lr"],
            **{name: _mean(values) for name, values in totals.items()},
            "train_top1": 100.0 * correct / seen,
            "top1": top_k(logits, truth, 1),
            "top5": top_k(logits, truth, 5),
            "train_seconds": trained - started,
            "wait_seconds": waited,
            "test_seconds": time.perf_counter() - trained,
        }
        history.append(row)
        state = {name: value.detach().cpu().clone() for name, value in learner.model.state_dict().items()}
        last_logits = torch.from_numpy(logits)
        if row["top1"] > best["top1"] or settings.selection == "last":
            best = {"top1": row["top1"], "epoch": epoch + 1, "model": state, "logits": last_logits}
        bar.set_postfix_str(f"loss {row['train_loss']:.3f} top-1 {row['top1']:.1f}")
        _save_resume(resume, fingerprint, learner, optimiser, scaler, history, best, last_logits)
    bar.close()
    if group.rank > 0:
        return None
    last = best["model"]  # one copy on disk where the last epoch is the selected one
    if best["epoch"] != settings.epochs:
        last = {name: value.detach().cpu().clone() for name, value in learner.model.state_dict().items()}
    checkpoint = {"model": best["model"], "last": last, "epoch": best["epoch"]}
    return checkpoint, pd.DataFrame(history), predictions(test_videos, best["logits"].numpy(), last_logits.numpy())


def check_alone(
    learner: nn.Module, videos: Videos, clip: Clip, augment: Augment, settings: Train, seed: int, group: Group,
    label: str,
) -> None:  # fmt: skip
    """Raise DtkdError if some step lets one clip alone through batch norms that see one value of a channel of it.

    One value has no variance, and torch would stop there, in the first step or after hours.
    """

    def passes() -> Iterator[tuple[int, list[int]]]:
        """Of each micro-batch its clips, and how many of them pass together through each network that trains."""
        batches = EpochBatches(seed, len(videos), settings.clips_per_video, settings.batch_size)
        for batches.epoch in range(settings.epochs):
            for items in batches:
                labels = torch.tensor([videos.labels[video] for _, video in items])
                for rows in together(len(items), settings.micro_batch or len(items), group.size):
                    yield len(rows), (seen := learner.together(labels[rows]))
            if len(seen) == 1:  # the student's alone: they are as many in each epoch
                return

    learner.train()
    count = next((count for count, seen in passes() if 1 in seen), None)
    if count is None or backbones.fewest_values(learner.model, clip.frames, augment.crop) != 1:
        return
    if len(videos) * settings.clips_per_video == 1:
        why, remedy = f"{videos.names[0]} is all there is to train on", "add training videos"
    elif settings.batch_size == 1:
        why, remedy = "train.batch_size is 1", "raise train.batch_size"
    elif count == 1:
        why, remedy = f"train.micro_batch is {settings.micro_batch}", "set train.micro_batch: null"
    else:
        why, remedy = "a batch may have one clip of a learning teacher's subset", "set FT: true"
    longer = backbones.frames_for_batch_norms(learner.model, clip.frames, augment.crop)
    raise DtkdError(
        f"{label}: a clip of clip.frames: {clip.frames} at augment.crop: {augment.crop} gives a batch norm one value "
        f"of each channel, too few to train on alone, and {why}: {f'set clip.frames: {longer}, ' if longer else ''}"
        f"raise augment.crop, or {remedy}"
    )


def predictions(videos: Videos, logits: np.ndarray, logits_last: np.ndarray) -> pd.DataFrame:
    """The table of predictions: per test video its label and the logits by the selected and by the last epoch."""
    columns = {"logits": list(logits), "logits_last": list(logits_last)}
    return pd.DataFrame({"video": videos.names, "label": videos.labels, **columns})


@torch.inference_mode()
def training_logits(
    models: list[nn.Module], normalise: Normalise, videos: Videos, *, clip: Clip, augment: Augment, settings: Train,
    seed: int, hardware: Hardware, label: str = "",
) -> Tensor:  # fmt: skip
    """What each of ``models`` says to every clip that `train` will draw with this seed: (M, K, V, C), float32.

    K is the number of clips of a video over the whole training, V the number of videos.
    """
    for model in models:
        model.to(hardware.device).eval()
    normalise.to(hardware.device)
    accelerate(models, normalise, settings, hardware.device)
    cast, _ = autocast(settings.precision, hardware.device)
    clips, count = settings.epochs * settings.clips_per_video, len(videos)
    items = [(k, video) for k in range(clips) for video in range(count)]
    size = settings.micro_batch or 2 * settings.batch_size
    batches = [items[i : i + size] for i in range(0, len(items), size)]
    data = loader(TrainingClips(videos, clip, augment, seed, hardware.frame_cache(), normalise.colour), batches=batches,
                  workers=hardware.workers, pin=hardware.device.type == "cuda")  # fmt: skip
    logits = []
    for frames, _, _ in progress(data, desc=label, unit="batch"):
        frames = normalise(frames.to(hardware.device, non_blocking=True))
        with cast:
            logits.append(torch.stack([model(frames).float() for model in models]).cpu())
    return torch.cat(logits, dim=1).view(len(models), clips, count, -1)


@torch.inference_mode()
def predict(
    forward, normalise: Normalise, tests: TestClips, settings: Train, hardware: Hardware, average: str = "logits",
    label: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Logits (V, C) and labels (V,) of every test video, views averaged as logits or as softmax probabilities.

    ``forward`` gives logits of normalised clips; its module is put in eval mode. Averaged probabilities come back as
    their logarithms, so that a softmax of what is returned gives them again. Progress is shown under ``label``.
    """
    getattr(forward, "__self__", forward).eval()
    cast, _ = autocast(settings.precision, hardware.device)
    data = loader(
        tests, batch_size=max(1, settings.batch_size // (tests.clips_per_video * tests.crops_per_clip)),
        workers=hardware.workers, pin=hardware.device.type == "cuda",
    )  # fmt: skip
    most = settings.micro_batch or settings.batch_size
    logits, labels = [], []
    for views, truth, _ in progress(data, desc=label, unit="batch", disable=label is None):
        with cast:
            logits.append(of_views(forward, normalise, views, most, hardware.device, average).cpu())
        labels.append(truth)
    return torch.cat(logits).numpy(), torch.cat(labels).numpy()


def of_views(forward, normalise: Normalise, views: Tensor, most: int, device: torch.device, average: str) -> Tensor:
    """Logits (N, C) of videos by their views, uint8 (N, V, C, T, H, W), of which ``most`` are computed at a time."""
    videos, count = views.shape[:2]
    scores = torch.cat([forward(normalise(chunk.to(device))).float() for chunk in views.flatten(0, 1).split(most)])
    scores = scores.view(videos, count, -1)
    if count > 1 and average == "softmax":  # in logarithms throughout: small probabilities keep their order
        return scores.log_softmax(-1).logsumexp(1) - math.log(count)
    return scores.mean(1)


def evaluate(
    learner: nn.Module, states: Mapping[str, Mapping[str, Tensor]], normalise: Normalise, videos: Videos, *, clip: Clip,
    augment: Augment, evaluation: Evaluation, settings: Train, hardware: Hardware, label: str = "",
) -> pd.DataFrame:  # fmt: skip
    """The predictions of every video by the study's protocol.

    ``states`` has the weights of ``learner.model`` as a checkpoint has them: ``model``, the selected epoch's, and
    ``last``; those are what the learner has in the end.
    """
    learner.to(hardware.device)
    normalise.to(hardware.device)
    tests = TestClips(videos, clip, augment, evaluation.clips_per_video, evaluation.crops_per_clip,
                      margins=normalise.colour)  # fmt: skip
    logits = []
    for part in ("model", "last"):
        learner.model.load_state_dict(states[part])
        logits.append(predict(learner.logits, normalise, tests, settings, hardware, evaluation.average, label)[0])
    return predictions(videos, *logits)


def _mean(values: list[float]) -> float:
    """The mean of the steps that have a value (a batch without static samples has no w_st)."""
    values = [value for value in values if not math.isnan(value)]
    return sum(values) / len(values) if values else math.nan


def _diverged(resume: Path, epochs: int) -> str:
    """What can be done, and what there is: the same settings end in the same place again."""
    kept = f"; {resume} keeps the state after epoch {epochs}, from which the same settings end here again"
    remedy = "Lower train.lr or use train.precision: fp32 (training then starts over)"
    return remedy + (kept if epochs else "; the same settings end here again")


def _save_resume(path: Path, fingerprint, learner, optimiser, scaler, history, best, last_logits) -> None:
    save_tensors(
        path,
        {
            "format": RESUME, "fingerprint": fingerprint,
            "learner": learner.state_dict(), "optimiser": optimiser.state_dict(),
            "scaler": scaler.state_dict(), "history": history, "best": best, "last_logits": last_logits,
        },
    )  # fmt: skip


def _load_resume(path: Path, fingerprint: dict[str, Any]) -> dict[str, Any] | None:
    """The state to go on from, or None where there is none or it belongs to other settings or inputs."""
    if not path.exists():
        return None
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken resume file costs time, never the run
        print(f"{path}: not readable ({type(error).__name__}), training starts over")
        return None
    same = isinstance(saved, dict) and saved.get("format") == RESUME and saved.get("fingerprint") == fingerprint
    return saved if same else None
