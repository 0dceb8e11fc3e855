"""Students over their hyperparameters."""

import pandas as pd
from figure_data import legend, table5, words

from dtkd.analysis.figures.sensitivity import sensitivity


def test_sensitivity_joins_students_that_differ_in_one_thing(tmp_path):
    axes = sensitivity(table5(tmp_path)).axes
    lines = [[line.get_xydata().tolist() for line in axis.lines[1:]] for axis in axes]
    assert lines == [
        [[[0.3, 91], [0.5, 92]]],
        [[[2, 91], [4, 94]]],
        [[[0.2, 91], [0.4, 93]]],
        [[[0, 93], [3, 95]]],  # T T and F F
    ]
    assert all(axis.lines[0].get_ydata()[0] == 90 for axis in axes)
    assert legend(axes[0]) == [r"$KD_T$ 2, $KD_\alpha$ 0.2", "baseline U1"]
    assert axes[3].lines[1].get_linestyle() == "None"


def test_sensitivity_joins_no_students_of_different_readings(tmp_path):
    """Of the readings of a study it shows the one that most students have."""
    table = table5(tmp_path)
    masked = table.assign(variant=table["method"].map({"dtkd": "masked teachers"}), top1=table["top1"] - 10)

    def line(*tables):
        axis = sensitivity(pd.concat(tables)).axes[0]
        assert legend(axis) == [r"$KD_T$ 2, $KD_\alpha$ 0.2", "baseline U1"]
        return [line.get_xydata().tolist() for line in axis.lines[1:]]

    assert line(table, masked) == [[[0.3, 91], [0.5, 92]]]
    assert line(table[table["model"] != "SU4"], masked) == [[[0.3, 81], [0.5, 82]]]


def test_sensitivity_has_error_bars_and_says_what_is_not_varied(tmp_path):
    table = table5(tmp_path, top1_std=0.5)
    figure = sensitivity(table[table["model"].isin(["U1", "SU1", "SU2"])])
    (bars,) = figure.axes[0].collections
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [[90.5, 91.5], [91.5, 92.5]]
    assert [words(axis).count("not varied") for axis in figure.axes] == [0, 1, 1, 1]
