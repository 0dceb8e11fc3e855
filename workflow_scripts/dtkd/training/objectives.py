"""What a training step minimises: cross-entropy with the labels, or what a method makes of its teachers."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from dtkd.common.errors import DtkdError
from dtkd.data.groups import weight_name
from dtkd.distillation import equations
from dtkd.distillation.methods import Labels, Method, Target
from dtkd.models.backbones import PooledFeatures, VideoModel
from dtkd.training.sampling import Items, seed_of
from dtkd.training.targets import Targets


class Step(NamedTuple):
    """What some samples of a batch give."""

    loss: Tensor  # (), their mean, with gradients
    scalars: dict[str, Tensor]  # what the history has of it besides (`scalars`), means over the same samples, () each


class CrossEntropy:
    """What baselines and teachers minimise; a label that a masked teacher cannot predict costs infinity."""

    def __init__(self, how: Labels = Labels()):  # noqa: B008 (it cannot change)
        self.how = how

    scalars: tuple[str, ...] = ()
    weight_names: tuple[str, ...] = ()
    regressors: nn.ModuleDict | None = None

    def watch(self, model: VideoModel, seed: int, device: torch.device) -> None:
        """Nothing: logits are all that it takes."""

    def target(self, items: Items, labels: Tensor) -> None:
        """Nothing: labels are all that it takes."""

    def weights(self, target: None, labels: Tensor) -> dict[str, float]:
        return {}

    def loss(self, logits: Tensor, labels: Tensor, target: None, rows: Tensor) -> Step:
        """The step of the samples ``rows`` (n,) of a batch: their logits (n, C), and the labels (N,) of the batch.

        Of mixed samples, labels are shares (N, C).
        """
        return Step(equations.student_loss(logits, labels[rows], *self.how), {})


class Distillation:
    """A student's loss by a ``method`` from its teachers' ``targets``.

    Args:
        groups: (C,), integers: the number of each class's specialist; None where a generalist teaches.
    """

    scalars = ("L_total", "L_KD", "L_CE")  # Eqs. 13, 11 and 12

    def __init__(self, method: Method, targets: Targets, groups: Tensor | None = None, how: Labels = Labels()):  # noqa: B008
        method.check_teachers(targets.teachers)
        self.method, self.targets, self.groups, self.how = method, targets, groups, how
        self.regressors: nn.ModuleDict | None = None
        if method.needs_features and len(targets.features) != len(targets.teachers):
            raise DtkdError(
                f"method {method.name} compares features, and the targets have none; remove their file, and it is made "
                "again"
            )

    def watch(self, model: VideoModel, seed: int, device: torch.device) -> None:
        """Have a method that compares features see those of ``model``, the student.

        What maps them to the teachers' (`Method.regressors`) has weights by the ``seed`` of the run.
        """
        if not self.method.needs_features:
            return
        self.pooled = PooledFeatures(model)
        widths = {name: each.shape[-1] for name, each in zip(self.targets.teachers, self.targets.features, strict=True)}
        torch.manual_seed(seed_of(seed, "regressors"))
        self.regressors = self.method.regressors(self.pooled.width, widths)
        if self.regressors is not None:
            self.regressors.to(device)

    @property
    def weight_names(self) -> tuple[str, ...]:
        """What a history may have of teachers' weights, in the order of their groups."""
        return () if self.groups is None else tuple(map(weight_name, self.targets.teachers))

    def target(self, items: Items, labels: Tensor) -> Target:
        """What the whole batch is taught: every process knows it from the (clip, video) numbers and the labels."""
        groups = None if self.groups is None else self.groups.to(labels.device)
        target = self.method.target(self.targets.of(items, labels.device), labels, groups)
        return target._replace(labels=self.how, features=self.targets.features_of(items, labels.device))

    def weights(self, target: Target, labels: Tensor) -> dict[str, float]:
        """The mean weight of each teacher over its own samples, by `weight_name`; none without such samples."""
        if self.groups is None:
            return {}
        own = self.groups.to(labels.device)[labels]
        return {
            weight_name(name): weights[own == number].float().mean().item()
            for number, (name, weights) in enumerate(target.weights.items())
            if (own == number).any()
        }

    def loss(self, logits: Tensor, labels: Tensor, target: Target, rows: Tensor) -> Step:
        """The step of the samples ``rows`` (n,) of a batch: their logits (n, C), and the labels (N,) of the batch."""
        if self.method.whole_batch and len(rows) < len(labels):
            raise DtkdError(
                f"method {self.method.name} compares the samples of a batch with each other, and this one is taken "
                "apart: set train.micro_batch: null, and devices and nodes to 1"
            )
        own = (self._features(target),) if self.method.needs_features else ()
        found = self.method.loss_of(logits, target.rows(rows), labels[rows], *own)
        return Step(found.total, dict(zip(self.scalars, (found.total, found.kd, found.ce), strict=True)))

    def _features(self, target: Target) -> dict[str, Tensor]:
        """The student's features of the batch that has just passed, as each teacher's are compared with."""
        own = self.pooled.take()
        if self.regressors is None:
            return dict.fromkeys(target.features, own)
        return {name: self.regressors[name](own) for name in target.features}
