"""What several methods are made of: divergences and statistics of distributions over the classes, one value a sample.

A logit of -inf is a class that a teacher cannot predict. Its probability is 0, 0 * log 0 = 0, and statistics of
logits are over the teacher's own classes alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-7


def kl(q: Tensor, log_p: Tensor) -> Tensor:
    """KL(q || p) = sum over classes of q * (log q - log p), with q and log p (..., C) -> (...)."""
    positive = q != 0  # NaN, of a teacher that diverged, shows
    log_q = torch.where(positive, q, 1.0).log()  # the inner `where` keeps log 0 out of the gradient too
    return torch.where(positive, q * (log_q - log_p), 0.0).sum(dim=-1)


def entropy(p: Tensor) -> Tensor:
    """H = - sum over classes of p * log p, (..., C) -> (...)."""
    return torch.special.entr(p).sum(dim=-1)


def standardised(logits: Tensor) -> Tensor:
    """Z-scores over the classes: (x - mean) / (1e-7 + std), with n - 1 (Sun et al., CVPR 2024), (..., C) -> (..., C).

    Over the finite logits; the others stay -inf. Of a single class the z-score is 0.
    """
    own = logits.isfinite()
    count = own.sum(dim=-1, keepdim=True)
    x = torch.where(own, logits, 0.0)
    centred = torch.where(own, x - x.sum(dim=-1, keepdim=True) / count, 0.0)
    variance = centred.square().sum(dim=-1, keepdim=True) / (count - 1).clamp(min=1)
    spread = variance > 0  # the gradient of a root is infinite at 0
    std = torch.where(spread, torch.where(spread, variance, 1.0).sqrt(), 0.0)
    return torch.where(own, centred / (EPSILON + std), logits)


def pearson(a: Tensor, b: Tensor, own: Tensor, epsilon: float = 1e-8) -> Tensor:
    """The correlation of a and b over the last dimension, where ``own``: (N, C) each -> (N,); 0 where one is constant.

    ``epsilon`` is what the authors of DIST add to the divisor.
    """
    count = own.sum(dim=-1, keepdim=True).clamp(min=1)
    a, b = (torch.where(own, x - torch.where(own, x, 0.0).sum(dim=-1, keepdim=True) / count, 0.0) for x in (a, b))
    return (a * b).sum(dim=-1) / (a.norm(dim=-1) * b.norm(dim=-1) + epsilon)
