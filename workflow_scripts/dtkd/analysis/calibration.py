"""How far a model's probabilities can be trusted, over videos: NLL, Brier score, calibration error.

Probabilities are the softmax of logits (N, C) at temperature 1; ``labels`` are (N,) int. NaN logits, of a diverged
model, give NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dtkd.training.metrics import log_softmax

BINS = 15
"""Of equal width, as in Guo et al. (2017)."""


def nll(logits: np.ndarray, labels: np.ndarray) -> float:
    """Negative log-likelihood (nats): the mean of -log p(label); infinite where a label's probability is zero."""
    own = np.take_along_axis(log_softmax(logits.astype(np.float64)), labels[:, None], axis=1)
    return float(-own.mean())


def brier(logits: np.ndarray, labels: np.ndarray) -> float:
    """Brier's score: the mean over videos of the sum over classes of (p - [label])², from 0 to 2 (Brier, 1950)."""
    errors = _probabilities(logits) - np.eye(logits.shape[1])[labels]
    return float((errors**2).sum(axis=1).mean())


class Reliability(NamedTuple):
    """Videos by the confidence of their answer, in `BINS` bins of equal width; NaN where a bin has no video."""

    counts: np.ndarray  # videos
    confidence: np.ndarray  # the mean of theirs, 0 to 1
    accuracy: np.ndarray  # the share of them that is right, 0 to 1

    @property
    def error(self) -> float:
        """The expected calibration error (0 to 1): the bins' mean |accuracy - confidence|, weighted by their videos."""
        used = self.counts > 0
        gaps = np.abs(self.accuracy[used] - self.confidence[used])
        return float(self.counts[used] @ gaps / self.counts.sum()) if used.any() else float("nan")


def binned(logits: np.ndarray, labels: np.ndarray, bins: int = BINS) -> Reliability:
    """What the highest probability of each video promises, and what comes true of it.

    A bin holds its upper edge and not its lower one. Of equal highest probabilities the first class is the answer.
    """
    probabilities = _probabilities(logits)
    if np.isnan(probabilities).any():
        nothing = np.full(bins, np.nan)
        return Reliability(np.zeros(bins, int), nothing, nothing)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    sums = (np.bincount(place, values, minlength=bins) for values in (confidence, right))
    empty = np.full(bins, np.nan)
    return Reliability(counts, *(np.divide(each, counts, out=empty.copy(), where=counts > 0) for each in sums))


def ece(logits: np.ndarray, labels: np.ndarray) -> float:
    """The expected calibration error in per cent (`Reliability.error`)."""
    return 100 * binned(logits, labels).error


def _probabilities(logits: np.ndarray) -> np.ndarray:
    return np.exp(log_softmax(logits.astype(np.float64)))
