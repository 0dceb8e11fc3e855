"""Figures 5 and 6: curves over the epochs."""

import numpy as np
import pytest
from figure_data import history, legend
from matplotlib.collections import LineCollection, PolyCollection

from dtkd.analysis.figures import base
from dtkd.analysis.figures.figure5 import figure5
from dtkd.analysis.figures.figure6 import figure6


def test_curves_are_means_over_seeds_within_their_range():
    runs = [history(seed=n) for n in range(3)]
    loss, top1 = figure5({"d": {"U1 (list 1)": runs}}).axes
    for axis, column in ((loss, "train_loss"), (top1, "top1")):
        values = np.array([run[column] for run in runs])
        assert axis.lines[0].get_ydata() == pytest.approx(values.mean(axis=0))
        assert axis.lines[0].get_xdata().tolist() == [1, 2, 3]
        (band,) = [artist for artist in axis.collections if isinstance(artist, PolyCollection)]
        corners = band.get_paths()[0].vertices
        for epoch in (1, 2, 3):
            heights = corners[corners[:, 0] == epoch, 1]
            assert (heights.min(), heights.max()) == (values[:, epoch - 1].min(), values[:, epoch - 1].max())
    assert legend(loss) == ["U1 (list 1)", "range of 3 seeds"]


def test_one_seed_has_no_band():
    figure = figure5({"d": {"U1": [history()], "U2": [history(seed=1)]}})
    assert not any(axis.collections for axis in figure.axes)
    assert legend(figure.axes[0]) == ["U1", "U2"]
    strokes = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
    assert len({colour for colour, _ in strokes}) == len({style for _, style in strokes}) == 2


def test_a_single_epoch_is_a_mark_and_its_range():
    figure = figure5({"d": {"U1": [history(1), history(1, seed=1)]}})
    axis = figure.axes[1]
    assert axis.lines[0].get_marker() not in ("", "None", None)
    assert axis.get_xlim() == (0.5, 1.5)
    (extent,) = [artist for artist in axis.collections if isinstance(artist, LineCollection)]
    ends = sorted(history(1, seed=n)["top1"][0] for n in range(2))
    assert extent.get_segments()[0][:, 1].tolist() == ends


@pytest.mark.parametrize("names", [["SU12 (DTKD)", "SU13 (BSKD)", "U1 (baseline)"], ["SU12 (DTKD)", "U1 (baseline)"]])
def test_figure6_has_the_baselines_accuracy_alone(names):
    runs = {name: [history(seed=n)] for n, name in enumerate(names)}
    loss, top1 = figure6({"d": runs}).axes
    assert [line.get_label() for line in loss.lines] == names[:-1]
    assert [line.get_label() for line in top1.lines] == names
    assert top1.lines[-1].get_color() == base.COLOURS["baseline"]
    assert legend(loss) == names


@pytest.mark.parametrize("figure", [figure5, figure6])
def test_runs_that_see_the_test_videos_in_the_end_alone_show_their_validation(figure):
    runs = [history(val_top1=[50.0, 60.0, 70.0], top1=[np.nan, np.nan, 65.0]) for _ in range(2)]
    _, axis = figure({"d": {"A": [runs[0]], "U1": [runs[1]]}}).axes
    assert axis.get_ylabel() == "validation top-1 (%)"
    assert [line.get_ydata().tolist() for line in axis.lines] == [[50, 60, 70]] * 2
    _, usual = figure({"d": {"A": [history()], "U1": [history()]}}).axes
    assert usual.get_ylabel() == "test top-1 (%)"


def test_figure6_shows_eq13_alone():
    """Teachers that go on learning have a loss of their own, which is in a training's whole."""
    names = ["SU1 (DTKD)", "SU2 (DTKD)", "SU13 (BSKD)", "U1 (baseline)"]
    recorded = history(L_total=[3.0, 2.0, 1.0], L_teachers=[2.0, 2.0, 2.0], train_loss=[5.0, 4.0, 3.0])
    runs = [recorded, recorded.drop(columns="L_total"), history(train_loss=[2.0, 1.0, 0.5]), history()]
    figure = figure6({"d": {name: [run] for name, run in zip(names, runs, strict=True)}})
    loss = figure.axes[0]
    assert [line.get_ydata().tolist() for line in loss.lines] == [[3, 2, 1], [3, 2, 1], [2, 1, 0.5]]
    assert loss.get_ylabel() == "loss (Eq. 13)"
    assert figure5({"d": {"U1": [history()]}}).axes[0].get_ylabel() == "training loss"
