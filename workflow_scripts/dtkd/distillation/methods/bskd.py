"""The paper's rival of its own: each sample is taught by the specialist of its class alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from dtkd.distillation.methods.base import SoftTargets, Target

if TYPE_CHECKING:
    from torch import Tensor


class BSKD(SoftTargets):
    name: ClassVar[str] = "bskd"
    label: ClassVar[str] = "BSKD"
    summary: ClassVar[str] = "each sample is taught by the specialist of its class's subset alone"

    def target(self, teacher_logits: Mapping[str, Tensor], labels: Tensor, groups: Tensor) -> Target:
        from dtkd.distillation import equations

        q, weights = equations.hybrid_target(  # a score of which nothing is read
            list(teacher_logits.values()), labels, groups, S_alpha=0.0, KD_T=self.KD_T, weighting="partition"
        )
        return Target(q, dict(zip(teacher_logits, weights, strict=True)))
