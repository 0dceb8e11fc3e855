"""Distillation by correlation (Huang et al., 2022): the teacher's order of classes and of samples, not its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from dtkd.common.fields import Positive
from dtkd.distillation.methods.base import Loss, OfLogits, Target, Teachers, Weight

if TYPE_CHECKING:
    from torch import Tensor


class DIST(OfLogits):
    """L = CE + T^2 * (beta * inter + gamma * intra), of p_T(z) and p_T(t).

    inter = 1 - the Pearson correlation over the classes, mean over the samples; intra = 1 - that over the samples of a
    batch, mean over the classes. Huang et al., "Knowledge Distillation from A Stronger Teacher", NeurIPS 2022 (arXiv
    2205.10536), with T^2, the 1e-8 in the divisor and the defaults of the authors' code (hunto/DIST_KD). Of a teacher
    that cannot predict some classes, both are over its own.
    """

    name: ClassVar[str] = "dist"
    label: ClassVar[str] = "DIST"
    summary: ClassVar[str] = "correlation over classes and over samples in place of a divergence (Huang et al., 2022)"
    teachers: ClassVar[Teachers] = "generalist"
    symbols: ClassVar[dict[str, str]] = {"KD_T": "T", "beta": "b", "gamma": "g"}
    whole_batch: ClassVar[bool] = True

    KD_T: Positive = Field(1.0, description="Temperature of the softened distributions.")
    beta: Weight = Field(1.0, description="Weight of the correlation over the classes of a sample.")
    gamma: Weight = Field(1.0, description="Weight of the correlation over the samples of a batch.")

    def loss_of(self, student_logits: Tensor, target: Target, labels: Tensor) -> Loss:
        from dtkd.distillation import divergences, equations

        (teacher_logits,) = target.logits.values()
        own = ~teacher_logits.isneginf()  # NaN, of a teacher that diverged, shows
        p = equations.student_log_probabilities(student_logits, self.KD_T).exp()
        q = equations.teacher_probabilities(teacher_logits, self.KD_T)
        inter = 1 - divergences.pearson(p, q, own).mean()
        intra = 1 - divergences.pearson(p.T, q.T, own.T)[own.any(0)].mean()
        L_KD = self.beta * inter + self.gamma * intra
        L_CE = equations.student_loss(student_logits, labels, *target.labels)
        return Loss(L_CE + self.KD_T**2 * L_KD, L_KD, L_CE, {})
