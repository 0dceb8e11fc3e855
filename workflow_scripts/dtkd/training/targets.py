"""What teachers say to every training clip, once for all students that learn from them.

A training clip is a function of (seed, epoch, video), so that what a teacher says to it can be known beforehand. This
holds for teachers that go on learning while a student does, too: as no gradient of a student reaches them, their path
is their own (decisions, row 10).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from dtkd.common.errors import DtkdError
from dtkd.common.progress import progress
from dtkd.config import Augment, Clip, Train
from dtkd.data.datasets import Videos
from dtkd.distillation import equations
from dtkd.distillation.methods import Labels
from dtkd.models import backbones, weights
from dtkd.training import checkpoints
from dtkd.training.classifier import Classifier
from dtkd.training.hardware import Hardware, accelerate, autocast, check_precision
from dtkd.training.labels import labels_of
from dtkd.training.normalise import Normalise
from dtkd.training.optimisation import Optimiser
from dtkd.training.parallel import micro_batches
from dtkd.training.sampling import EpochBatches, Items, seed_of
from dtkd.training.training_loader import training_loader
from dtkd.training.views import crop_of


@dataclass(frozen=True)
class Targets:
    """Teachers' logits (M, K, V, C): of M teachers, to K clips of each of V training videos, of C classes.

    Where a student's method reads them, also each teacher's pooled features, float16 (K, V, D): half a network's memory
    for numbers of which the methods want distances.
    """

    teachers: tuple[str, ...]
    logits: Tensor
    features: tuple[Tensor, ...] = ()

    def of(self, items: Items, device: torch.device) -> dict[str, Tensor]:
        """Each teacher's logits (N, C) of the N samples of a batch."""
        numbers, videos = zip(*items, strict=True)
        said = self.logits[:, list(numbers), list(videos)].to(device)
        return dict(zip(self.teachers, said, strict=True))

    def features_of(self, items: Items, device: torch.device) -> dict[str, Tensor]:
        """Each teacher's pooled features (N, D) of the N samples of a batch; none where they were not asked for."""
        numbers, videos = zip(*items, strict=True)
        found = [each[list(numbers), list(videos)].to(device).float() for each in self.features]
        return dict(zip(self.teachers, found, strict=False))

    def masked(self, groups: Tensor) -> Targets:
        """The same, but that each specialist predicts the classes of its own group alone: ``groups`` (C,), integers.

        Who stands behind the specialists is not masked.
        """
        said = [
            equations.mask_logits(logits, groups == number) if number <= groups.max() else logits
            for number, logits in enumerate(self.logits)
        ]
        return Targets(self.teachers, torch.stack(said), self.features)

    @classmethod
    def joined(cls, parts: Sequence[Targets]) -> Targets:
        """Those of several sets of teachers, specialists first.

        A baseline beside specialists is the `generalist`; of several baselines each has a number.
        """
        if len(parts) == 1:
            return parts[0]
        names: list[str] = []
        for number, part in enumerate(parts, 1):
            alone = "generalist" if len(parts[0].teachers) > 1 else f"baseline{number}"
            names += part.teachers if len(part.teachers) > 1 else [alone]
        features = tuple(each for part in parts for each in part.features)
        return cls(tuple(names), torch.cat([part.logits for part in parts]), features)

    @classmethod
    def beside(cls, parts: Sequence[Targets], teachers: Sequence[str]) -> Targets:
        """Those of teachers that were asked apart, in the order ``teachers``."""
        said = {name: logits for part in parts for name, logits in zip(part.teachers, part.logits, strict=True)}
        seen = {name: each for part in parts for name, each in zip(part.teachers, part.features, strict=False)}
        features = tuple(seen[name] for name in teachers) if seen else ()
        return cls(tuple(teachers), torch.stack([said[name] for name in teachers]), features)

    def save(self, path: str | Path, videos: Videos) -> None:
        """Write them, with the names of their ``videos``; DtkdError where a teacher said what is no number."""
        self._check(videos)
        content = {"logits": self.logits, "videos": list(videos.names), "teachers": list(self.teachers)}
        content |= {"features": list(self.features)} if self.features else {}
        weights.save_tensors(path, content)

    def _check(self, videos: Videos) -> None:
        """-inf is a class that a teacher may not predict; anything else that is not finite has overflowed."""
        broken = self.logits.isnan() | self.logits.isposinf()
        broken |= self.logits.isneginf().all(dim=-1, keepdim=True)
        if broken.any():
            teacher, _, video, _ = broken.nonzero()[0].tolist()
            raise DtkdError(
                f"the {self.teachers[teacher]} teacher's logits of {videos.names[video]} are not finite; use "
                "train.precision: fp32, or have the teacher trained again with a lower teachers.train.lr"
            )
        for teacher, features in zip(self.teachers, self.features, strict=True) if self.features else ():
            if (broken := ~features.isfinite()).any():
                _, video, _ = broken.nonzero()[0].tolist()
                raise DtkdError(
                    f"the {teacher} teacher's pooled features of {videos.names[video]} are not finite, or beyond what "
                    "float16 holds; have students learn from its logits (method: kd), or take another teacher"
                )

    @classmethod
    def load(cls, path: str | Path, videos: Videos, clips: int) -> Targets:
        """Read those of ``clips`` clips of each of ``videos``.

        Raises DtkdError if the file holds those of other videos or of another number of clips.
        """
        content = weights.load_safely(path)
        if content.get("videos") != list(videos.names) or content["logits"].shape[1] != clips:
            raise DtkdError(f"{path}: holds the logits of other training clips; remove it, and it is made again")
        return cls(tuple(content["teachers"]), content["logits"], tuple(content.get("features", ())))


