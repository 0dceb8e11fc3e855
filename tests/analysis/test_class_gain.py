"""The gain of each class."""

import numpy as np
from figure_data import FOUR, PAIR, check_readable, legend, many, predictions
from matplotlib.colors import to_rgb

from dtkd.analysis.figures import base
from dtkd.analysis.figures.class_gain import class_gain


def test_class_gain_is_sorted_and_coloured_by_subset():
    axis = class_gain(PAIR, FOUR).axes[0]
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == ["sit", "walk", "run", "drink"]
    assert [bars[0].get_width() for bars in axis.containers] == [50, 50, 0, -50]
    for label, bars in zip(axis.get_yticklabels(), axis.containers, strict=True):
        colour = base.COLOURS[FOUR["data"]["classes"][label.get_text()]["subset"]]
        assert label.get_color() == colour
        assert bars[0].get_facecolor()[:3] == to_rgb(colour)


def test_class_gain_has_intervals_and_says_of_how_many_videos():
    axis = class_gain(PAIR, FOUR).axes[0]
    spans = [segment[:, 0].tolist() for lines in axis.collections for segment in lines.get_segments()]
    assert spans == [[0, 100], [0, 100], [0, 0], [-100, 0]]  # of two videos one is won, or none, or one lost
    assert axis.get_xlabel() == "gain in top-1 (points)\n8 test videos, 2 a class\nchance 25 %"
    assert legend(axis)[-1] == "95 % interval"


def test_class_gain_names_all_of_a_hundred_classes(monkeypatch):
    count, random = 101, np.random.default_rng(0)
    labels = np.repeat(np.arange(count), 4)
    runs = {"data": {name: [predictions(np.where(random.random(len(labels)) < 0.9, labels, 0), labels, count)]
                     for name in ("U1", "SU12")}}  # fmt: skip
    given = {"data": many(count)}
    figure = class_gain(runs, given)
    names = [label.get_text() for axis in figure.axes for label in axis.get_yticklabels()]
    assert sorted(names) == sorted(given["data"]["classes"])
    gains = [bars[0].get_width() for axis in figure.axes for bars in axis.containers]
    assert gains == sorted(gains, reverse=True)
    assert figure.get_size_inches()[1] < 9.5
    check_readable(figure, monkeypatch)
