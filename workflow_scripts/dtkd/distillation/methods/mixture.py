"""A mixture of experts: specialists tell the classes of a group apart, a generalist the groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dtkd.common.errors import DtkdError
from dtkd.distillation.methods.base import SoftTargets, Target, Teachers

if TYPE_CHECKING:
    from torch import Tensor


class Mixture(SoftTargets):
    """L_KD = KL(q || p_T(z)), q = sum over groups g of P(g given x) * p_T(t_g restricted to the classes of g).

    P(g given x) is what the generalist's p_T gives to the classes of g, or with `gate: truth` 1 for the label's group.
    This project's: a specialist is asked only what it has learned, and q is a distribution over all classes.
    """

    name: ClassVar[str] = "mixture"
    label: ClassVar[str] = "Mixture"
    summary: ClassVar[str] = "specialists decide within their group of classes, a generalist between the groups"
    teachers: ClassVar[Teachers] = "both"
    alternatives: ClassVar[tuple[Any, ...]] = ("specialists",)

    gate: Literal["generalist", "truth"] = Field(
        "generalist",
        description="Who says to which group a sample belongs: the generalist, by its probabilities, or its label. "
        "With `truth` no generalist is heard, and `teachers: specialists` saves asking it.",
    )

    def check_teachers(self, names: Collection[str]) -> None:
        super().check_teachers(names)
        if self.gate == "generalist" and "generalist" not in names:
            raise DtkdError(
                "method mixture: no teacher is a generalist; have both (teachers: both), or set gate: truth"
            )

    def target(self, teacher_logits: Mapping[str, Tensor], labels: Tensor, groups: Tensor) -> Target:
        from dtkd.distillation import equations

        specialists = {name: logits for name, logits in teacher_logits.items() if name != "generalist"}
        equations.check_groups(groups, len(specialists), groups.shape[-1])
        own = [groups == number for number in range(len(specialists))]
        if self.gate == "truth":
            gates = [mask.float() for mask in equations.responsibility(labels, groups, len(specialists))]
        else:
            p = equations.teacher_probabilities(teacher_logits["generalist"], self.KD_T)
            gates = [p[:, mask].sum(-1) for mask in own]
        said = [
            equations.teacher_probabilities(equations.mask_logits(logits, mask), self.KD_T)
            for logits, mask in zip(specialists.values(), own, strict=True)
        ]
        return Target(equations.soft_target(gates, said), dict(zip(specialists, gates, strict=True)))
