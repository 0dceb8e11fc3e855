"""Top-k accuracy against a slow count and scikit-learn, what ties, -inf and NaN mean; accuracy per class; KL."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import special
from sklearn.metrics import recall_score, top_k_accuracy_score

from dtkd.common.errors import DtkdError
from dtkd.training.metrics import Predictions, kl_divergence, per_class_top1, top_k, top_k_correct

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


def test_hits_are_what_top_k_counts():
    random = np.random.default_rng(3)
    logits, labels = random.normal(size=(50, 6)), random.integers(0, 6, 50)
    for k in (1, 3):
        assert 100 * top_k_correct(logits, labels, k).mean() == pytest.approx(top_k(logits, labels, k))
    assert top_k_correct(logits, labels).tolist() == (logits.argmax(axis=1) == labels).tolist()


def test_top1_per_class_is_scikit_learns_recall_and_nan_without_videos():
    random = np.random.default_rng(4)
    labels = random.choice([0, 1, 3, 4], 300, p=[0.6, 0.2, 0.1, 0.1])  # none of 2 and 5
    logits = random.normal(size=(300, 6)) + np.eye(6)[labels]
    expected = 100 * recall_score(labels, logits.argmax(axis=1), labels=range(6), average=None, zero_division=np.nan)
    assert np.isnan(expected).tolist() == [False, False, True, False, False, True]
    np.testing.assert_allclose(per_class_top1(logits, labels), expected)


@pytest.mark.parametrize("floor", [1e-12, 1e-4, 0.05])
def test_kl_against_scipy_with_a_masked_teacher(floor):
    random = np.random.default_rng(5)
    student, teacher = random.normal(scale=3, size=(2, 200, 7)).astype(np.float32)
    teacher[:, [1, 4]] = -INF
    p, q = (special.softmax(logits.astype(float), axis=1) for logits in (student, teacher))
    expected = special.rel_entr(p, np.maximum(q, floor)).sum(axis=1)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(kl_divergence(student, teacher, "reverse", floor), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("masked", [[], [1, 4]])
def test_kl_by_eq_11s_convention_is_torchs(masked):
    """`kl_div(log S, T)`: finite without any floor where a teacher is masked, and then SciPy's with T first."""
    random = np.random.default_rng(5)
    student, teacher = random.normal(scale=3, size=(2, 200, 7)).astype(np.float32)
    teacher[:, masked] = -INF
    given = (torch.from_numpy(logits).double() for logits in (student, teacher))
    log_s, t = next(given).log_softmax(1), next(given).softmax(1)
    expected = torch.nn.functional.kl_div(log_s, t, reduction="none").sum(1).numpy()
    with np.errstate(all="raise", under="ignore"):
        found = kl_divergence(student, teacher)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    p, q = (special.softmax(logits.astype(float), axis=1) for logits in (student, teacher))
    np.testing.assert_allclose(found, special.rel_entr(q, p).sum(axis=1), rtol=1e-9, atol=1e-12)
    assert np.isinf(kl_divergence(student, teacher, "reverse")).all() == bool(masked), "what the floor is for"


def test_kl_forward_where_the_student_all_but_excludes_a_class():
    """Nothing is cut off: a probability of e^-500 costs 500 nats."""
    student, teacher = np.array([[0.0, -500.0]]), np.array([[-INF, 3.0]])
    np.testing.assert_allclose(kl_divergence(student, teacher), 500)


@pytest.mark.parametrize("kl", ["forward", "reverse"])
def test_kl_of_a_diverged_model_is_not_a_number(kl):
    student, teacher = np.array([[0.0, 1.0], [np.nan, 1.0]]), np.array([[0.0, -INF], [0.0, -INF]])
    assert np.isnan(kl_divergence(student, teacher, kl, 1e-12)).tolist() == [False, True]


@pytest.mark.parametrize("kl", ["forward", "reverse"])
def test_kl_of_the_same_model_is_zero_even_where_both_are_masked(kl):
    logits = np.random.default_rng(6).normal(size=(20, 5))
    logits[:, 2] = -INF
    for floor in (None, 1e-12):
        np.testing.assert_allclose(kl_divergence(logits, logits, kl, floor), 0, atol=1e-12)


def test_kl_does_not_depend_on_a_shift_of_the_logits_but_on_the_order_of_the_models():
    one, other = np.random.default_rng(7).normal(size=(2, 20, 5))
    np.testing.assert_allclose(kl_divergence(one + 100, other - 3000), kl_divergence(one, other))
    assert not np.allclose(kl_divergence(one, other), kl_divergence(other, one), rtol=0.01)
    np.testing.assert_allclose(kl_divergence(one, other), kl_divergence(other, one, "reverse"))


def test_predictions_come_back_as_written_and_are_picked_by_row(tmp_path):
    logits = np.arange(12, dtype=np.float32).reshape(4, 3)
    logits[1, 2] = -INF
    frame = {"video": list("abcd"), "label": [0, 2, 1, 1], "logits": list(logits), "logits_last": list(logits + 1)}
    pd.DataFrame(frame).to_parquet(tmp_path / "predictions.parquet")
    read = Predictions.read(tmp_path / "predictions.parquet").only(np.array([True, True, False, True]))
    assert read.videos == ["a", "b", "d"]
    assert read.labels.tolist() == [0, 2, 1]
    np.testing.assert_array_equal(read.logits, logits[[0, 1, 3]])
    np.testing.assert_array_equal(read.logits_last, logits[[0, 1, 3]] + 1)


def test_missing_predictions_are_named(tmp_path):
    with pytest.raises(DtkdError, match=r"nowhere\.parquet: there is no such file"):
        Predictions.read(tmp_path / "nowhere.parquet")
