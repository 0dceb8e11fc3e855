"""The mean of what all teachers say (You et al., 2017): no teacher is preferred, whatever the sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from dtkd.distillation.methods.base import Target
from dtkd.distillation.methods.standardised import Standardising

if TYPE_CHECKING:
    from torch import Tensor


class Average(Standardising):
    """L_KD = KL(mean over k of p_T(t_k) || p_T(z)): You et al., "Learning from Multiple Teacher Networks", KDD 2017."""

    name: ClassVar[str] = "average"
    label: ClassVar[str] = "Average"
    summary: ClassVar[str] = "all teachers alike: the mean of their distributions (You et al., 2017)"
    alternatives: ClassVar[tuple[Any, ...]] = ("generalist", "both", "baselines")

    def target(self, teacher_logits: Mapping[str, Tensor], labels: Tensor, groups: Tensor) -> Target:
        import torch

        from dtkd.distillation import equations

        said = [equations.teacher_probabilities(self.scaled(logits), self.KD_T) for logits in teacher_logits.values()]
        return Target(torch.stack(said).mean(0), {})
