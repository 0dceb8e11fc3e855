"""Plain distillation (Hinton et al., 2015), to compare: all samples are taught by one network of all classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from dtkd.distillation.methods.base import SoftTargets, Target

if TYPE_CHECKING:
    from torch import Tensor


class KD(SoftTargets):
    name: ClassVar[str] = "kd"
    label: ClassVar[str] = "KD"
    summary: ClassVar[str] = "plain distillation: all samples are taught by one baseline of all classes"
    teachers: ClassVar[Literal["specialists", "generalist"]] = "generalist"

    def target(self, teacher_logits: Mapping[str, Tensor], labels: Tensor, groups: Tensor) -> Target:
        from dtkd.distillation import equations

        (logits,) = teacher_logits.values()
        return Target(equations.teacher_probabilities(logits, self.KD_T), {})
