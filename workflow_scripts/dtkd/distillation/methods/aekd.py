"""Teachers weighed so that the student's gradient has what they agree on (Du et al., 2020)."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from dtkd.common.errors import DtkdError
from dtkd.distillation.methods.base import Target
from dtkd.distillation.methods.weighed import EachTeacher

if TYPE_CHECKING:
    from torch import Tensor


class AEKD(EachTeacher):
    """The weights, from 0 to C with sum 1, that minimise the norm of the sum over k of w_k * g_k.

    g_k = (p_T(z) - p_T(t_k)) / T is the gradient of a sample's KL(p_T(t_k) || p_T(z)) by the student's logits. Du et
    al., "Agree to Disagree: Adaptive Ensemble Knowledge Distillation in Gradient Space", NeurIPS 2020. Each sample
    has weights of its own here, so that they do not depend on who else is in the batch; the authors' code
    (AnTuo1998/AE-KD) has one set of weights for a batch, by its mean gradient. The weights send no gradient.
    """

    name: ClassVar[str] = "aekd"
    label: ClassVar[str] = "AEKD"
    summary: ClassVar[str] = "teachers weighed so that their gradients agree the most (Du et al., 2020)"
    symbols: ClassVar[dict[str, str]] = {"KD_T": "T", "KD_alpha": "A", "C": "C"}

    C: float = Field(
        0.6, gt=0, le=1, description="The largest weight that a teacher may have; at least 1 / the number of teachers. "
        "1: a teacher may be heard alone; 0.6 is the authors'.",
    )  # fmt: skip

    def check_teachers(self, names: Collection[str]) -> None:
        super().check_teachers(names)
        count = len(names)
        if self.C * count < 1:
            raise DtkdError(f"method aekd: {count} weights of at most C = {self.C:g} do not sum to 1; set C to "
                            f"{math.ceil(1000 / count) / 1000:g} or more")  # fmt: skip

    def weights(self, target: Target, log_p: Tensor, q: Tensor) -> Tensor:
        g = (log_p.exp() - q).double().transpose(0, 1)  # (n, K, classes); a factor changes no weight
        return least_norm_weights(g @ g.transpose(1, 2), self.C).T.to(q.dtype)


def least_norm_weights(G: Tensor, C: float, sweeps: int = 1000, tolerance: float = 1e-12) -> Tensor:
    """The w (n, K), from 0 to C with sum 1, that minimise w' G w, for n Gram matrices G (n, K, K).

    Pairs of weights are moved against each other to the best that the bounds allow, again and again, as in sequential
    minimal optimisation: of two teachers the first step is exact.
    """
    import torch

    n, K, _ = G.shape
    w = torch.full((n, K), 1 / K, dtype=G.dtype, device=G.device)
    for _ in range(sweeps):
        before = w.clone()
        for i in range(K):
            for j in range(i):
                slope = ((G[:, j] - G[:, i]) * w).sum(-1)
                curve = G[:, i, i] + G[:, j, j] - 2 * G[:, i, j]
                step = torch.where(curve > 0, slope / torch.where(curve > 0, curve, 1.0), 0.0)
                most, least = torch.minimum(C - w[:, i], w[:, j]), -torch.minimum(w[:, i], C - w[:, j])
                step = step.clamp(least, most)
                w[:, i] += step
                w[:, j] -= step
        if (w - before).abs().max() <= tolerance:
            break
    return w
