"""What students gain."""

import pandas as pd
import pytest
from figure_data import BASELINE, STUDENT, legend, table_of_gains, words
from matplotlib.colors import to_hex

from dtkd.analysis.figures.gains import gains


def test_gains_have_a_row_for_each_student_in_the_tables_order():
    figure = gains(table_of_gains(), {"d": {"U1": [BASELINE]}})
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["S0", "S1", "S2"]
    assert axis.yaxis_inverted()
    spans = [segment for lines in axis.collections for segment in lines.get_segments()]
    assert [segment.tolist() for segment in spans] == [[[n - 2, n], [n + 3, n]] for n in range(3)]
    points = [line for line in axis.lines if line.get_marker() == "o"]
    assert [point.get_xydata()[0].tolist() for point in points] == [[n, n] for n in range(3)]
    told = [to_hex(point.get_markerfacecolor()) != "#ffffff" for point in points]
    assert told == [True, True, False]  # p (Holm) 0, 0.04 and 0.08
    assert [0, 0] in [list(line.get_xdata()) for line in axis.lines]
    assert legend(axis) == ["U1: 50.00 % of 8 test videos, chance 25 %", "p (Holm) < 0.05", "may be chance"]
    assert {"+0.00", "+1.00", "+2.00"} <= set(words(axis))
    assert axis.get_xlabel() == "gain in top-1 (points)"


def test_gains_over_several_baselines_and_seeds():
    table = pd.concat([table_of_gains(seeds=3), table_of_gains(baseline="U2", count=1, seeds=3)])
    (axis,) = gains(table, {"d": {"U1": [BASELINE], "U2": [STUDENT]}}).axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels == ["over U1:", "S0", "S1", "S2", "over U2:", "S0"]
    assert legend(axis)[:2] == [f"{name}: 50.00 % of 8 test videos, chance 25 %" for name in ("U1", "U2")]
    assert axis.get_xlabel() == "gain in top-1 (points, mean of 3 seeds)"
    assert len(axis.collections) == 4


@pytest.mark.parametrize(("gain", "text"), [(-0.004, "+0.00"), (0.0, "+0.00"), (-0.006, "−0.01"), (-10.0, "−10.00")])
def test_no_gain_is_no_minus_zero(gain, text):
    (axis,) = gains(table_of_gains(count=1).assign(gain=gain), {"d": {"U1": [BASELINE]}}).axes
    assert text in words(axis)
