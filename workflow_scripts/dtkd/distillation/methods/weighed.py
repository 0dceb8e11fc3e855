"""Several teachers, each with a weight and a divergence: L_KD = sum over k of w_k * KL(p_T(t_k) || p_T(z))."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from dtkd.distillation.methods.base import OfLogits, SoftTargets, Target

if TYPE_CHECKING:
    from torch import Tensor


class EachTeacher(OfLogits, SoftTargets):
    """Teachers that are weighed against each other, sample by sample."""

    alternatives: ClassVar[tuple[Any, ...]] = ("both", "baselines")
    fewest: ClassVar[int] = 2

    @abstractmethod
    def weights(self, target: Target, log_p: Tensor, q: Tensor) -> Tensor:
        """The weights (K, n) of a target's samples, by the student's log p_T (n, C) and each p_T(t_k) (K, n, C)."""

    def divergence(self, student_logits: Tensor, target: Target) -> tuple[Tensor, dict[str, Tensor]]:
        import torch

        from dtkd.distillation import divergences, equations

        log_p = equations.student_log_probabilities(student_logits, self.KD_T)
        q = equations.teacher_probabilities(torch.stack(list(target.logits.values())), self.KD_T)
        weights = self.weights(target, log_p.detach(), q)
        L_KD = (weights * divergences.kl(q, log_p)).sum(0).mean()
        return L_KD, dict(zip(target.logits, weights, strict=True))


class Weighed(EachTeacher):
    """Teachers whose weights follow from what they say and the labels, whatever the student says."""

    @abstractmethod
    def weigh(self, said: Tensor, labels: Tensor) -> Tensor:
        """The weights (K, N) by the teachers' logits (K, N, C) and the labels (N,)."""

    def target(self, teacher_logits: Mapping[str, Tensor], labels: Tensor, groups: Tensor) -> Target:
        import torch

        from dtkd.distillation import equations

        weights = self.weigh(equations.at_least_float32(torch.stack(list(teacher_logits.values()))), labels)
        return Target(None, dict(zip(teacher_logits, weights, strict=True)), dict(teacher_logits))

    def weights(self, target: Target, log_p: Tensor, q: Tensor) -> Tensor:
        import torch

        return torch.stack(list(target.weights.values()))
