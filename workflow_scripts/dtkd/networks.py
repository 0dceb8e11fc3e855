"""From a run's settings and input files to its networks: the one place that training and evaluation share."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dtkd import backbones, weights
from dtkd.clips import seed_of
from dtkd.engine import Normalise
from dtkd.learners import Classifier, Distilled
from dtkd.study import Student


def read_json(path: str | Path) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def subset_mask(split: dict[str, Any], classes: list[str], subset: str) -> Tensor:
    """(C,) bool: which classes, in label order, belong to ``subset`` in a `split.json`."""
    return torch.tensor([split["classes"][name]["subset"] == subset for name in classes])


def normaliser(statistics: str | Path) -> Normalise:
    values = read_json(statistics)
    return Normalise(values["mean"], values["std"])


def new_model(settings: dict[str, Any], classes: int, start: str | Path | None) -> backbones.VideoModel:
    """A network with a fresh head, on the pretrained weights at ``start`` (None: random), frozen if asked."""
    torch.manual_seed(seed_of(settings["seed"], "weights"))
    model = backbones.build(settings["backbone"], classes, settings["dropout"])
    if start is not None:
        head = copy.deepcopy(model.head.proj.state_dict())
        backbones.load_weights(model, weights.load_state_dict(start), source=str(start))
        model.head.proj.load_state_dict(head)  # even where class counts coincide, it was another task's head
    return backbones.freeze_backbone(model) if settings["frozen"] else model


def trained_model(
    settings: dict[str, Any], classes: int, checkpoint: str | Path, part: str = "model"
) -> backbones.VideoModel:
    """A trained network as its checkpoint has it (``part``: `model`, the selected epoch, or `last`)."""
    model = backbones.build(settings["backbone"], classes, settings["dropout"])
    state = weights.load_state_dict(checkpoint, part=part)
    backbones.load_weights(model, state, source=str(checkpoint), new_head=False)
    return model


def learner(
    settings: dict[str, Any],
    classes: list[str],
    *,
    start: str | Path | None = None,
    split: dict[str, Any] | None = None,
    teachers: dict[str, str] | None = None,
) -> Classifier | Distilled:
    """What a run trains. ``teachers`` maps static and dynamic to the teachers' checkpoints."""
    model = new_model(settings, len(classes), start)
    if teachers:
        static, dynamic = (trained_model(settings, len(classes), teachers[subset]) for subset in ("static", "dynamic"))
        return Distilled(model, static, dynamic, subset_mask(split, classes, "static"), Student(**settings["student"]))
    return Classifier(model, allowed(settings, classes, split))


def own_classes(settings: dict[str, Any], classes: list[str], split: dict[str, Any] | None) -> list[str] | None:
    """The classes whose videos a run sees: a teacher's subset, or None for all."""
    if "subset" not in settings:
        return None
    return [name for name in classes if split["classes"][name]["subset"] == settings["subset"]]


def allowed(settings: dict[str, Any], classes: list[str], split: dict[str, Any] | None) -> Tensor | None:
    """The classes that a run's model may answer: a teacher's subset, or None for all."""
    return subset_mask(split, classes, settings["subset"]) if "subset" in settings else None
