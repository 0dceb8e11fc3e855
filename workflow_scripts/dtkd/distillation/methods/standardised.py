"""Logits standardised over the classes, for methods that can have it: a setting `standardise`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from dtkd.distillation.methods.base import SoftTargets

if TYPE_CHECKING:
    from torch import Tensor

Standardise = Annotated[
    bool,
    Field(description="Logits of student and teachers are z-scored over the classes before they are softened, so that "
          "the student learns their order and spread, and not their size (Sun et al., CVPR 2024, arXiv 2403.01427)."),
]  # fmt: skip


class Standardising(SoftTargets):
    """Soft targets whose logits can be z-scores.

    Z(x) = (x - mean) / (1e-7 + std), std with n - 1, of student and teachers, in L_KD alone (Sun et al., "Logit
    Standardization in Knowledge Distillation", CVPR 2024).
    """

    later: ClassVar[frozenset[str]] = frozenset({"standardise"})

    standardise: Standardise = False

    def scaled(self, logits: Tensor) -> Tensor:
        from dtkd.distillation import divergences

        return divergences.standardised(logits) if self.standardise else logits
