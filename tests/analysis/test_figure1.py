"""Figure 1: every class on its side of the threshold."""

import numpy as np
import pytest
from figure_data import SPLITS, grouped, legend, many, split
from test_figures import THREE

from dtkd.analysis.figures.figure1 import figure1, histogram_edges
from dtkd.analysis.figures.figure2 import figure2
from dtkd.common.errors import DtkdError
from dtkd.data.groups import SUBSETS


def test_every_class_is_counted_on_its_side_of_the_threshold():
    figure = figure1(SPLITS)
    for axis, given in zip(figure.axes, SPLITS.values(), strict=True):
        heights = [sum(bar.get_height() for bar in bars) for bars in axis.containers]
        subsets = [entry["subset"] for entry in given["classes"].values()]
        assert heights == [subsets.count("static"), subsets.count("dynamic")]
        assert axis.lines[0].get_xdata()[0] == given["threshold"]
        assert legend(axis)[:2] == [f"{name} ({subsets.count(name)})" for name in SUBSETS]
    static, dynamic = figure.axes[0].containers
    assert max(bar.get_x() + bar.get_width() for bar in static if bar.get_height()) <= 0.3 + 1e-9
    assert min(bar.get_x() for bar in dynamic if bar.get_height()) >= 0.3 - 1e-9


@pytest.mark.parametrize("boundary", ["inclusive", "strict"])
def test_a_class_on_the_threshold_is_drawn_on_the_side_where_it_belongs(boundary):
    given = split([0.1, 0.4, 0.7, 1.0], 0.4, criterion={"quantile": 0.25, "boundary": boundary})
    given["classes"]["c001"]["subset"] = "static" if boundary == "inclusive" else "dynamic"
    axis = figure1({"d": given}).axes[0]
    static, dynamic = axis.containers
    assert max(bar.get_x() + bar.get_width() for bar in static if bar.get_height()) <= 0.4 + 1e-9
    assert min(bar.get_x() for bar in dynamic if bar.get_height()) >= 0.4 - 1e-9


def test_the_published_split_is_shown_with_the_quartile_of_the_means():
    means = [0.1, 0.3, 0.2, 0.9, 1.4]
    axis = figure1({"ucf101": split(means, None, criterion={"source": "published"})}).axes[0]
    assert axis.lines[0].get_xdata()[0] == pytest.approx(0.2)  # the second of five
    assert legend(axis)[-1] == "Q1 of the means = 0.200"


@pytest.mark.parametrize(("threshold", "highest"), [(0.5, 4.0), (0.0, 3.0), (1e-4, 1.0), (1.0, 1.0)])
def test_histogram_edges_hold_every_mean_and_the_threshold(threshold, highest):
    edges = histogram_edges(threshold, highest)
    assert edges[0] == 0
    assert edges[-1] > highest * (1 - 1e-12)
    assert threshold in edges
    assert (np.diff(edges) > 0).all()
    assert 15 <= len(edges) <= 40
    assert np.allclose(np.diff(edges)[1:], np.diff(edges)[1])


def test_a_histogram_of_still_videos():
    axis = figure1({"d": split([0.0, 0.0, 0.0], 0.0)}).axes[0]
    assert [sum(bar.get_height() for bar in bars) for bars in axis.containers] == [3, 0]


@pytest.mark.parametrize(("number", "draw"), [(1, figure1), (2, figure2)])
def test_a_split_without_means_is_one_line(number, draw):
    given = {"ucf101": {"threshold": None, "criterion": {"source": "published"},
                        "classes": {"a": {"mean": None, "std": None, "subset": "static"}}}}  # fmt: skip
    with pytest.raises(DtkdError, match=f"figure {number}: the split of ucf101 does not come from its flow"):
        draw(given)


@pytest.mark.parametrize("boundary", ["inclusive", "strict"])
def test_every_class_of_three_groups_is_on_its_side_of_both_thresholds(boundary):
    given = grouped(many(41), THREE)  # classes are on the thresholds themselves
    given["criterion"]["boundary"] = boundary
    for entry in given["classes"].values():
        above = [entry["mean"] > limit or (boundary == "strict" and entry["mean"] == limit)
                 for limit in given["threshold"]]  # fmt: skip
        entry["subset"] = THREE[sum(above)]
    axis = figure1({"d": given}).axes[0]
    limits = [0, *given["threshold"], np.inf]
    assert [line.get_xdata()[0] for line in axis.lines] == limits[1:3]
    for bars, low, high, group in zip(axis.containers, limits, limits[1:], THREE, strict=False):
        filled = [bar for bar in bars if bar.get_height()]
        assert sum(bar.get_height() for bar in filled) == sum(e["subset"] == group for e in given["classes"].values())
        assert min(bar.get_x() for bar in filled) >= low - 1e-9
        assert max(bar.get_x() + bar.get_width() for bar in filled) <= high + 1e-9
