"""How far a gain over the baseline is chance: paired, over the test videos that both models answered.

The test videos are what is sampled here, one by one or (``_of_clusters``) with all others of their recording; the
trained models are given. With several seeds a video's difference is taken over all of them, and how much trainings
themselves vary is the standard deviation over seeds beside each accuracy.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RESAMPLES = 9999
AGREEING = 2 / 3
"""The correlation of two models' correctness that is expected before there are any; rather low."""


def interval(differences: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of ``differences`` (N,), student less baseline per video.

    Both models stay paired, as whole videos are drawn; the draw is the same every time. Percentiles rather than BCa,
    which has no value where no video differs and covers worse where few do.
    """
    if len(differences) < 2 or np.ptp(differences) == 0:  # every draw has the same mean
        return float(differences.mean()), float(differences.mean())
    from scipy import stats

    low, high = stats.bootstrap(
        (differences,), np.mean, n_resamples=RESAMPLES, batch=500, confidence_level=confidence, method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return float(low), float(high)


def interval_of_clusters(
    shares: np.ndarray, weights: np.ndarray, clusters: np.ndarray, confidence: float = 0.95
) -> tuple[float, float]:
    """The same of a weighted mean, sum of ``shares`` (N,) over sum of ``weights`` (N,), where whole clusters are drawn.

    Videos of one of ``clusters`` (N,), such as clips of one recording, are drawn together (the cluster bootstrap), as
    many clusters as there are. Where each video is a cluster and weights are alike, it is `interval`.
    """
    members = np.unique(clusters, return_inverse=True)[1]
    sums, sizes = np.bincount(members, shares), np.bincount(members, weights)
    if len(sums) < 2 or np.ptp(sums / sizes) == 0:  # every draw has the same mean
        return float(shares.sum() / weights.sum()), float(shares.sum() / weights.sum())
    from scipy import stats

    low, high = stats.bootstrap(
        (sums, sizes), lambda drawn, size, axis=-1: drawn.sum(axis=axis) / size.sum(axis=axis), paired=True,
        vectorized=True, n_resamples=RESAMPLES, batch=500, confidence_level=confidence, method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return float(low), float(high)


def sign_flip_p_of_clusters(differences: np.ndarray, clusters: np.ndarray) -> float:
    """`sign_flip_p`, where the differences of one of ``clusters`` (N,) change their signs together.

    It is exact as well: a cluster is a case, whose difference is the sum of its videos'.
    """
    members = np.unique(clusters, return_inverse=True)[1]
    return sign_flip_p(np.rint(np.bincount(members, differences)).astype(int))


def interval_of_classes(differences: np.ndarray, labels: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over the classes in ``labels`` (N,) of their mean ``differences``.

    Videos are drawn within their class, as many as it has; the draw is the same every time.
    """
    random, classes = np.random.default_rng(0), np.unique(labels)
    draws = np.zeros(RESAMPLES)
    for label in classes:
        values, counts = np.unique(differences[labels == label], return_counts=True)
        videos = counts.sum()
        draws += random.multinomial(videos, counts / videos, RESAMPLES) @ values / videos
    low, high = np.quantile(draws / len(classes), [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def sign_flip_p(differences: np.ndarray) -> float:
    """Two-sided p of the paired permutation test that the mean of ``differences`` (N,) int is zero.

    ``differences`` are correct predictions of the student less those of the baseline, per video and summed over
    seeds. Where the two are alike, each video's difference could as well have the other sign. The distribution of the
    sum over all 2^N signs is computed, not drawn, so the p-value is exact; with one seed it is McNemar's exact test.
    """
    sizes = np.abs(differences[differences != 0])
    null = np.ones(1)  # null[s]: the chance that the positive differences sum to s
    for size in sizes:
        null = (np.pad(null, (0, size)) + np.pad(null, (size, 0))) / 2
    positive = int(differences[differences > 0].sum())
    tail = null[max(positive, int(sizes.sum()) - positive) :].sum()
    return min(1.0, 2 * float(tail))


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down adjustment of p-values (N,) for N tests of one family; NaN (no test) stays and does not count.

    An adjusted p below 0.05 is a finding even though N chances were taken, however the tests depend on each other.
    """
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]  # NaN is sorted last
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return adjusted


def smallest_gain(videos: int, accuracy: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """The smallest true gain over a baseline of ``accuracy`` (0 to 1) that so many test videos are likely to show.

    A share of the videos, not points; NaN where none up to 100 % is. "Likely": with a chance of ``power``, the exact
    paired test (`sign_flip_p`, one seed) has p < ``alpha``. The correctness of the two is taken to correlate by
    `AGREEING`: so each alone is right on a share ``a (1 - a) (1 - AGREEING)`` of the videos where they are equally
    good. What the better one gains comes on top of its share, as far as the baseline's errors go; beyond, the
    baseline's shrinks.
    """
    alone = accuracy * (1 - accuracy) * (1 - AGREEING)

    def shows(gain: float) -> bool:
        lost = max(0.0, min(alone, 1 - accuracy - gain))
        return _power(videos, lost + gain, lost, alpha) >= power

    return _least(shows, 1 - accuracy)


def smallest_gain_seen(videos: int, differing: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """The same once models are there that are right and wrong about different videos, a share ``differing`` of them.

    `smallest_gain` has to guess this share. A gain beyond it would make it larger: it is then the gain itself.
    """

    def shows(gain: float) -> bool:
        differ = max(differing, gain)
        return _power(videos, (differ + gain) / 2, (differ - gain) / 2, alpha) >= power

    return _least(shows, 1.0)


def _least(holds: Callable[[float], bool], most: float) -> float:
    """The least number from 0 to ``most`` for which ``holds`` does, which stays true above it; NaN if there is none."""
    if not holds(most):
        return float("nan")
    low, high = 0.0, most
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _power(videos: int, won: float, lost: float, alpha: float) -> float:
    """The chance that McNemar's exact test has p < ``alpha``, where each video is won or lost with these chances."""
    from scipy.stats import binom

    differ = np.arange(videos + 1)  # how many of the videos one model alone is right on
    fewest = binom.isf(alpha / 2, differ, 0.5) + 1  # wins from which on p is below alpha
    return float(binom.pmf(differ, videos, won + lost) @ binom.sf(fewest - 1, differ, won / max(won + lost, 1e-12)))
