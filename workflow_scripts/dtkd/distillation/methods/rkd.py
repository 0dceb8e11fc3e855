"""Relational distillation (Park et al., 2019): distances and angles between the samples of a batch."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from dtkd.common.errors import DtkdError
from dtkd.distillation.methods.base import Weight
from dtkd.distillation.methods.features import SMALL, OfFeatures, gram, unit

if TYPE_CHECKING:
    from torch import Tensor


class RKD(OfFeatures):
    """L_KD = distance * l(psi_D) + angle * l(psi_A), l Huber's loss between the student's and the teacher's potentials.

    psi_D is the distance of two samples' features over the mean of all distances that are not 0, psi_A the cosine of
    the angle at one sample between two others. Park et al., "Relational Knowledge Distillation", CVPR 2019 (arXiv
    1904.05068), with the means and the weights of the authors' code (lenscloth/RKD).
    """

    name: ClassVar[str] = "rkd"
    label: ClassVar[str] = "RKD"
    summary: ClassVar[str] = "distances and angles between the samples of a batch (Park et al., 2019)"
    symbols: ClassVar[dict[str, str]] = {"distance": "d", "angle": "a"}

    distance: Weight = Field(25.0, description="Weight of the distances.")
    angle: Weight = Field(50.0, description="Weight of the angles.")

    def check_teachers(self, names: Collection[str]) -> None:
        super().check_teachers(names)
        if not (self.distance or self.angle):
            raise DtkdError(
                "method rkd: distance and angle are both 0, and nothing is distilled; give one of them a weight"
            )

    def divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        from torch.nn.functional import smooth_l1_loss

        L_D = smooth_l1_loss(distances(student), distances(teacher))
        L_A = smooth_l1_loss(angles(student), angles(teacher))
        return self.distance * L_D + self.angle * L_A


def distances(features: Tensor) -> Tensor:
    """(N, N): between the samples of (N, D), over the mean of those that are not 0; 0 between a sample and itself."""
    squares = features.square().sum(1)
    # at 0, a root has no gradient
    found = (squares[:, None] + squares[None] - 2 * gram(features)).clamp(min=SMALL).sqrt()
    found = found * (1 - found.new_ones(len(found)).diag())
    apart = found > 0
    return found / found[apart].mean() if apart.any() else found


def angles(features: Tensor) -> Tensor:
    """(N, N, N): at each sample, the cosine between the directions to any two samples; 0 where one has no direction."""
    directions = unit(features[None] - features[:, None])
    return directions @ directions.mT
