"""Accuracy from logits, without torch."""

from __future__ import annotations

import numpy as np


def top_k(logits: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Per cent of rows of ``logits`` (N, C) whose label is among the ``k`` highest.

    A tie counts against the label, and so does NaN, the label's own or another's: a diverged model is never right.
    """
    own = np.take_along_axis(logits, labels[:, None], axis=1)
    rank = (~(logits < own)).sum(axis=1) - 1
    return 100.0 * float(np.mean((rank < k) & ~np.isnan(own[:, 0])))