@torch.inference_mode()
def frozen(
    teachers: Mapping[str, torch.nn.Module], normalise: Normalise, videos: Videos, *, clip: Clip,
    augment: Augment | None, settings: Train, seed: int, hardware: Hardware, label: str = "",
    window: Clip | None = None, features: bool = False,
) -> Targets:  # fmt: skip
    """What finished ``teachers`` say to every clip that `loop.train` will draw with this seed.

    With ``features`` also their pooled features (of `VideoModel`s).
    """
    models = list(teachers.values())
    pooled = [backbones.PooledFeatures(model) for model in models] if features else []
    for model in models:
        model.to(hardware.device).eval()
    normalise.to(hardware.device)
    accelerate(models, normalise, settings, hardware.device)
    cast, _ = autocast(settings.precision, hardware.device)
    clips, count = settings.epochs * settings.clips_per_video, len(videos)
    items = [(k, video) for k in range(clips) for video in range(count)]
    size = settings.micro_batch or 2 * settings.batch_size
    batches = [items[i : i + size] for i in range(0, len(items), size)]
    data = training_loader(videos, batches, clip=clip, augment=augment, settings=settings, seed=seed,
                           hardware=hardware, normalise=normalise, window=window)  # fmt: skip
    logits, seen = [], [[] for _ in pooled]
    for frames, _, _ in progress(data, desc=label, unit="batch"):
        frames = normalise(frames.to(hardware.device, non_blocking=True))
        with cast:
            logits.append(torch.stack([model(frames).float() for model in models]).cpu())
        for each, found in zip(pooled, seen, strict=True):
            found.append(each.take().half().cpu())
    return Targets(
        tuple(teachers), torch.cat(logits, dim=1).view(len(models), clips, count, -1),
        tuple(torch.cat(found).view(clips, count, -1) for found in seen),
    )  # fmt: skip


class Learner:
    """A specialist that goes on learning on its own group's clips, and says what it thinks of all clips meanwhile."""

    def __init__(self, classifier: Classifier, normalise: Normalise, settings: Train, device: torch.device,
                 how: Labels = Labels()):  # noqa: B008 (it cannot change)  # fmt: skip
        self.how = how
        self.classifier, self.normalise, self.most = classifier, normalise, settings.micro_batch
        self.optimiser = Optimiser(classifier, settings, device)
        self.cast, _ = autocast(settings.precision, device)

    def step(self, frames: Tensor, labels: Tensor, own: Tensor) -> tuple[Tensor, float | None]:
        """Answer a batch as the specialist is now, then learn from its ``own`` (N,) samples.

        These pass through it in train mode, as in its own training; the others in eval mode, so that its batch norms
        see its own group only.

        Args:
            frames: the batch's clips, uint8 (N, 3, T, H, W).
            labels: (N,), integers.

        Returns:
            Its logits (N, C), and its mean loss on its own samples; None without any, and then it does not change.
        """
        logits: dict[int, Tensor] = {}
        self.classifier.eval()
        for part in micro_batches(torch.where(~own)[0].tolist(), self.most):
            with torch.no_grad(), self.cast:
                logits |= zip(part, self.classifier(self.normalise(frames[part])), strict=True)
        self.classifier.train()
        rows = torch.where(own)[0].tolist()
        total = 0.0
        for part in micro_batches(rows, self.most):
            with self.cast:
                said = self.classifier(self.normalise(frames[part]))
            loss = equations.student_loss(said, labels[part], *self.how) * (len(part) / len(rows))
            self.optimiser.backward(loss)
            total += loss.item()
            logits |= zip(part, said.detach(), strict=True)
        if rows:
            self.optimiser.step()
        return torch.stack([logits[row] for row in range(len(labels))]), total if rows else None


