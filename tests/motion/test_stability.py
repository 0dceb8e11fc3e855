"""Groups by motion: steady where classes differ by more than their videos do."""

import numpy as np
import pandas as pd
import pytest

from dtkd.motion import subsets
from dtkd.motion.stability import gap, of_classes, of_split

SETTINGS = {"source": "flow", "measure": "mean", "over": "all", "quantile": 0.25, "boundary": "inclusive"}


def flows(means, spread, videos=12, seed=0):
    random = np.random.default_rng(seed)
    return {
        f"c{number}": pd.DataFrame(
            {"video": [f"v{k}" for k in range(videos)], "mean": mean + spread * random.standard_normal(videos)}
        )
        for number, mean in enumerate(means)
    }


def test_classes_far_apart_keep_their_groups():
    table = of_classes(flows([0.5, 0.6, 2.0, 2.2, 2.5, 3.0, 3.1, 3.3], spread=0.2), SETTINGS)
    assert list(table[table["subset"] == "static"].index) == ["c0", "c1"]
    assert (table["kept"] == 1).all()
    apart, error = gap(table)
    assert apart == pytest.approx(1.4, abs=0.2)
    assert error < 0.15


def test_classes_that_differ_by_chance_do_not():
    """Of eight alike, two are static whatever is drawn; which ones, is luck."""
    table = of_classes(flows([1.0] * 8, spread=0.5), SETTINGS)
    assert table.loc[table["subset"] == "static", "kept"].mean() < 0.75
    assert gap(table)[0] < gap(table)[1]


def test_the_groups_are_those_of_the_split():
    own = flows([1.0, 1.1, 1.2, 1.3, 1.4], spread=0.3)
    found = subsets.split(subsets.class_means(own), 0.25, "inclusive")["classes"]
    assert of_classes(own, SETTINGS)["subset"].to_dict() == {name: entry["subset"] for name, entry in found.items()}


def test_a_threshold_by_value_and_some_videos():
    """A fixed threshold does not move with the draws; of one video there is nothing to draw."""
    own = flows([1.0, 1.0, 5.0], spread=0.4)
    by_value = {"source": "flow", "measure": "mean", "over": "all", "value": 1.5, "boundary": "strict"}
    table = of_classes(own, by_value)
    assert table["subset"].tolist() == ["static", "static", "dynamic"]
    assert (table["kept"] > 0.99).all()
    alone = of_classes({name: table[table["video"] == "v3"] for name, table in own.items()}, by_value)
    assert alone["mean"].tolist() == [own[name]["mean"][3] for name in own]
    assert (alone["kept"] == 1).all()


def test_how_often_is_right():
    """Two classes, one just below the other: kept as often as the mean of resampled differences has that sign."""
    own = flows([1.0, 1.05], spread=0.3, videos=20, seed=5)
    settings = SETTINGS | {"quantile": 0.5}
    table = of_classes(own, settings, draws=4000)
    low, high = (own[name]["mean"].to_numpy() for name in table.sort_values("mean").index)
    random = np.random.default_rng(9)
    draws = [random.choice(low, 20).mean() <= random.choice(high, 20).mean() for _ in range(4000)]
    assert table["kept"].iloc[0] == pytest.approx(np.mean(draws), abs=0.03)


def test_three_groups():
    """Each class keeps to its own; the gap is the lesser of the two."""
    table = of_classes(flows([1.0, 1.1, 3.0, 3.2, 8.0, 8.2], spread=0.1), SETTINGS | {"quantile": [0.3, 0.7]})
    assert table.attrs["groups"] == ["static", "medium", "dynamic"]
    assert table["subset"].tolist() == ["static", "static", "medium", "medium", "dynamic", "dynamic"]
    assert (table["kept"] == 1).all()
    assert gap(table)[0] == pytest.approx(3.0 - 1.1, abs=0.2)
    near = of_classes(flows([1.0, 1.1, 3.0, 3.05, 3.06, 8.2], spread=0.3), SETTINGS | {"quantile": [0.3, 0.5]})
    assert near.attrs["split"] < 0.9


@pytest.mark.parametrize(("rule", "moves"), [
    ({"threshold": "kmeans"}, True), ({"threshold": "otsu"}, False), ({"threshold": "gap"}, False),
])  # fmt: skip
def test_a_threshold_is_found_in_every_draw_anew(rule, moves):
    """Of four classes `otsu` and `gap` can but take the lower two; 2-means' cut moves, and one by value does not."""
    settings = {"source": "flow", "measure": "mean", "over": "all", "boundary": "inclusive"}
    apart = flows([1.0, 1.2, 1.1, 8.0, 8.2, 8.5], spread=0.2)
    assert (of_classes(apart, settings | rule)["kept"] == 1).all()
    pairs = {f"c{k}": pd.DataFrame({"video": ["a", "b"], "mean": [mean - 0.9, mean + 0.9]})
             for k, mean in enumerate([1.0, 1.0, 3.0, 3.0])}  # fmt: skip
    found, by_value = (of_classes(pairs, settings | own).attrs["split"] for own in (rule, {"value": 2.0}))
    assert by_value == 1  # the furthest draws are 1.9 and 2.1
    assert (found < 1) == moves


def test_how_often_the_whole_split_is_kept():
    """Two classes of two videos each, cut in the middle: the draws' means are 1, 2 or 3, and 1.5, 2.5 or 3.5."""
    own = {"a": pd.DataFrame({"video": ["1", "2"], "mean": [1.0, 3.0]}),
           "b": pd.DataFrame({"video": ["1", "2"], "mean": [1.5, 3.5]})}  # fmt: skip
    told = of_split(own, SETTINGS | {"quantile": 0.5}, draws=4000)
    assert told["draws"] == 4000
    # of a's 1, 2, 3 (1/4, 1/2, 1/4), b's is larger in all, in 3 of 4 and in 1 of 4 draws
    assert told["split"] == pytest.approx(1 / 4 + 1 / 2 * 3 / 4 + 1 / 4 * 1 / 4, abs=0.03)
    assert told["classes"] == {"a": {"subset": "static", "kept": told["split"]},
                               "b": {"subset": "dynamic", "kept": told["split"]}}  # fmt: skip
    assert of_split(own, SETTINGS | {"quantile": 0.5}, draws=4000) == told  # the same draws every time
