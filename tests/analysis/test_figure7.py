"""Figure 7: accuracies, their means over classes, and gains."""

import numpy as np
import pytest
from figure_data import BASELINE, FOUR, PAIR, STUDENT, legend, predictions, words
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from dtkd.analysis.figures import base
from dtkd.analysis.figures.class_gain import class_gain
from dtkd.analysis.figures.figure7 import figure7
from dtkd.data import published
from dtkd.data.groups import SUBSETS


def test_figure7_has_means_over_classes_and_their_gains():
    axis = figure7(PAIR, FOUR).axes[0]
    heights = [bars[0].get_height() for bars in axis.containers]
    # top-1; all classes; sit and drink; walk and run
    assert heights == [62.5, 62.5, 75, 50, 75, 75, 75, 75]
    written = [text.get_text() for text in axis.texts]
    assert written[:8] == ["62.50", "62.50", "75.00", "50.00", "75.00", "75.00", "75.00", "75.00"]
    assert written[9::2] == ["+12.50", "+12.50", "+0.00", "+25.00"]
    assert written[8:15:2] == ["[−25, +50]", "[−12, +38]", "[−50, +50]", "[+0, +50]"]
    below = [label.get_text().splitlines()[-1] for label in axis.get_xticklabels()]
    assert below == ["n = 8", "n = 8", "n = 4", "n = 4"]
    assert legend(axis) == ["U1", "SU12", "chance 25 %"]
    assert 25 in [line.get_ydata()[0] for line in axis.lines]
    assert [to_hex(axis.containers[4 + n][0].get_facecolor()).upper() for n in (2, 3)] == [
        base.COLOURS[subset] for subset in SUBSETS
    ]


def test_figure7_has_the_papers_gains_beside_ours():
    """Those of its own pairs alone; it has none of top-1 there."""
    paper = {"data": published.gains("hmdb51", "H1", "SH3")}
    assert paper["data"] == {"per_class_mean": 2.30, "static_mean": 3.85, "dynamic_mean": 1.77}
    assert published.gains("hmdb51", "H1", "SH4") == published.gains("demo_hmdb", "H1", "SH3") == {}
    figure = figure7(PAIR, FOUR, paper)
    said = [text.get_text() for text in figure.axes[0].texts if "paper" in text.get_text()]
    assert said == ["paper +2.30", "paper +3.85", "paper +1.77"]
    assert "paper −0.18" in words(figure7(PAIR, FOUR, {"data": published.gains("ucf101", "U1", "SU12")}).axes[0])


def test_classes_weigh_the_same_however_many_videos_they_have():
    labels = [0, 0, 0, 0, 1, 2, 3]
    runs = {"data": {"U1": [predictions([0, 0, 0, 0, 0, 0, 0], labels)],
                     "SU1": [predictions([0, 0, 0, 1, 1, 2, 0], labels)]}}  # fmt: skip
    heights = [bars[0].get_height() for bars in figure7(runs, FOUR).axes[0].containers]
    assert heights == pytest.approx([400 / 7, 25, 50, 0, 500 / 7, 275 / 4, 175 / 2, 50])


def test_figure7_over_seeds_has_error_bars():
    runs = {"data": {"U1": [BASELINE, STUDENT, BASELINE], "SU12": [STUDENT] * 3}}
    axis = figure7(runs, FOUR).axes[0]
    spread = np.std([62.5, 75, 62.5], ddof=1)
    stems = [artist for artist in axis.collections if isinstance(artist, LineCollection)]
    ends = stems[0].get_segments()[0][:, 1]
    assert ends.tolist() == pytest.approx([200 / 3 - spread, 200 / 3 + spread])
    assert legend(axis) == ["U1", "SU12", "chance 25 %", "± std of 3 seeds"]
    assert words(axis).count("+8.33") == 2


def test_a_subset_without_test_videos_has_no_bar():
    alone = {"data": {name: [run.only(run.labels < 2) for run in runs] for name, runs in PAIR["data"].items()}}
    axis = figure7(alone, FOUR).axes[0]
    assert "nan" not in " ".join(words(axis))
    assert len(axis.texts) == 2 * 3 + 2 * 3
    figure = class_gain(alone, FOUR)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["sit", "drink"]