def continued(
    teachers: Mapping[str, Classifier], groups: Tensor, normalise: Normalise, videos: Videos, *, clip: Clip,
    augment: Augment | None, settings: Train, seed: int, hardware: Hardware, resume: Path, fingerprint: dict[str, Any],
    label: str = "", window: Clip | None = None,
) -> tuple[Targets, pd.DataFrame]:  # fmt: skip
    """Let ``teachers`` go on learning in the batches of this seed's students; what each says to a clip at its step.

    It is resumed after the last finished epoch, as `loop.train` is.

    Args:
        teachers: specialists, in the order of their groups' numbers.
        groups: (C,), integers: the number of each class's specialist; -1 where it is not among ``teachers``.

    Returns:
        The targets, and the history: a row an epoch, with each teacher's mean loss on its own samples.

    Raises:
        DtkdError: a loss is no longer finite (names the epoch, the step and the batch's videos), or a batch norm would
            see a single value.
    """
    device = hardware.device
    batches = EpochBatches.of(videos, settings, seed)
    one = next(iter(teachers.values()))  # they are one network
    check_precision(settings, device, one.model, clip.frames, crop_of(clip, augment))
    _check_alone(one, groups, batches, videos, clip, augment, settings, label)
    for teacher in teachers.values():
        teacher.to(device)
    accelerate([teacher.model for teacher in teachers.values()], normalise.to(device), settings, device)
    how = labels_of(settings, videos.labels, len(groups))
    learners = {name: Learner(teacher, normalise, settings, device, how) for name, teacher in teachers.items()}
    data = training_loader(videos, batches, clip=clip, augment=augment, settings=settings, seed=seed,
                           hardware=hardware, normalise=normalise, window=window)  # fmt: skip
    logits = torch.full((len(teachers), settings.epochs * settings.clips_per_video, len(videos), len(groups)), math.nan)
    history: list[dict[str, float]] = []
    if (saved := checkpoints.load(resume, fingerprint)) is not None:
        history, logits = saved["history"], saved["logits"]
        for name, learner in learners.items():
            learner.optimiser.load_state(saved["teachers"][name])
        print(f"{label}: goes on after epoch {len(history)} of {settings.epochs}", file=sys.stderr, flush=True)
    bar = progress(total=settings.epochs * len(batches), initial=len(history) * len(batches), desc=label, unit="step")
    for batches.epoch in range(len(history), settings.epochs):
        torch.manual_seed(seed_of(seed, "epoch", batches.epoch))  # dropout
        losses: dict[str, list[float]] = {name: [] for name in teachers}
        for step, ((frames, _, _), items) in enumerate(zip(data, batches, strict=True)):
            labels = torch.tensor([videos.labels[video] for _, video in items])
            own = groups[labels]
            frames, labels = frames.to(device, non_blocking=True), labels.to(device)
            for number, (name, learner) in enumerate(learners.items()):
                learner.optimiser.set_progress(batches.epoch + step / len(batches))
                said, loss = learner.step(frames, labels, own == number)
                if loss is not None and not math.isfinite(loss):
                    raise _diverged(label, name, loss, batches.epoch, step, [videos.names[video] for _, video in items])
                losses[name] += [] if loss is None else [loss]
                clips, positions = zip(*items, strict=True)
                logits[number, list(clips), list(positions)] = said.cpu()
            bar.update()
        means = {f"loss_{name}": sum(each) / len(each) if each else math.nan for name, each in losses.items()}
        history.append({"epoch": batches.epoch + 1, "lr": learner.optimiser.rate, **means})
        states = {name: learner.optimiser.state() for name, learner in learners.items()}
        checkpoints.save(resume, fingerprint, {"teachers": states, "history": history, "logits": logits})
    bar.close()
    return Targets(tuple(teachers), logits), pd.DataFrame(history)


def _diverged(label: str, name: str, loss: float, epoch: int, step: int, videos: list[str]) -> DtkdError:
    return DtkdError(
        f"{label}: the loss of the {name} teacher is {loss} at epoch {epoch + 1}, step {step + 1}; batch: "
        f"{', '.join(videos)}. Lower train.lr, use train.precision: fp32, or have frozen teachers (FT: true)"
    )


def _check_alone(
    teacher: Classifier, groups: Tensor, batches: EpochBatches, videos: Videos, clip: Clip, augment: Augment | None,
    settings: Train, label: str,
) -> None:  # fmt: skip
    """Raise DtkdError if some step has a teacher learn from one clip, of which a batch norm sees a value a channel."""
    teacher.train()
    if backbones.fewest_values(teacher.model, clip.frames, crop_of(clip, augment)) != 1:
        return
    for batches.epoch in range(settings.epochs):
        for items in batches:
            own = groups[torch.tensor([videos.labels[video] for _, video in items])]
            for number in own[own >= 0].unique():
                rows = torch.where(own == number)[0].tolist()
                if min(map(len, micro_batches(rows, settings.micro_batch))) == 1:
                    why = "a batch may have one clip of a learning teacher's group"
                    side = crop_of(clip, augment)
                    said = backbones.one_value(teacher.model, clip.frames, side, why, "set FT: true")
                    raise DtkdError(f"{label}: {said}")
