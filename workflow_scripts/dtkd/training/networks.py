"""From a run's settings and input files to its networks and its objective: what training and evaluation share."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from dtkd.common.errors import DtkdError
from dtkd.config import Augment, Clip, Train
from dtkd.data.groups import group_names
from dtkd.distillation import methods
from dtkd.distillation.methods import Labels
from dtkd.models import backbones, weights
from dtkd.models.entries import NETWORKS
from dtkd.training.normalise import Normalise, of_statistics
from dtkd.training.objectives import CrossEntropy, Distillation
from dtkd.training.sampling import seed_of
from dtkd.training.targets import Targets


def read_json(path: str | Path) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def training_options(settings: dict[str, Any], computing: dict[str, Any]) -> dict[str, Any]:
    """``clip``, ``window``, ``augment``, ``settings`` and ``seed`` of a run: what its training clips are drawn by."""
    return {
        "clip": Clip(**settings["clip"]),
        "window": Clip(**settings["window"]) if "window" in settings else None,
        "augment": Augment(**settings["augment"]) if "augment" in settings else None,  # of features: None
        "settings": Train(**settings["train"], **computing),
        "seed": settings["seed"],
    }


def subset_mask(split: dict[str, Any], classes: list[str], subset: str) -> Tensor:
    """(C,) bool: which classes, in label order, belong to ``subset`` in a `split.json`."""
    return torch.tensor([split["classes"][name]["subset"] == subset for name in classes])


def class_groups(split: dict[str, Any], classes: list[str]) -> Tensor:
    """(C,) integers: the number of each class's group, in label order, by a `split.json`."""
    numbers = {group: number for number, group in enumerate(group_names(split))}
    return torch.tensor([numbers[split["classes"][name]["subset"]] for name in classes])


def pixels(settings: dict[str, Any], statistics: str | Path) -> dict[str, Any]:
    """``mean`` and ``std`` by which a run normalises: those of its list, or those its network was published with."""
    if settings.get("pixels") == "published":
        takes = NETWORKS[settings["backbone"]].input
        return {"mean": list(takes.mean), "std": list(takes.std)}
    return read_json(statistics)


def normaliser(settings: dict[str, Any], statistics: str | Path) -> Normalise:
    return of_statistics(pixels(settings, statistics))


def of_data(settings: dict[str, Any], index: pd.DataFrame) -> dict[str, Any]:
    """A run's settings with what networks have to know of the data: of features, the ``dimension`` in their index."""
    return settings | {"dimension": int(index["dimension"].iloc[0])} if "dimension" in index else settings


def _built(settings: Mapping[str, Any], classes: int) -> backbones.VideoModel:
    options = {"dimension": settings["dimension"]} if "dimension" in settings else {}
    return backbones.build(settings["backbone"], classes, settings["dropout"], **options)


def asked_alike(settings: dict[str, Any], teachers: Sequence[str]) -> list[tuple[dict[str, Any], list[str]]]:
    """The settings of targets for teachers that are of one network and see the same clips, and which they are."""
    groups: list[tuple[dict[str, Any], list[str]]] = []
    for name in teachers:
        own = {key: value for key, value in settings.items() if key != "teachers"}
        own |= settings.get("teachers", {}).get(name, {})
        names = next((names for other, names in groups if other == own), None)
        if names is None:
            groups.append((own, [name]))
        else:
            names.append(name)
    return groups


def new_model(
    settings: dict[str, Any], classes: int, start: str | Path | None, sha256: str | None = None
) -> backbones.VideoModel:
    """A network with a fresh head, on the pretrained weights at ``start`` (None: random), frozen if asked."""
    torch.manual_seed(seed_of(settings["seed"], "weights"))
    model = _built(settings, classes)
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
    model = _built(settings, classes)
    backbones.load_weights(model, state, source=source, new_head=False)
    return model


def objective(
    settings: dict[str, Any], classes: list[str], split: dict[str, Any] | None, targets: Targets | None,
    how: Labels = Labels(),  # noqa: B008 (it cannot change)
) -> CrossEntropy | Distillation:  # fmt: skip
    """What a run minimises; ``how`` is about its labels.

    A student learns from its teachers' ``targets``, of specialists by the ``split``.
    """
    if targets is None:
        return CrossEntropy(how)
    student = {key: value for key, value in settings["student"].items() if key not in ("LT", "FT", "teachers")}
    method = methods.build(student.pop("method"), **student)
    if split is None:
        return Distillation(method, targets, how=how)
    groups = class_groups(split, classes)
    names = group_names(split)
    if targets.teachers[: len(names)] != names:
        raise DtkdError(
            f"the targets are of the teachers {', '.join(targets.teachers)}, and the split's groups are "
            f"{', '.join(names)}; remove the file of targets, and it is made again"
        )
    return Distillation(method, targets.masked(groups) if masked(settings) else targets, groups, how)


def size(settings: dict[str, Any], classes: int, device: torch.device) -> dict[str, int]:
    """Parameters (all, trainable, and all with the published 400-way head) and multiply-adds of one clip (Table 3).

    What trains on a CPU passes a clip there in no time, which spares it torch's compiler (`backbones.flops`). A
    plug-in's network may have layers that torch counts in their general form alone.
    """
    counted = "cpu" if device.type == "cpu" and not NETWORKS.source(settings["backbone"]) else "meta"
    model, clip = new_model(settings, classes, start=None), Clip(**settings["clip"])
    crop = clip.side(settings["augment"]["crop"]) if "augment" in settings else None
    total, trainable = backbones.parameter_counts(model)
    return {
        "parameters": total,
        "trainable": trainable,
        "parameters_published_head": total + (400 - classes) * (backbones.projection(model).in_features + 1),
        "multiply_adds": backbones.flops(model, clip.frames, crop, counted),
    }


def own_classes(settings: dict[str, Any], classes: list[str], split: dict[str, Any] | None) -> list[str] | None:
    """The classes whose videos a run sees: a teacher's subset, or None for all."""
    if "subset" not in settings:
        return None
    return [name for name in classes if split["classes"][name]["subset"] == settings["subset"]]


def masked(settings: dict[str, Any]) -> bool:
    """Whether a teacher, or a student's specialists, predict their own subset's classes only (`config.Teachers`)."""
    return settings.get("teacher_outputs", "masked") == "masked"


def allowed(settings: dict[str, Any], classes: list[str], split: dict[str, Any] | None) -> Tensor | None:
    """The classes that a run's model may predict: a masked teacher's subset, or None for all."""
    return subset_mask(split, classes, settings["subset"]) if "subset" in settings and masked(settings) else None
