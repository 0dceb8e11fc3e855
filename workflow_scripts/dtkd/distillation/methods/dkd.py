"""Decoupled distillation (Zhao et al., 2022): how hard a sample is, and what else it looks like, count on their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from dtkd.common.fields import Positive
from dtkd.distillation.methods.base import Loss, OfLogits, Target, Teachers
from dtkd.distillation.methods.standardised import Standardise

if TYPE_CHECKING:
    from torch import Tensor

Share = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class DKD(OfLogits):
    """L = CE + T^2 * (alpha * TCKD + beta * NCKD).

    TCKD = KL(b_t || b_z) with b = (p_T(y), 1 - p_T(y)); NCKD = KL(r_t || r_z), r the softmax of the logits / T of all
    classes but y. Zhao et al., "Decoupled Knowledge Distillation", CVPR 2022 (arXiv 2203.08679), whose usual values are
    alpha 1, beta 8 and T 4 (mdistiller's cfg.DKD); their warm-up over 20 of 240 epochs is left out. A teacher that can
    predict the label alone says nothing of the other classes: NCKD is 0 there.
    """

    name: ClassVar[str] = "dkd"
    label: ClassVar[str] = "DKD"
    summary: ClassVar[str] = "decoupled distillation: the label's class and the others apart (Zhao et al., 2022)"
    teachers: ClassVar[Teachers] = "generalist"
    symbols: ClassVar[dict[str, str]] = {"KD_T": "T", "alpha": "a", "beta": "b"}

    KD_T: Positive = Field(4.0, description="Temperature of the softened distributions.")
    alpha: Share = Field(1.0, description="Weight of TCKD: how sure the teacher is of the label.")
    beta: Share = Field(8.0, description="Weight of NCKD: how the teacher tells the other classes apart.")
    standardise: Standardise = False

    def loss_of(self, student_logits: Tensor, target: Target, labels: Tensor) -> Loss:
        from dtkd.distillation import equations

        (teacher_logits,) = target.logits.values()
        TCKD, NCKD = self._decoupled(self._scaled(student_logits), self._scaled(teacher_logits), labels)
        L_KD = (self.alpha * TCKD + self.beta * NCKD).mean()
        L_CE = equations.student_loss(student_logits, labels, *target.labels)
        return Loss(L_CE + self.KD_T**2 * L_KD, L_KD, L_CE, {})

    def _scaled(self, logits: Tensor) -> Tensor:
        from dtkd.distillation import divergences, equations

        logits = equations.at_least_float32(logits)
        return (divergences.standardised(logits) if self.standardise else logits) / self.KD_T

    def _decoupled(self, z: Tensor, t: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """TCKD and NCKD, (N,) each, of logits that are divided by the temperature."""
        import torch

        from dtkd.distillation import divergences

        y = labels.unsqueeze(-1)
        label = torch.zeros_like(z, dtype=torch.bool).scatter(-1, y, True)
        # sums of logarithms, as 1 - p loses all digits where the label is nearly certain
        sums = {name: torch.cat([x.gather(-1, y), _log_sum_exp(x, label)], -1) for name, x in (("z", z), ("t", t))}
        TCKD = divergences.kl(sums["t"].softmax(-1), sums["z"].log_softmax(-1))
        speaks = sums["t"][:, 1:].isfinite()  # of any class but the label's
        rest = torch.where(speaks, t, 0.0).masked_fill(label, -torch.inf).softmax(-1)
        log_rest = z.masked_fill(label, -torch.inf).log_softmax(-1)
        NCKD = torch.where(speaks.squeeze(-1), divergences.kl(rest, log_rest), 0.0)
        return TCKD, NCKD


def _log_sum_exp(x: Tensor, without: Tensor) -> Tensor:
    """log of the sum of exp(x), (N, C) -> (N, 1), ``without`` some classes (N, C) bool."""
    import torch

    return x.masked_fill(without, -torch.inf).logsumexp(-1, keepdim=True)
