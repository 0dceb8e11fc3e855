"""What methods share that compare pooled features, what a network's last linear layer takes, in place of answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from dtkd.distillation.methods.base import Loss, OfLogits, Target, Teachers

if TYPE_CHECKING:
    from torch import Tensor

SMALL = 1e-12
"""A squared length that counts as none."""


class OfFeatures(OfLogits):
    """L = CE + L_KD, L_KD the mean over the teachers of a loss of the student's and the teacher's features.

    Teachers are baselines, which have seen all classes: a specialist's features of others' classes mean nothing.
    """

    teachers: ClassVar[Teachers] = "generalist"
    alternatives: ClassVar[tuple[Any, ...]] = ("baselines",)
    whole_batch: ClassVar[bool] = True
    needs_features: ClassVar[bool] = True

    @abstractmethod
    def divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss, (), of a batch: the student's features (N, D) and a teacher's (N, D_k), float32."""

    def loss_of(
        self, student_logits: Tensor, target: Target, labels: Tensor, features: Mapping[str, Tensor] | None = None
    ) -> Loss:
        import torch

        from dtkd.distillation import equations

        own = self.check_features(target.logits, features, "student_features")
        theirs = self.check_features(target.logits, target.features, "teacher_features")
        L_KD = torch.stack([self.divergence(own[name].float(), theirs[name].float()) for name in theirs]).mean()
        L_CE = equations.student_loss(student_logits, labels, *target.labels)
        return Loss(L_CE + L_KD, L_KD, L_CE, {})


def gram(features: Tensor) -> Tensor:
    """(N, N): the products of all pairs of (N, D)."""
    return features @ features.T


def unit(x: Tensor) -> Tensor:
    """(..., D) at length 1; 0, without a gradient, where it has next to none: there it would be beyond bounds."""
    import torch

    squares = x.square().sum(-1, keepdim=True)
    some = squares > SMALL
    return torch.where(some, x / torch.where(some, squares, 1.0).sqrt(), 0.0)
