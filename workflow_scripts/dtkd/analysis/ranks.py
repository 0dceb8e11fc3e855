"""Methods by their mean ranks over blocks, and which of them ranks tell apart (Demšar, 2006)."""

from __future__ import annotations

import numpy as np


def mean_ranks(scores: np.ndarray) -> np.ndarray:
    """(M,) the mean over the blocks of ``scores`` (B, M) of each method's rank, 1 the highest; ties share theirs."""
    from scipy.stats import rankdata

    return rankdata(-scores, axis=1).mean(axis=0)


def friedman_p(scores: np.ndarray) -> float:
    """p of Friedman's test that all methods (columns of ``scores`` (B, M)) rank alike; 1 where all scores of each block
    are the same.
    """
    from scipy.stats import friedmanchisquare

    if not np.ptp(scores, axis=1).any():
        return 1.0
    return float(friedmanchisquare(*scores.T).pvalue)


def critical_difference(methods: int, blocks: int, alpha: float = 0.05) -> float:
    """The least difference of two mean ranks that Nemenyi's test tells from chance, all pairs taken into account."""
    from scipy.stats import studentized_range

    q = studentized_range.ppf(1 - alpha, methods, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(methods * (methods + 1) / (6 * blocks)))


def cliques(ranks: np.ndarray, difference: float) -> list[tuple[float, float]]:
    """The first and the last rank of the largest sets of methods that differ by less than ``difference``."""
    found: list[tuple[float, float]] = []
    ordered = np.sort(ranks)
    for first in ordered:
        last = ordered[ordered - first < difference][-1]
        if last > first and (not found or last > found[-1][1]):
            found.append((float(first), float(last)))
    return found
