"""Figure 2: points, regression lines and names."""

from itertools import combinations

import numpy as np
import pytest
from figure_data import FOUR, boxes, many, split

from dtkd.analysis.figures import base
from dtkd.analysis.figures.figure2 import figure2


def test_figure2_has_every_class_and_the_regression_of_each_subset():
    axis = figure2(FOUR).axes[0]
    static, line, dynamic, _ = axis.lines
    assert static.get_xydata() == pytest.approx(np.array([[0.1, 0.15], [0.2, 0.2]]))
    assert dynamic.get_xydata() == pytest.approx(np.array([[0.5, 0.35], [0.9, 0.55]]))
    assert line.get_xydata() == pytest.approx(np.array([[0.1, 0.15], [0.2, 0.2]]))  # std is linear in the mean here
    assert {text.get_text() for text in axis.texts} == {"sit", "drink", "walk", "run"}


def test_the_regression_is_of_least_squares():
    means, stds = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.3, 0.2, 0.9, 0.6])
    axis = figure2({"d": split([0.1, *means], 0.1, [0.1, *stds])}).axes[0]
    slope = np.cov(means, stds)[0, 1] / np.var(means, ddof=1)
    expected = stds.mean() + slope * (means[[0, -1]] - means.mean())
    assert axis.lines[-1].get_ydata() == pytest.approx(expected)


@pytest.mark.parametrize("means", [[0.1, 0.5, 0.9], [0.1, 0.7, 0.7]])  # one static class; dynamic ones without spread
def test_no_regression_without_two_different_means(means):
    axis = figure2({"d": split(means, 0.1)}).axes[0]
    drawn = [line for line in axis.lines if line.get_linestyle() != "None"]
    assert len(drawn) == (1 if means[1] != means[2] else 0)


@pytest.mark.parametrize(("count", "least", "most"), [(6, 5, 6), (16, 8, 16), (51, 8, 12), (101, 8, 12)])
def test_class_names_cover_nothing(count, least, most):
    figure = figure2({"a": many(count), "b": many(count, seed=1)})
    for axis in figure.axes:
        placed = boxes(figure, axis.texts)
        assert least <= len(placed) <= most
        for one, other in combinations(placed.values(), 2):
            assert not one.overlaps(other)
        points = np.concatenate([axis.transData.transform(line.get_xydata()) for line in axis.lines])
        edge = axis.get_window_extent()
        for text, box in placed.items():
            assert not any(box.contains(*point) for point in points), text.get_text()
            assert edge.x0 <= box.x0 < box.x1 <= edge.x1
            assert edge.y0 <= box.y0 < box.y1 <= edge.y1


def test_names_have_their_subsets_colour():
    for text in figure2(FOUR).axes[0].texts:
        assert text.get_color() == base.COLOURS[FOUR["data"]["classes"][text.get_text()]["subset"]]
