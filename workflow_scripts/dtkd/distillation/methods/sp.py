"""Similarity-preserving distillation (Tung & Mori, 2019): which samples of a batch are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from dtkd.distillation.methods.base import Weight
from dtkd.distillation.methods.features import OfFeatures, gram, unit

if TYPE_CHECKING:
    from torch import Tensor


class SP(OfFeatures):
    """L_KD = gamma * mean over pairs of (G_z - G_k)^2, G the products of all pairs of features, its rows of length 1.

    Tung & Mori, "Similarity-Preserving Knowledge Distillation", ICCV 2019 (arXiv 1907.09682), with the authors' gamma.
    """

    name: ClassVar[str] = "sp"
    label: ClassVar[str] = "SP"
    summary: ClassVar[str] = "which samples of a batch are alike (Tung & Mori, 2019)"
    symbols: ClassVar[dict[str, str]] = {"gamma": "g"}

    gamma: Weight = Field(3000.0, description="Weight beside cross-entropy.")

    def divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        return self.gamma * (unit(gram(student)) - unit(gram(teacher))).square().mean()
