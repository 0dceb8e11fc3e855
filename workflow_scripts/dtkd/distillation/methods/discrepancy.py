"""Teachers fused by how sure they are and by how far the student is from them (Peng et al., 2025)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dtkd.distillation.methods.base import OfLogits, SoftTargets, Target

if TYPE_CHECKING:
    from torch import Tensor


class Discrepancy(OfLogits, SoftTargets):
    """L_KD = KL(softmax(t / T) || p_T(z)) with the fused logits t = sum over k of w_k * t_k.

    w_k = e_k / sum over j of e_j, e_k = (1 - H_k / log C) * (1 - cos(t_k, z)), H_k the entropy of softmax(t_k): a
    teacher weighs by what it is sure of and the student does not yet say. Peng et al., "Revisiting Cross-Architecture
    Distillation: Adaptive Dual-Teacher Transfer for Lightweight Video Models", arXiv 2511.09469 (2025): their
    Discrepancy-Aware Teacher Weighting. The paper itself was not at hand: that logits are fused by normalised scores,
    of a low entropy and of the cosine distance of logits, is from summaries of it; that a score is the product of the
    two is this project's reading. Their branch for features is left out.

    Of a teacher that cannot predict some classes, H_k, C and the cosine are over those that it can; a class's fused
    logit is over the teachers that can predict it. The weights send no gradient; where all scores are 0, all weigh
    alike.
    """

    name: ClassVar[str] = "discrepancy"
    label: ClassVar[str] = "Discrepancy"
    summary: ClassVar[str] = "logits fused by teachers' sureness and distance from the student (Peng et al., 2025)"
    alternatives: ClassVar[tuple[Any, ...]] = ("both", "baselines")
    fewest: ClassVar[int] = 2

    def divergence(self, student_logits: Tensor, target: Target) -> tuple[Tensor, dict[str, Tensor]]:
        import torch

        from dtkd.distillation import equations

        t = equations.at_least_float32(torch.stack(list(target.logits.values())))
        weights = self.weights(t, equations.at_least_float32(student_logits.detach()))
        q = equations.teacher_probabilities(fused(t, weights), self.KD_T)
        p = equations.student_log_probabilities(student_logits, self.KD_T)
        return equations.kd_loss(p, q), dict(zip(target.logits, weights, strict=True))

    def weights(self, t: Tensor, z: Tensor) -> Tensor:
        """The weights (K, n) by the logits of the teachers (K, n, C) and of the student (n, C)."""
        import torch
        from torch.nn import functional

        from dtkd.distillation import divergences

        own = ~t.isneginf()
        most = own.sum(-1).clamp(min=2).to(t.dtype).log()  # of one class there is no doubt
        sure = 1 - divergences.entropy(t.softmax(-1)) / most
        far = 1 - functional.cosine_similarity(torch.where(own, t, 0.0), torch.where(own, z, 0.0), dim=-1)
        scores = (sure * far).clamp(min=0)  # rounding
        total = scores.sum(0)
        return torch.where(total > 0, scores / torch.where(total > 0, total, 1.0), 1 / len(t))


def fused(t: Tensor, weights: Tensor) -> Tensor:
    """The weighted mean (n, C) of logits (K, n, C): of a class, over those who can predict it; -inf if nobody can."""
    import torch

    own = ~t.isneginf()
    w = weights.unsqueeze(-1) * own
    w = torch.where(w.sum(0) > 0, w, own.to(t.dtype))  # only teachers of no weight can
    total = w.sum(0)
    mean = (w * torch.where(own, t, 0.0)).sum(0) / torch.where(total > 0, total, 1.0)
    return mean.masked_fill(total == 0, -torch.inf)
