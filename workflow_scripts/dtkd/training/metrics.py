"""What predictions are worth: accuracy per video, class and subset; how far a student is from a teacher. No torch."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from dtkd.common.errors import DtkdError
from dtkd.common.files import read_parquet

NOISE = 0.05
"""A gain whose p value is not below this is not told from noise."""


class Predictions(NamedTuple):
    """A run's logits of its test videos, in the index's order (`predictions.parquet`)."""

    videos: list[str]  # N names
    labels: np.ndarray  # (N,) int
    logits: np.ndarray  # (N, C), by the selected epoch's weights; -inf for classes that a model may not predict
    logits_last: np.ndarray  # (N, C), by the last epoch's

    @classmethod
    def read(cls, path: str | Path) -> Predictions:
        """DtkdError naming the file if it is missing, no predictions, empty, or not one row of logits per video."""
        try:
            table = read_parquet(path)
            read = cls(table["video"].tolist(), table["label"].to_numpy(), *(
                np.stack(table[name]) for name in ("logits", "logits_last")
            ))  # fmt: skip
        except FileNotFoundError:
            raise DtkdError(f"{path}: there is no such file; let the workflow make it") from None
        except KeyError as error:
            raise DtkdError(f"{path}: has no column {error}; delete the file and let the workflow make it") from None
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise DtkdError(f"{path}: cannot be read ({reason}); delete it and let the workflow make it") from None
        classes = read.logits.shape[1]
        if read.logits_last.shape[1] != classes or read.labels.min() < 0 or read.labels.max() >= classes:
            raise DtkdError(f"{path}: logits and labels do not fit together; delete it and let the workflow make it")
        return read

    def only(self, rows: np.ndarray) -> Predictions:
        """The videos that ``rows`` (N,) bool picks."""
        videos = [name for name, kept in zip(self.videos, rows, strict=True) if kept]
        return Predictions(videos, self.labels[rows], self.logits[rows], self.logits_last[rows])


def top_k_correct(logits: np.ndarray, labels: np.ndarray, k: int = 1) -> np.ndarray:
    """(N,) bool: whether the label is among the ``k`` highest of ``logits`` (N, C).

    A tie counts against the label, and so does NaN, the label's own or another's: a diverged model is never right.
    """
    own = np.take_along_axis(logits, labels[:, None], axis=1)
    rank = (~(logits < own)).sum(axis=1) - 1
    return (rank < k) & ~np.isnan(own[:, 0])


def top_k(logits: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Per cent of rows of ``logits`` (N, C) whose label is among the ``k`` highest (see `top_k_correct`)."""
    return 100.0 * float(np.mean(top_k_correct(logits, labels, k)))


def per_class_top1(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(C,) top-1 (per cent) of each class's own videos, NaN for a class without any (paper, Section 4.4.4)."""
    right = np.bincount(labels, top_k_correct(logits, labels), minlength=logits.shape[1])
    videos = np.bincount(labels, minlength=logits.shape[1])
    return 100.0 * np.divide(right, videos, out=np.full(len(videos), np.nan), where=videos > 0)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Along the last axis; -inf logits keep a probability of zero."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def kl_divergence(
    student: np.ndarray, teacher: np.ndarray, kl: str = "forward", floor: float | None = None
) -> np.ndarray:
    """(N,) the paper's KL(S ‖ T) in nats of two arrays of logits (N, C), at temperature 1 (Section 4.4.5).

    ``forward`` reads it as Eq. 11 has to be read, in the argument order of ``torch.nn.KLDivLoss``:
    Σ T (log T - log S). ``reverse`` is the textbook's: Σ S (log S - log T), infinite where a masked teacher's
    probability is exactly zero; a ``floor`` is then its probabilities' least, which are not normalised again.
    0·log 0 = 0 in both.
    """
    log_s, log_t = (log_softmax(logits.astype(np.float64)) for logits in (student, teacher))
    if kl == "forward":
        log_p, log_q = log_t, log_s
    else:
        log_p, log_q = log_s, log_t if floor is None else np.maximum(log_t, np.log(floor))
    p = np.exp(log_p)
    counted = p != 0  # NaN, of a diverged model, counts
    return (p * np.subtract(log_p, log_q, where=counted, out=np.zeros_like(p))).sum(axis=-1)
