"""Which classes are taken for which."""

import numpy as np
from figure_data import BASELINE, FOUR, LABELS, PAIR, predictions, words

from dtkd.analysis.figures.confusion import confused_classes, confusion, confusion_shares


def test_confusion_shows_the_worst_pairs_as_shares_of_the_true_class():
    figure = confusion(PAIR, FOUR)
    baseline, student = figure.axes
    names = [label.get_text() for label in baseline.get_yticklabels()]
    assert names == ["sit", "drink", "walk", "run"]  # static ones first
    shown = {(names[int(t.get_position()[1])], int(t.get_position()[0])): t.get_text() for t in baseline.texts}
    assert shown == {("sit", 0): "50", ("sit", 1): "50", ("drink", 1): "100", ("walk", 3): "100", ("run", 3): "100"}
    assert np.asarray(student.images[0].get_array())[2].tolist() == [0, 0, 50, 50]
    assert "other" not in words(figure), "an empty column says nothing"
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["data: U1", "SU12"]


def test_what_is_not_shown_adds_up_to_other():
    student = predictions([0, 0, 1, 0, 2, 0, 3, 3], LABELS)
    figure = confusion({"data": {"U1": [BASELINE], "SU12": [student]}}, FOUR, pairs=1)
    baseline = np.asarray(figure.axes[0].images[0].get_array())  # walk and run, then the others
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["walk", "run", "other"]
    assert baseline.tolist() == [[0, 100, 0], [0, 100, 0]]
    assert np.asarray(figure.axes[1].images[0].get_array())[:, 2].tolist() == [50, 0]
    assert confused_classes(np.full((30, 30), 1.0), ["static"] * 30, pairs=8, most=5) == [
        0,
        1,
        2,
        3,
        4,
    ]


def test_confusion_of_perfect_and_of_diverged_models():
    perfect = predictions(LABELS, LABELS)
    figure = confusion({"data": {"U1": [perfect], "SU1": [perfect]}}, FOUR)
    assert words(figure).count("no video is taken for another class") == 2
    diverged = perfect._replace(logits=np.full((8, 4), np.nan))
    assert confusion_shares(diverged).sum() == 0
    with np.errstate(all="raise"):
        axis = confusion({"data": {"U1": [BASELINE], "SU1": [diverged]}}, FOUR).axes[1]
    assert np.asarray(axis.images[0].get_array())[:, -1].tolist() == [100] * 4
