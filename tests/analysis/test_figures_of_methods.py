"""The figures that hold methods against each other: reliability, seeds, ranks."""

import numpy as np
import pytest
from figure_data import BASELINE, STUDENT, check_readable, legend, predictions, words
from matplotlib.colors import to_hex

from dtkd.analysis import ranks
from dtkd.analysis.calibration import binned, ece
from dtkd.analysis.figures.critical_difference import critical_difference
from dtkd.analysis.figures.reliability import FEW, reliability
from dtkd.analysis.figures.seeds import seeds

LONG = [f"a method with a name that is really rather long, number {n}" for n in range(20)]


def bars(axis):
    return {round(bar.get_x() + bar.get_width() / 2, 3): bar for bar in axis.containers[0]}


def test_a_panel_is_the_binned_videos_of_all_seeds():
    figure = reliability({"d": {"U1": [BASELINE], "S (DTKD)": [STUDENT, BASELINE]}})
    _, above, _, below = figure.axes
    error = np.mean([ece(run.logits, run.labels) for run in (STUDENT, BASELINE)])
    assert above.get_title(loc="left") == f"S (DTKD)\nECE {error:.1f} %"
    both = binned(np.concatenate([STUDENT.logits, BASELINE.logits]), np.concatenate([STUDENT.labels, BASELINE.labels]))
    place = int(np.argmax(both.counts))
    bar = bars(above)[round((place + 0.5) / 15, 3)]
    assert bar.get_height() == both.accuracy[place] == 11 / 16
    assert both.counts[place] == 16 >= FEW
    assert to_hex(bar.get_facecolor()) == "#009e73"
    assert bars(below)[round((place + 0.5) / 15, 3)].get_height() == 16


def test_bars_of_few_videos_are_hollow():
    (above, _) = reliability({"d": {"U1": [BASELINE]}}).axes
    filled = [to_hex(bar.get_facecolor()) for bar in above.containers[0] if bar.get_height() > 0]
    assert filled == ["#ffffff"], "eight videos, all of one confidence"


def test_seeds_have_a_point_each_and_the_mean_of_the_lists():
    (axis,) = seeds({"d": {"S1": {"1": [1.0, 3.0], "2": [-2.0, -2.0]}, "S2": {"1": [0.5, 0.5]}}}).axes
    points = [line for line in axis.lines if line.get_linestyle() == "None"]
    assert [sorted(line.get_xdata()) for line in points] == [[1, 3], [-2, -2], [0.5, 0.5]]
    assert points[0].get_ydata()[0] < 0 < points[1].get_ydata()[0], "lists are drawn beside one another"
    means = [segment[0][0] for lines in axis.collections for segment in lines.get_segments()]
    assert means == [0, 0.5]
    assert {"+0.00", "+0.50"} <= set(words(axis))
    assert legend(axis) == ["list 1, 2 seeds", "list 2, 2 seeds", "mean"]


def test_ranks_join_what_is_not_told_apart():
    scores = np.tile([[3.0, 2.0, 1.0]], (30, 1))
    (axis,) = critical_difference(["KD", "DTKD", "baseline"], scores, ["d"]).axes
    thick = [lines for lines in axis.collections if lines.get_linewidths()[0] > 2]
    assert not thick, "thirty blocks of one order"
    assert {"KD  1.00", "DTKD  2.00", "3.00  baseline"} <= set(words(axis))
    assert "p < 0.001" in axis.get_xlabel()
    assert f"critical difference {ranks.critical_difference(3, 30):.2f}" in words(axis)
    (axis,) = critical_difference(["KD", "DTKD", "baseline"], scores[:5], ["d"]).axes
    joined = [lines.get_segments()[0][:, 0] for lines in axis.collections if lines.get_linewidths()[0] > 2]
    assert [(round(first, 1), round(last, 1)) for first, last in joined] == [(1, 2), (2, 3)]


@pytest.mark.parametrize("count", [3, 20])
def test_many_methods_of_long_names_are_readable(count, monkeypatch):
    random, labels = np.random.default_rng(0), np.arange(40) % 4
    given = {name: [predictions(random.permutation(labels), labels)] for name in LONG[:count]}
    gains = {name: {str(n): random.normal(size=3).tolist() for n in (1, 2, 3)} for name in LONG[:count]}
    for figure in (
        reliability({"one": given, "two": given}),
        seeds({"one": gains, "two": gains}),
        critical_difference(LONG[:count], random.random((9, count)), ["one", "two"]),
    ):
        check_readable(figure, monkeypatch)
