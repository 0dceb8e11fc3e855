"""The windows on whole frames: which classes are shown, and that their figure is drawn."""

import numpy as np

from dtkd.checks.window_figure import _lines, draw, shown
from dtkd.checks.windows import View
from dtkd.training.sampling import Window


def view(number, share):
    random = np.random.default_rng(number)
    frame, motion = random.integers(0, 255, (90, 160, 3)).astype(np.uint8), random.random((30, 53), np.float32)
    drawn = tuple(Window(0, left, 90, 90, mirrored) for left, mirrored in ((0, True), (30, False), (70, True)))
    return View(number, frame, motion, share, share / 2, (Window(0, 35, 90, 90),), drawn)


def test_classes_from_the_least_to_the_most_that_is_seen():
    """Of each the video nearest to its mean; of many classes some, both ends among them."""
    classes = [f"c{number % 10}" for number in range(30)]
    views = [view(number, 0.05 * (number % 10) + 0.1 * (number // 10)) for number in range(30)]
    entries = shown(views, classes, most=4)
    assert [name for name, _ in entries] == ["c0", "c3", "c6", "c9"]
    assert [entry.number for _, entry in entries] == [10, 13, 16, 19]
    still = [view(0, float("nan")), view(1, 0.5)]
    assert [name for name, _ in shown(still, classes)] == ["c1"]


def test_the_figure():
    """A row a class: the frame with a window of the test and three of training, then what is seen through each."""
    figure = draw([("a_$name", view(0, 0.2)), ("b", view(1, 0.9))], crop=48)
    axes = figure.axes
    assert len(axes) == 2 * 5
    assert len(axes[0].patches) == 4
    assert [axis.images[0].get_array().shape for axis in axes[1:5]] == [(48, 48, 3)] * 4
    assert [bool(axis.texts) for axis in axes[2:5]] == [True, False, True], "mirrored ones say so"
    assert axes[1].get_xlabel() == "20 % of the motion"
    assert axes[0].get_ylabel() == "a_$name"


def test_names_are_broken_where_their_words_end():
    assert _lines("left_righty_backhand_shot") == "left_righty_\nbackhand_shot"
    assert _lines("x" * 40) == "\n".join(["x" * 15, "x" * 15, "x" * 10])
    assert _lines("word " * 40).endswith("…")
    assert _lines("Archery") == "Archery"
