"""Top-k accuracy: against a slow count and scikit-learn, and what ties, -inf and NaN mean."""

import numpy as np
import pytest
from sklearn.metrics import top_k_accuracy_score

from dtkd.metrics import top_k

INF, NAN = np.inf, np.nan


def slow(logits, labels, k):
    """A label is right if fewer than k other classes are at least as high, and its own logit is a number."""
    right = 0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        rivals = sum(1 for c, value in enumerate(row) if c != label and not value < row[label])
        right += rivals < k and row[label] == row[label]
    return 100 * right / len(labels)


@pytest.mark.parametrize("k", [1, 2, 5, 6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_against_scikit_learn_and_a_slow_count(k, dtype):
    random = np.random.default_rng(k)
    logits, labels = random.normal(size=(400, 7)).astype(dtype), random.integers(0, 7, 400)
    expected = 100 * top_k_accuracy_score(labels, logits, k=k, labels=range(7))
    assert top_k(logits, labels, k) == pytest.approx(expected, abs=1e-9)
    assert 0 < top_k(logits, labels, k) < 100
    assert top_k(logits, labels, k) == pytest.approx(slow(logits, labels, k), abs=1e-9)


def test_ties_infinities_and_nan_against_a_slow_count():
    random = np.random.default_rng(0)
    logits = random.choice([-INF, NAN, 0.0, 1.0, 2.0], (500, 6), p=[0.2, 0.1, 0.3, 0.2, 0.2])
    labels = random.integers(0, 6, 500)
    for k in (1, 3, 5, 6, 9):
        assert top_k(logits, labels, k) == pytest.approx(slow(logits, labels, k), abs=1e-9)


@pytest.mark.parametrize(
    ("row", "k", "right"),
    [
        ([3, 3, 0], 1, False),  # a tie counts against the label
        ([3, 3, 0], 2, True),
        ([0, 0, 0], 2, False),  # a model that says nothing is not right by luck
        ([0, -INF, -INF], 1, True),
        ([-INF, 1, -INF], 1, False),
        ([-INF, 1, -INF], 2, False),
        ([-INF, 1, -INF], 3, True),  # as many guesses as classes
        ([5, 1, 2], 10, True),
        ([NAN, NAN, NAN], 1, False),  # a diverged model is never right
        ([NAN, NAN, NAN], 3, False),
        ([1, NAN, 0], 1, False),
        ([INF, 1, 0], 1, True),
    ],
)
def test_one_row_whose_label_is_0(row, k, right):
    assert top_k(np.array([row], float), np.array([0]), k) == (100.0 if right else 0.0)


def test_result_is_a_plain_float_in_per_cent():
    score = top_k(np.eye(4, dtype=np.float32), np.array([0, 1, 2, 0]), 1)
    assert type(score) is float
    assert score == 75.0
