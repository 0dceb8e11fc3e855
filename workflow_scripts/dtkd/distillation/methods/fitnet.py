"""FitNets (Romero et al., 2015) on pooled features: the student's, through a linear map, are to be the teacher's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from dtkd.distillation.methods.base import Weight
from dtkd.distillation.methods.features import OfFeatures

if TYPE_CHECKING:
    from torch import Tensor, nn


class FitNet(OfFeatures):
    """L_KD = weight * mean over samples and dimensions of (r_k(f_z) - f_k)^2, r_k a linear map that trains with it.

    Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015 (arXiv 1412.6550); hints are given throughout the
    training, and with the weight 100, as in Tian et al., "Contrastive Representation Distillation", ICLR 2020
    (HobbitLong/RepDistiller).
    """

    name: ClassVar[str] = "fitnet"
    label: ClassVar[str] = "FitNet"
    summary: ClassVar[str] = "regression of the teacher's features on the student's (Romero et al., 2015)"
    symbols: ClassVar[dict[str, str]] = {"weight": "w"}

    weight: Weight = Field(100.0, description="Weight of the regression beside cross-entropy.")

    def regressors(self, width: int, widths: Mapping[str, int]) -> nn.ModuleDict:
        from torch import nn

        return nn.ModuleDict({name: nn.Linear(width, theirs) for name, theirs in widths.items()})

    def divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        return self.weight * (student - teacher).square().mean()
