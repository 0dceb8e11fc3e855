"""Ranks over blocks, by hand, and Demšar's own numbers."""

import numpy as np
import pytest

from dtkd.analysis.ranks import cliques, critical_difference, friedman_p, mean_ranks


def test_ranks_by_hand_ties_share_theirs():
    scores = np.array([[90, 80, 70], [90, 90, 70], [60, 80, 70]])
    assert mean_ranks(scores).tolist() == pytest.approx([(1 + 1.5 + 3) / 3, (2 + 1.5 + 1) / 3, (3 + 3 + 2) / 3])


@pytest.mark.parametrize(("methods", "q"), [(2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)])
def test_critical_difference_has_the_printed_critical_values(methods, q):
    """Demšar (2006), Table 5 (a)."""
    assert critical_difference(methods, 14) == pytest.approx(q * np.sqrt(methods * (methods + 1) / (6 * 14)), rel=5e-4)


def test_friedman_knows_chance_from_order():
    assert friedman_p(np.ones((6, 3))) == 1
    assert friedman_p(np.arange(3) + 10 * np.arange(8)[:, None]) < 0.001


def test_cliques_are_the_largest_sets_within_the_difference():
    assert cliques(np.array([3.0, 1.0, 1.5, 4.7]), 1.6) == [(1.0, 1.5), (1.5, 3.0)]
    assert cliques(np.array([1.0, 2.0, 3.0]), 5) == [(1.0, 3.0)], "one bar, not one in another"
    assert cliques(np.array([1.0, 3.0]), 1) == []
