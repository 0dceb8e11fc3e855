"""Is a gain more than chance: against SciPy's tests, every sign written out, and resampling by hand."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dtkd.analysis.significance import (
    AGREEING,
    holm,
    interval,
    interval_of_classes,
    interval_of_clusters,
    sign_flip_p,
    sign_flip_p_of_clusters,
    smallest_gain,
    smallest_gain_seen,
)


def signs(better, worse, alike=0):
    """Differences of one seed: videos that only the student gets right, only the baseline, or both or neither."""
    return np.array([1] * better + [-1] * worse + [0] * alike)


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (1, 0), (0, 1), (5, 5), (9, 2), (2, 9), (40, 21), (300, 250)])
def test_one_seed_is_mcnemars_exact_test(better, worse):
    expected = stats.binomtest(better, better + worse).pvalue if better + worse else 1.0
    assert sign_flip_p(signs(better, worse, alike=30)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seeds", [1, 2, 3, 5])
def test_several_seeds_are_every_sign_written_out(seeds):
    random = np.random.default_rng(seeds)
    for _ in range(20):
        differences = random.integers(-seeds, seeds + 1, random.integers(1, 10))
        sums = [np.dot(flip, differences) for flip in itertools.product((-1, 1), repeat=len(differences))]
        expected = np.mean(np.abs(sums) >= abs(differences.sum()))
        assert sign_flip_p(differences) == pytest.approx(expected)


def test_several_seeds_are_scipys_permutation_test():
    random = np.random.default_rng(1)
    differences = random.choice([-3, -1, 0, 1, 2, 3], 200, p=[0.02, 0.05, 0.8, 0.06, 0.04, 0.03])
    options = {"permutation_type": "samples", "n_resamples": 19999, "rng": random}
    found = stats.permutation_test((differences / 3,), np.mean, **options)
    p = sign_flip_p(differences)
    assert 0.01 < p < 0.5  # not so small that the drawn p-value says nothing
    assert found.pvalue == pytest.approx(p, abs=5 * np.sqrt(p / 19999))


def test_p_does_not_know_which_model_is_which_and_ends_at_zero():
    differences = np.random.default_rng(0).integers(-3, 4, 50)
    assert sign_flip_p(differences) == sign_flip_p(-differences)
    assert 0 <= sign_flip_p(signs(3000, 0)) < 1e-300


def test_interval_is_the_percentiles_of_drawn_means():
    random = np.random.default_rng(2)
    differences = random.choice([-100.0, 0.0, 100.0], 96, p=[0.1, 0.7, 0.2])
    means = [random.choice(differences, len(differences)).mean() for _ in range(4000)]
    assert interval(differences) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.8)
    low, high = interval(differences, confidence=0.5)
    assert interval(differences)[0] < low < differences.mean() < high < interval(differences)[1]


def test_interval_is_the_same_every_time_and_narrows_with_videos():
    one = np.tile([1.0, 0.0, 0.0, -1.0, 1.0], 10)
    assert interval(one) == interval(one.copy())
    widths = [np.subtract(*interval(np.tile(one, times))[::-1]) for times in (1, 16)]
    assert widths[0] == pytest.approx(4 * widths[1], rel=0.1)


@pytest.mark.parametrize("differences", [[0.0] * 20, [100.0] * 20, [-50.0], [0.0]])
def test_interval_where_no_video_differs_from_another(differences):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert interval(np.array(differences)) == (differences[0], differences[0])


def test_interval_of_one_video_that_differs_is_finite_and_holds_the_gain():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        low, high = interval(np.array([100.0] + [0.0] * 71))
    assert low == 0
    assert 100 / 72 < high < 10


def test_holm_step_by_step():
    # sorted .005 .01 .03 .04: x4, x3, x2, x1, never falling
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, 0.9])) == pytest.approx([1, 1])
    assert holm(np.array([0.2])) == pytest.approx([0.2])


def test_holm_does_not_count_what_was_not_tested():
    p = np.array([np.nan, 0.01, np.nan, 0.04])
    np.testing.assert_allclose(holm(p), [np.nan, 0.02, np.nan, 0.04])
    assert np.isnan(holm(np.array([np.nan]))).all()


def test_holm_keeps_false_findings_of_thirteen_tests_rare():
    random = np.random.default_rng(0)
    found = [(holm(random.uniform(size=13)) < 0.05).any() for _ in range(2000)]
    assert np.mean(found) < 0.07  # without adjustment 0.49


def test_the_interval_of_classes_draws_videos_within_their_class():
    """A class of four videos and one of 96 weigh the same; one without a difference adds no width."""
    random = np.random.default_rng(0)
    large, small = random.integers(-1, 2, 96), np.array([1, 0, 0, -1])
    differences, labels = np.concatenate([large, small, [1, 1]]), np.repeat([4, 0, 9], [96, 4, 2])
    draws = sum(random.choice(each, (4000, len(each))).mean(axis=1) for each in (large, small, np.array([1, 1]))) / 3
    assert interval_of_classes(differences, labels) == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.02)
    assert interval_of_classes(np.ones(3), np.zeros(3)) == (1, 1)


def share_seen(draws):
    """Of draws (won, lost, ...), how many tell the better model; each pair of counts is tested once."""
    pairs, counts = np.unique(draws[:, :2], axis=0, return_counts=True)
    return np.average([sign_flip_p(signs(won, lost)) < 0.05 for won, lost in pairs], weights=counts)


@pytest.mark.parametrize(("videos", "accuracy"), [(50, 0.5), (96, 0.74), (400, 0.9)])
def test_the_smallest_gain_is_seen_four_times_in_five(videos, accuracy):
    """Two models whose correctness correlates as assumed, drawn many times; half the gain is seen half so often."""
    gain, random = smallest_gain(videos, accuracy), np.random.default_rng(0)

    def seen(gain):
        lost = max(0.0, min(accuracy * (1 - accuracy) * (1 - AGREEING), 1 - accuracy - gain))
        draws = random.multinomial(videos, [lost + gain, lost, 1 - 2 * lost - gain], size=2000)
        return share_seen(draws)

    assert seen(gain) == pytest.approx(0.8, abs=0.04)
    assert seen(gain / 2) < 0.45


def test_the_smallest_gain_falls_with_the_videos_and_may_be_none():
    gains = [smallest_gain(videos, 0.6) for videos in (40, 100, 300, 1000, 4000)]
    assert gains == sorted(gains, reverse=True)
    assert 0.01 < gains[-1] < 0.03 < 0.2 < gains[0]
    assert np.isnan(smallest_gain(8, 0.9)), "even all right would not be told from noise"
    assert smallest_gain(300, 0.6, alpha=0.05 / 13) > 1.2 * smallest_gain(300, 0.6)


@pytest.mark.parametrize(("videos", "differing"), [(96, 0.12), (96, 0.5), (400, 0.0)])
def test_the_smallest_gain_of_models_that_are_there_is_seen_four_times_in_five(videos, differing):
    """By draws: a gain beyond the share that differs makes that larger, so that the worse model wins nowhere."""
    gain, random = smallest_gain_seen(videos, differing), np.random.default_rng(0)
    differ = max(gain, differing)
    draws = random.multinomial(videos, [(differ + gain) / 2, (differ - gain) / 2, 1 - differ], size=4000)
    assert share_seen(draws) == pytest.approx(0.8, abs=0.03)


def test_models_that_differ_less_show_smaller_gains():
    assert smallest_gain_seen(400, 0.1) < smallest_gain_seen(400, 0.3)
    assert np.isnan(smallest_gain_seen(5, 0.5)), "five of five have a p of 0.06"


def test_whole_groups_are_drawn_and_flipped():
    """Two groups: all draws are of these, so the interval's ends are their own means; their signs make four sums."""
    won, groups = np.array([1, 1, 1, -1]), np.array(["a", "a", "a", "b"])
    shares, weights = won / 4, np.full(4, 0.25)
    assert interval_of_clusters(shares, weights, groups) == pytest.approx((-1, 1))
    assert sign_flip_p_of_clusters(won, groups) == 1  # sums 3 and 1: of ±3±1 all are at least |2|
    assert sign_flip_p_of_clusters(np.ones(12, int), np.repeat(range(6), 2)) == pytest.approx(2 / 2**6)


def test_groups_that_agree_within_make_intervals_wider():
    random = np.random.default_rng(4)
    groups = np.repeat(np.arange(40), 5)
    won = np.repeat(random.choice([-1, 0, 1], 40, p=[0.1, 0.6, 0.3]), 5)
    alone, together = interval(won / 1.0), interval_of_clusters(won / 200, np.full(200, 1 / 200), groups)
    assert together[1] - together[0] > 1.8 * (alone[1] - alone[0]), "as 40 videos, not 200"
    assert sign_flip_p_of_clusters(won, groups) > sign_flip_p(won)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=40))
def test_groups_of_one_video_change_nothing(won):
    won = np.array(won)
    alone = np.arange(len(won))
    weights = np.full(len(won), 1 / len(won))
    assert interval_of_clusters(won * weights, weights, alone) == pytest.approx(interval(won.astype(float)))
    assert sign_flip_p_of_clusters(won, alone) == sign_flip_p(won)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_lowers_nothing(p):
    p = np.array(p)
    adjusted, order = holm(p), np.argsort(p, kind="stable")
    assert (adjusted >= p).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[order]) >= 0).all()
    assert adjusted[order[0]] == min(1, len(p) * p[order[0]])
