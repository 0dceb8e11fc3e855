"""Train a network: one loop for every role, resumable; what a step minimises is the objective's business."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from dtkd.common.errors import DtkdError
from dtkd.common.progress import progress
from dtkd.config import Augment, Clip, Evaluation, Train
from dtkd.data.datasets import Videos
from dtkd.models import backbones
from dtkd.training import checkpoints, evaluation
from dtkd.training.classifier import Classifier
from dtkd.training.epochs import Epochs
from dtkd.training.frozen_features import FrozenFeatures
from dtkd.training.hardware import Hardware, accelerate, autocast, check_precision
from dtkd.training.metrics import top_k
from dtkd.training.normalise import Normalise
from dtkd.training.objectives import CrossEntropy, Distillation
from dtkd.training.optimisation import Optimiser
from dtkd.training.parallel import ALONE, DistributedBatchSampler, Group, micro_batches
from dtkd.training.sampling import EpochBatches, FrameCache, Items, seed_of
from dtkd.training.steps import FeatureCache
from dtkd.training.training_loader import training_loader
from dtkd.training.views import cache_of, crop_of, views_to_test

if TYPE_CHECKING:
    from dtkd.training.changes import Mixing


class Diverged(DtkdError):
    """A loss, or weights, that are no longer finite."""


@dataclass
class Training:
    """A run in progress: what its epochs and steps share."""

    classifier: Classifier
    network: nn.Module  # the classifier, or torch's wrapper of it
    normalise: nn.Module
    objective: CrossEntropy | Distillation
    videos: Videos
    batches: EpochBatches
    data: Any  # the loader of this process's share of the batches
    settings: Train
    optimiser: Optimiser
    device: torch.device
    group: Group
    seed: int
    label: str
    cache: FrameCache | FeatureCache | None = None  # of what is read of the videos
    mixing: Mixing | None = None
    averaged: AveragedModel | None = None
    features: FrozenFeatures | None = None  # of a frozen backbone, in place of clips

    @property
    def answers(self) -> nn.Module:
        """The network that is tested and kept: the classifier, or the moving average of its weights."""
        return self.classifier if self.averaged is None else self.averaged.module

    def state(self) -> dict[str, Any]:
        """What it goes on from."""
        averaged = {} if self.averaged is None else {"averaged": self.averaged.state_dict()}
        return self.optimiser.state() | averaged

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.optimiser.load_state(state)
        if self.averaged is not None:
            self.averaged.load_state_dict(state["averaged"])

    @cached_property
    def cast(self) -> torch.autocast:
        """The precision of forward passes."""
        return autocast(self.settings.precision, self.device)[0]


def train(
    classifier: Classifier, objective: CrossEntropy | Distillation, normalise: Normalise, train_videos: Videos,
    test_videos: Videos, validation_videos: Videos | None = None, *, clip: Clip, augment: Augment | None,
    settings: Train, seed: int, hardware: Hardware, resume: Path, fingerprint: dict[str, Any], label: str = "",
    group: Group = ALONE, window: Clip | None = None, until: int | None = None, features: FrozenFeatures | None = None,
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame] | None:  # fmt: skip
    """Train ``classifier.model`` and test it after every epoch on each test video's centre clip.

    With ``validation_videos`` it is tested on those after every epoch, and on the test videos in the end alone, by the
    selected epoch's weights and the last one's.

    After each epoch the whole state is written to ``resume``; a run that finds it there, with the same
    ``fingerprint``, goes on from that epoch and ends as an uninterrupted run would (bit for bit on a CPU). With
    ``until`` it stops after so many epochs of ``settings.epochs``, and ``resume`` is all that it leaves.

    With a ``window`` its training clips are in the middle of the windows that this draws (`TrainingClips`). With
    ``features`` of its clips it reads no video, and ``classifier.model`` is one `on_features`.

    Every process of a ``group`` calls it with the same arguments. They draw the same batches, of which each takes its
    share; the first one tests and writes, for all, and the others return None.

    Returns:
        The checkpoint (``model``: the selected epoch's state dict, ``last``: the last epoch's, ``epoch``), the
        history, one row an epoch, and the predictions, one row a test video; None with ``until``.

    Raises:
        Diverged: the loss is no longer finite (names the epoch, the step and the batch's videos).
        DtkdError: the precision is one in which torch's gradients are wrong, or a batch norm would see a single value
            (`check_alone`).
    """
    run = build(classifier, objective, normalise, train_videos, clip, augment, settings, seed, hardware, label, group,
                window, features)  # fmt: skip
    watched = test_videos if validation_videos is None else validation_videos
    tests = centre_views(run, watched, clip, augment, hardware)
    epochs = Epochs(settings, "" if validation_videos is None else "val_")
    saved = group.from_first(checkpoints.load(resume, fingerprint) if group.first else None)
    if saved is not None:
        run.load_state(saved)
        epochs.load_state(saved)
        print(f"{label}: goes on after epoch {epochs.done} of {settings.epochs}", file=sys.stderr, flush=True)

    steps = len(run.batches)
    bar = progress(total=settings.epochs * steps, initial=epochs.done * steps, desc=label, unit="step",
                   disable=not group.first)  # fmt: skip
    epoch = epochs.done
    while not epochs.over and epoch < (until or settings.epochs):
        row = {"epoch": epoch + 1} | train_epoch(run, epoch, resume, bar)
        if group.first:
            started = time.perf_counter()
            logits, labels = evaluation.predict(run.answers, run.normalise, tests, settings, hardware)
            found = {"top1": top_k(logits, labels, 1), "top5": top_k(logits, labels, 5)}
            epochs.add(row, found, torch.from_numpy(logits), run.answers.model, time.perf_counter() - started)
            bar.set_postfix_str(f"loss {row['train_loss']:.3f} top-1 {found['top1']:.1f}")
            checkpoints.save(resume, fingerprint, run.state() | epochs.state())
        if settings.patience:
            epochs.over = group.from_first(epochs.over)
        epoch += 1
    bar.close()
    if not group.first or until:
        return None
    checkpoint = epochs.checkpoint(run.answers.model)
    if validation_videos is None:
        table = evaluation.predictions(test_videos, epochs.best["logits"].numpy(), epochs.last_logits.numpy())
    else:
        table = tested_once(run, epochs, checkpoint, test_videos, clip, augment, hardware)
    return checkpoint, pd.DataFrame(epochs.history), table


def tested_once(
    run: Training, epochs: Epochs, checkpoint: dict[str, Any], videos: Videos, clip: Clip, augment: Augment | None,
    hardware: Hardware,
) -> pd.DataFrame:  # fmt: skip
    """The predictions of the test videos by the selected and the last epoch's weights; history has them as well."""
    started = time.perf_counter()
    views = centre_views(run, videos, clip, augment, hardware)
    table = evaluation.evaluate(run.answers, checkpoint, run.normalise, videos, views, settings=run.settings,
                                hardware=hardware)  # fmt: skip
    epochs.add_test(table, time.perf_counter() - started)
    return table


def build(
    classifier: Classifier, objective: CrossEntropy | Distillation, normalise: Normalise, train_videos: Videos,
    clip: Clip, augment: Augment | None, settings: Train, seed: int, hardware: Hardware, label: str, group: Group,
    window: Clip | None = None, features: FrozenFeatures | None = None,
) -> Training:  # fmt: skip
    """What a run starts from: networks on their device, optimiser, loader."""
    device = hardware.device
    normalise = nn.Identity() if features else normalise  # it was done before the backbone
    check_precision(settings, device, classifier.model, clip.frames, crop_of(clip, augment))
    batches = EpochBatches.of(train_videos, settings, seed)
    check_alone(classifier, batches, train_videos, clip, augment, settings, group, label)
    classifier.to(device)
    objective.watch(classifier.model, seed, device)
    normalise.to(device)
    if settings.batch_norm == "synced" and group.size > 1:
        if device.type == "cpu":
            raise DtkdError("train.batch_norm: synced is for GPUs, and this training is on a CPU; use local")
        classifier = nn.SyncBatchNorm.convert_sync_batchnorm(classifier)
    accelerate([classifier.model], normalise, settings, device)
    cache = cache_of(augment, hardware.cache_share)
    share = DistributedBatchSampler(batches, group)
    if features:
        data = features.training_loader(train_videos, share, pin=hardware.pin)
    else:
        data = training_loader(train_videos, share, clip=clip, augment=augment, settings=settings, seed=seed,
                               hardware=hardware, normalise=normalise, cache=cache, window=window)  # fmt: skip
    return Training(
        classifier, group.wrap(classifier, device), normalise, objective, train_videos, batches, data,
        settings, Optimiser(classifier, settings, device, objective.regressors), device, group, seed, label, cache,
        _mixing(settings, backbones.projection(classifier.model).out_features), average_of(classifier, settings),
        features,
    )  # fmt: skip


def average_of(classifier: Classifier, settings: Train) -> AveragedModel | None:
    """A moving average of a network's weights and of its batch norms' statistics, which `train.ema` asks for."""
    if settings.ema is None:
        return None
    return AveragedModel(classifier, multi_avg_fn=get_ema_multi_avg_fn(settings.ema), use_buffers=True)


def centre_views(
    run: Training, videos: Videos, clip: Clip, augment: Augment | None, hardware: Hardware
) -> evaluation.Views:  # fmt: skip
    """What a run is tested on after every epoch."""
    if run.features:
        return run.features.views(videos)
    # a loader of its own for each test would fill a second cache, and decode for it what comes once
    cache = None if hardware.workers else run.cache
    return views_to_test(videos, clip, augment, Evaluation(), run.normalise, cache)


def _mixing(settings: Train, classes: int) -> Mixing | None:
    """MixUp and CutMix where one is asked for: torchvision takes a second and a half to import."""
    if not (settings.mixup or settings.cutmix):
        return None
    from dtkd.training.changes import Mixing

    return Mixing(settings, classes)


def train_epoch(run: Training, epoch: int, resume: Path, bar) -> dict[str, float]:
    """Pass once over the training videos; the epoch's means for the history."""
    started, waited = time.perf_counter(), 0.0
    torch.manual_seed(seed_of(run.seed, "epoch", epoch, *[run.group.rank] * (not run.group.first)))  # dropout
    run.batches.epoch = epoch
    run.network.train()
    # a weight's column is in its group's place, whichever group the first batch has
    columns = ("train_loss", *run.objective.scalars, *run.objective.weight_names)
    totals: dict[str, list[float]] = {name: [] for name in columns}
    steps, correct, seen = len(run.batches), 0, 0
    requested = time.perf_counter()
    for step, ((frames, _, _), items) in enumerate(zip(run.data, run.batches, strict=True)):
        waited += time.perf_counter() - requested
        run.optimiser.set_progress(epoch + step / steps)
        means, right = train_step(run, frames.to(run.device, non_blocking=True), items, step)
        if not math.isfinite(means["train_loss"]):
            raise _diverged(run, f"the loss is {means['train_loss']} at", epoch, step, items, resume)
        for name, value in means.items():
            totals[name].append(value)
        correct += right
        seen += len(items)
        bar.update()
        requested = time.perf_counter()
    if not all(value.isfinite().all() for value in run.classifier.parameters()):  # the last step's gradients were not
        raise _diverged(run, "the weights are no longer finite after", epoch, steps - 1, items, resume)
    return {
        "lr": run.optimiser.rate,
        **{name: sum(values) / len(values) for name, values in totals.items() if values},
        "train_top1": 100.0 * correct / seen,
        "train_seconds": time.perf_counter() - started,
        "wait_seconds": waited,
    }


def train_step(run: Training, frames: Tensor, items: Items, step: int = 0) -> tuple[dict[str, float], int]:
    """One optimiser step on a batch, of which this process has the clips ``frames`` of its share.

    The gradient is that of the batch's mean loss, whatever the number of micro-batches and of processes: what samples
    are taught (`Distillation.target`) is computed of the whole batch, and each part's loss counts by its samples.

    Returns:
        The batch's means for the history, and how many of its samples were predicted right.
    """
    N, share = len(items), run.group.share(len(items))
    labels = torch.tensor([run.videos.labels[video] for _, video in items], device=run.device)
    target = run.objective.target(items, labels)
    truth = labels
    if run.mixing:
        seed = seed_of(run.seed, "mix", run.batches.epoch, step, run.group.rank)
        frames, shares = run.mixing(frames, labels[[number % N for number in share]], seed)
        truth = shares.new_zeros(N, shares.shape[1])
        own = [number for number in share if number < N]
        truth[own] = shares[: len(own)]
    parts = micro_batches(share, run.settings.micro_batch)
    sums, right, done = dict.fromkeys(("train_loss", *run.objective.scalars), 0.0), 0.0, 0
    for number, part in enumerate(parts, 1):
        clips, done = frames[done : done + len(part)], done + len(part)
        rows = torch.tensor([row for row in part if row < N], dtype=torch.long, device=run.device)
        last = number == len(parts)
        with nullcontext() if last or run.group.size == 1 else run.network.no_sync():  # gradients meet once a step
            with run.cast:
                logits = run.network(run.normalise(clips))
            logits = logits[: len(rows)]  # fillers stand last
            if len(rows):
                loss, scalars = run.objective.loss(logits, truth, target, rows)
            else:
                loss, scalars = logits.sum(), {}
            run.optimiser.backward(loss * (len(rows) / N * run.group.size))  # the wrapper averages over processes
        for name, value in {"train_loss": loss, **scalars}.items():
            sums[name] += value.item() * len(rows)
        right += (logits.argmax(1) == labels[rows]).sum().item()
    run.optimiser.step()
    if run.averaged is not None:
        run.averaged.update_parameters(run.classifier)
    own = torch.tensor([*sums.values(), right], dtype=torch.float64, device=run.device)  # where NCCL can reach it
    *means, share_right = run.group.mean(own, N).tolist()
    return dict(zip(sums, means, strict=True)) | run.objective.weights(target, labels), round(share_right * N)


def check_alone(
    classifier: Classifier, batches: EpochBatches, videos: Videos, clip: Clip, augment: Augment | None, settings: Train,
    group: Group, label: str,
) -> None:  # fmt: skip
    """Raise DtkdError if some step lets one clip alone through batch norms that see one value of a channel of it.

    One value has no variance, and torch would stop there, in the first step or after hours. Batches are of the same
    sizes in each epoch.
    """
    counts = {len(part) for items in batches for part in micro_batches(group.share(len(items)), settings.micro_batch)}
    if settings.batch_norm == "synced":
        counts = {count * group.size for count in counts}
    classifier.train()
    side = crop_of(clip, augment)
    if 1 not in counts or backbones.fewest_values(classifier.model, clip.frames, side) != 1:
        return
    if len(videos) * settings.clips_per_video == 1:
        why, remedy = f"{videos.names[0]} is all there is to train on", "add training videos"
    elif settings.batch_size <= group.size:
        why, remedy = f"train.batch_size is {settings.batch_size}", "raise train.batch_size"
    elif settings.micro_batch:
        why, remedy = f"train.micro_batch is {settings.micro_batch}", "set train.micro_batch: null"
    else:
        why, remedy = f"{group.size} processes share a last batch of few clips", "choose another train.batch_size"
    raise DtkdError(f"{label}: {backbones.one_value(classifier.model, clip.frames, side, why, remedy)}")


def _diverged(run: Training, what: str, epoch: int, step: int, items: Items, resume: Path) -> Diverged:
    """What happened, what can be done, and what there is: the same settings end in the same place again."""
    names = ", ".join(run.videos.names[video] for _, video in items)
    kept = f"; {resume} keeps the state after epoch {epoch}, from which the same settings end here again"
    return Diverged(
        f"{run.label}: {what} epoch {epoch + 1}, step {step + 1}; batch: {names}. Lower train.lr or use "
        f"train.precision: fp32 (training then starts over){kept if epoch else '; the same settings end here again'}"
    )
