"""What probabilities are worth: by hand, and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_softmax
from sklearn.metrics import brier_score_loss, log_loss

from dtkd.analysis.calibration import BINS, binned, brier, ece, nll


def logits_of(probabilities):
    with np.errstate(divide="ignore"):
        return np.log(np.array(probabilities, np.float64))


FOUR = logits_of([[0.8, 0.2], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
ANSWERS = np.array([0, 1, 0, 1])  # right, wrong, right, right


def test_nll_and_brier_by_hand():
    assert nll(FOUR, ANSWERS) == pytest.approx(-np.mean(np.log([0.8, 0.2, 0.6, 0.7])))
    assert brier(FOUR, ANSWERS) == pytest.approx(np.mean([2 * 0.2**2, 2 * 0.8**2, 2 * 0.4**2, 2 * 0.3**2]))


def test_ece_by_hand():
    """Bins of 1/15: 0.8 twice, of which one is right; 0.6 and 0.7 alone, both right."""
    assert ece(FOUR, ANSWERS) == pytest.approx(100 * (2 * abs(0.5 - 0.8) + 0.4 + 0.3) / 4)
    found = binned(FOUR, ANSWERS, bins=2)
    assert found.counts.tolist() == [0, 4]
    assert found.accuracy[1] == 0.75
    assert found.confidence[1] == pytest.approx((0.8 + 0.8 + 0.6 + 0.7) / 4)
    assert np.isnan(found.accuracy[0])
    assert found.error == pytest.approx(abs(0.75 - found.confidence[1]))


def test_a_bin_holds_its_upper_edge():
    found = binned(logits_of([[0.5, 0.5], [1.0, 0.0], [0.51, 0.49]]), np.array([0, 0, 0]), bins=2)
    assert found.counts.tolist() == [1, 2]


@pytest.mark.parametrize("right", [6, 7, 8, 9, 10])
def test_who_is_as_often_right_as_confident_has_no_error(right):
    """Ten answers of a confidence of right/10, of which so many are right."""
    share = right / 10
    logits = logits_of([[share, 1 - share]] * 10)
    labels = np.array([0] * right + [1] * (10 - right))
    assert ece(logits, labels) == pytest.approx(0, abs=1e-9)
    assert ece(logits, 1 - labels) == pytest.approx(100 * abs(share - (1 - share)), abs=1e-9)


@given(arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(2, 6)), elements=st.floats(-30, 30)), st.randoms())
def test_bounds_and_scikit_learn(logits, random):
    classes = logits.shape[1]
    labels = np.array([random.randrange(classes) for _ in logits])
    assert 0 <= brier(logits, labels) <= 2 + 1e-12
    assert 0 <= ece(logits, labels) <= 100 + 1e-9
    assert binned(logits, labels).counts.sum() == len(labels)
    assert len(binned(logits, labels).counts) == BINS
    every, p = range(classes), np.exp(log_softmax(logits, axis=1))
    if classes > 2:
        assert brier(logits, labels) == pytest.approx(brier_score_loss(labels, p, labels=every))
    if (p > 1e-12).all():  # scikit-learn moves a zero from zero
        assert nll(logits, labels) == pytest.approx(log_loss(labels, p, labels=every))


def test_masked_and_diverged_models():
    masked = np.array([[2.0, -np.inf, 1.0]])
    assert np.isinf(nll(masked, np.array([1])))
    assert 0 < brier(masked, np.array([1])) <= 2
    lost = np.full((2, 3), np.nan)
    assert all(np.isnan(measure(lost, np.array([0, 1]))) for measure in (nll, brier, ece))
