"""Plain distillation with a temperature for each sample, and for student and teacher (Wei and Bai, 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dtkd.distillation.methods.base import OfLogits, SoftTargets, Target, Teachers

if TYPE_CHECKING:
    from torch import Tensor


class DynamicTemperature(OfLogits, SoftTargets):
    """L_KD = mean over samples of T_z * T_t / T^2 * KL(softmax(t / T_t) || softmax(z / T_z)).

    T_t = 2 x / (x + y) * T and T_z = 2 y / (x + y) * T, with x and y the sharpness of teacher and student: the log of
    the sum of exp, for which the authors' code (JinYu1998/DTKD) takes the largest logit, and so does this. The sharper
    of the two is softened more. Wei and Bai, "Dynamic Temperature Knowledge Distillation", arXiv 2404.12711 (2024).
    Their code adds plain distillation (3 parts of this to 1 of that) and a warm-up, which are left out. Where x or y is
    not positive, the formula has a temperature below 0: both are T there.
    """

    name: ClassVar[str] = "dynamic_temperature"
    label: ClassVar[str] = "Dynamic T"
    summary: ClassVar[str] = "plain distillation with temperatures by the sharpness of each sample (Wei and Bai, 2024)"
    teachers: ClassVar[Teachers] = "generalist"

    def divergence(self, student_logits: Tensor, target: Target) -> tuple[Tensor, dict[str, Tensor]]:
        import torch

        from dtkd.distillation import divergences, equations

        (teacher_logits,) = target.logits.values()
        z, t = equations.at_least_float32(student_logits), equations.at_least_float32(teacher_logits)
        T_z, T_t = self._temperatures(z.amax(-1, keepdim=True), t.amax(-1, keepdim=True))
        cannot = t.isneginf()  # -inf / T_t has no gradient
        q = (torch.where(cannot, 0.0, t) / T_t).masked_fill(cannot, -torch.inf).softmax(-1)
        term = divergences.kl(q, (z / T_z).log_softmax(-1))
        return ((T_z * T_t).squeeze(-1) / self.KD_T**2 * term).mean(), {}

    def _temperatures(self, y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """The student's and the teacher's, (N, 1) each, by the largest logit y of the one and x of the other."""
        import torch

        usable = (x > 0) & (y > 0)
        total = torch.where(usable, x + y, 1.0)
        T_z, T_t = (torch.where(usable, 2 * part / total, 1.0) * self.KD_T for part in (y, x))
        return T_z, T_t
