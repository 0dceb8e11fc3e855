"""From a run's settings and input files to its networks: the one place that training and evaluation share."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dtkd.common.errors import DtkdError
from dtkd.config import Student
from dtkd.data.datasets import SUBSETS, Videos
from dtkd.distillation.classifier import Classifier
from dtkd.distillation.dual_teacher import Distilled
from dtkd.distillation.vanilla_kd import VanillaKD
from dtkd.models import backbones, weights
from dtkd.training.loop import Normalise
from dtkd.training.sampling import seed_of


def read_json(path: str | Path) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def subset_mask(split: dict[str, Any], classes: list[str], subset: str) -> Tensor:
    """(C,) bool: which classes, in label order, belong to ``subset`` in a `split.json`."""
    return torch.tensor([split["classes"][name]["subset"] == subset for name in classes])


def normaliser(statistics: str | Path) -> Normalise:
    values = read_json(statistics)
    return Normalise(values["mean"], values["std"])


def new_model(
    settings: dict[str, Any], classes: int, start: str | Path | None, sha256: str | None = None
) -> backbones.VideoModel:
    """A network with a fresh head, on the pretrained weights at ``start`` (None: random), frozen if asked."""
    torch.manual_seed(seed_of(settings["seed"], "weights"))
    model = backbones.build(settings["backbone"], classes, settings["dropout"])
    if start is not None:
        head = copy.deepcopy(backbones.projection(model).state_dict())
        backbones.load_weights(model, weights.load_state_dict(start, sha256), source=str(start))
        backbones.projection(model).load_state_dict(head)  # even for as many classes, it was another task's
    return backbones.freeze_backbone(model) if settings["frozen"] else model


def trained_model(
    settings: dict[str, Any], classes: int, checkpoint: str | Path, part: str = "model"
) -> backbones.VideoModel:
    """A trained network as its checkpoint has it (``part``: `model`, the selected epoch, or `last`)."""
    return with_weights(settings, classes, weights.load_state_dict(checkpoint, part=part), str(checkpoint))


def with_weights(
    settings: dict[str, Any], classes: int, state: Mapping[str, Tensor], source: str
) -> backbones.VideoModel:
    """A network with the weights ``state``, its head's included; errors name ``source``, the file they are from."""
    model = backbones.build(settings["backbone"], classes, settings["dropout"])
    backbones.load_weights(model, state, source=source, new_head=False)
    return model


def learner(
    settings: dict[str, Any],
    classes: list[str],
    *,
    start: str | Path | None = None,
    sha256: str | None = None,
    split: dict[str, Any] | None = None,
    teachers: dict[str, str] | None = None,
    cached_teacher_logits: Tensor | None = None,
) -> Classifier | Distilled:
    """What a run trains; a student learns from its teachers' checkpoints (by subset) or their cached logits."""
    model = new_model(settings, len(classes), start, sha256)
    if "student" in settings:
        student, pair = Student(**settings["student"]), [None, None]
        if student.method == "kd":
            return VanillaKD(model, student, cached_teacher_logits)
        if cached_teacher_logits is None:
            pair = [trained_model(settings, len(classes), teachers[subset]) for subset in SUBSETS]
        static_classes = subset_mask(split, classes, "static")
        return Distilled(model, *pair, static_classes, student, cached_teacher_logits, masked=masked(settings))
    return Classifier(model, allowed(settings, classes, split))


def size(settings: dict[str, Any], classes: int) -> dict[str, int]:
    """Parameters (all, trainable, and all with the published 400-way head) and multiply-adds of one clip (Table 3)."""
    model = new_model(settings, classes, start=None)
    total, trainable = backbones.parameter_counts(model)
    return {
        "parameters": total,
        "trainable": trainable,
        "parameters_published_head": total + (400 - classes) * (backbones.projection(model).in_features + 1),
        "multiply_adds": backbones.flops(model, settings["clip"]["frames"], settings["augment"]["crop"]),
    }


def save_teacher_logits(path: str | Path, logits: Tensor, videos: Videos) -> None:
    """Write what `loop.training_logits` gave, with the names of its videos."""
    weights.save_tensors(path, {"logits": logits, "videos": list(videos.names)})


def load_teacher_logits(path: str | Path, videos: Videos, clips: int) -> Tensor:
    """Read the teachers' logits (M, K, V, C), M of them, of ``clips`` clips of each of ``videos``.

    Raises DtkdError if the file holds those of other videos or of too few clips.
    """
    content = weights.load_safely(path)
    if content["videos"] != list(videos.names) or content["logits"].shape[1] != clips:
        raise DtkdError(f"{path}: holds the logits of other training clips; remove it, and it is made again")
    return content["logits"]


def own_classes(settings: dict[str, Any], classes: list[str], split: dict[str, Any] | None) -> list[str] | None:
    """The classes whose videos a run sees: a teacher's subset, or None for all."""
    if "subset" not in settings:
        return None
    return [name for name in classes if split["classes"][name]["subset"] == settings["subset"]]


def masked(settings: dict[str, Any]) -> bool:
    """Whether a teacher, or a student's teachers, predict their own subset's classes only (`config.Teachers`)."""
    return settings.get("teacher_outputs", "masked") == "masked"


def allowed(settings: dict[str, Any], classes: list[str], split: dict[str, Any] | None) -> Tensor | None:
    """The classes that a run's model may predict: a masked teacher's subset, or None for all."""
    return subset_mask(split, classes, settings["subset"]) if "subset" in settings and masked(settings) else None
