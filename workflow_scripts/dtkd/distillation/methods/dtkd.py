"""The paper's method: a target of all specialists, weighed by a hybrid score (Eqs. 2-13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from dtkd.common.fields import Fraction
from dtkd.distillation.methods.base import SoftTargets, Target

if TYPE_CHECKING:
    from torch import Tensor


class DTKD(SoftTargets):
    name: ClassVar[str] = "dtkd"
    label: ClassVar[str] = "DTKD"
    summary: ClassVar[str] = "the paper's method: specialists weighed by confidence and loss (Eqs. 2 to 13)"
    symbols: ClassVar[dict[str, str]] = {"S_alpha": "S", "KD_T": "T", "KD_alpha": "A"}
    later: ClassVar[frozenset[str]] = frozenset({"outside"})
    weighs: ClassVar[bool] = True

    S_alpha: Fraction = Field(
        description="Share of a teacher's confidence in its score; the rest is its loss's (Eq. 8)."
    )
    weighting: Literal["gated", "blend", "partition"] = Field(
        "gated",
        description="What becomes of the weight of a teacher to whose subset a sample does not belong. `gated`: Eq. 9, "
        "then zero. `blend`: Eq. 9 as it is. `partition`: 1 for the own teacher, 0 for the others (decisions, row 6).",
    )
    outside: Literal["confidence", "zero"] = Field(
        "confidence",
        description="What a teacher scores on a sample outside its subset: `S_alpha` × its confidence, or 1 − "
        "`S_alpha` (decisions, row 6). `weighting: partition` reads no score.",
    )

    def target(self, teacher_logits: Mapping[str, Tensor], labels: Tensor, groups: Tensor) -> Target:
        from dtkd.distillation import equations

        q, weights = equations.hybrid_target(
            list(teacher_logits.values()), labels, groups, S_alpha=self.S_alpha, KD_T=self.KD_T,
            weighting=self.weighting, outside=self.outside,
        )  # fmt: skip
        return Target(q, dict(zip(teacher_logits, weights, strict=True)))

    def unused(self) -> set[str]:
        return {"outside"} if self.weighting == "partition" else set()
