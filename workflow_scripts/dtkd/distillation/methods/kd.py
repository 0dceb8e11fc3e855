"""Plain distillation (Hinton et al., 2015), to compare: all samples are taught by one network of all classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from dtkd.distillation.methods.base import Target, Teachers
from dtkd.distillation.methods.standardised import Standardising

if TYPE_CHECKING:
    from torch import Tensor


class KD(Standardising):
    """L_KD = KL(p_T(t) || p_T(z)): Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015."""

    name: ClassVar[str] = "kd"
    label: ClassVar[str] = "KD"
    summary: ClassVar[str] = "plain distillation: all samples are taught by one baseline of all classes"
    teachers: ClassVar[Teachers] = "generalist"

    def target(self, teacher_logits: Mapping[str, Tensor], labels: Tensor, groups: Tensor) -> Target:
        from dtkd.distillation import equations

        (logits,) = teacher_logits.values()
        return Target(equations.teacher_probabilities(self.scaled(logits), self.KD_T), {})
