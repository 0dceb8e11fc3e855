"""Thresholds of class means, against values by hand and against every way to part them."""

import numpy as np
import pytest

from dtkd.motion.thresholds import THRESHOLDS, limits


@pytest.mark.parametrize(("rule", "means", "wanted"), [
    ({"quantile": 0.25}, [5, 1, 3, 2, 4], 2.0),
    ({"threshold": "quantile", "quantile": 0.5}, [5, 1, 3, 2], 2.5),
    ({"value": 1.5}, [1, 2], 1.5),
    ({"quantile": 0.25, "value": 1.5}, [1, 2], 1.5),  # a value that is given is taken
    # between 2 and 10: 2·3·(1.5 − 11)² = 541.5; the cuts beside it: 1·4·(1 − 8.75)² = 240, 3·2·(4.33 − 11.5)² = 308
    ({"threshold": "otsu"}, [11, 1, 12, 2, 10], 6.0),
    ({"threshold": "otsu"}, [100, 1, 2, 12, 3], 7.5),  # 100 is farthest from the rest, and would be alone
    ({"threshold": "kmeans"}, [11, 1, 12, 2, 10], 6.25),  # the centres are 1.5 and 11
    ({"threshold": "gap"}, [4, 0, 1, 5], 2.5),
    ({"threshold": "gap"}, [0, 100, 101, 103, 200], 102.0),  # larger ones leave one class alone
])  # fmt: skip
def test_by_hand(rule, means, wanted):
    assert limits(np.array(means, np.float64), rule) == [wanted]


@pytest.mark.parametrize("seed", range(20))
def test_two_groups_are_the_best_of_all(seed):
    """Otsu's and 2-means: the groups with the least squares to their means; Otsu's are of two classes or more."""
    means = np.random.default_rng(seed).gamma(2, 0.6, 12)

    def squares(static):
        return sum(((own - own.mean()) ** 2).sum() for own in (means[static], means[~static]))

    every = [np.array([bool(bits >> k & 1) for k in range(12)]) for bits in range(1, 2**11)]
    for name, least in (("otsu", 2), ("kmeans", 1)):
        best = min(squares(static) for static in every if least <= static.sum() <= 12 - least)
        assert squares(means <= limits(means, {"threshold": name})[0]) == pytest.approx(best)


@pytest.mark.parametrize("name", ["otsu", "gap", "kmeans"])
def test_found_thresholds_scale_with_the_unit(name):
    means = np.random.default_rng(3).gamma(2, 0.6, 30)
    assert THRESHOLDS[name].find(25 * means) == pytest.approx(25 * THRESHOLDS[name].find(means))
