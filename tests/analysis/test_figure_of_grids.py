"""Gains over the settings of a grid."""

import numpy as np
import pytest
from figure_data import check_readable, legend, table_of_grids, words
from matplotlib.patches import Rectangle

from dtkd.analysis.figures.grids import grids


def frames(axis):
    """The cells (column, row) that are framed."""
    boxes = [patch for patch in axis.patches if isinstance(patch, Rectangle)]
    return [(box.get_x() + 0.5, box.get_y() + 0.5) for box in boxes]


def ticks(axis):
    return [[label.get_text() for label in labels] for labels in (axis.get_xticklabels(), axis.get_yticklabels())]


def test_the_two_keys_with_most_values_are_the_axes_and_the_best_is_framed():
    axis, bar = grids(*table_of_grids()).axes
    assert ticks(axis) == [["0.1", "0.3", "0.5"], ["2", "4"]]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("S_alpha", "KD_T")
    (image,) = axis.images
    assert image.get_array().tolist() == [[-2, 0, 2], [-1, 1, 3]]
    cells = {text.get_position(): text.get_text() for text in axis.texts}
    assert cells == {(0, 0): "−2.00", (1, 0): "+0.00", (2, 0): "+2.00",
                     (0, 1): "−1.00", (1, 1): "+1.00", (2, 1): "+3.00"}  # fmt: skip
    assert frames(axis) == [(2, 1)]
    assert legend(axis) == ["best of 6: chosen on the test videos"]
    assert axis.get_title(loc="left") == "d, sweep"
    assert bar.get_xlabel() == "gain in top-1 over the baseline (points)"


def test_all_maps_share_one_scale_about_zero():
    table, shown = table_of_grids(["one", "two"])
    table.loc[table["dataset"] == "two", "gain"] *= 10
    *axes, _ = grids(table, shown).axes
    assert [axis.images[0].get_clim() for axis in axes] == [(-30, 30)] * 2
    assert [axis.get_title(loc="left") for axis in axes] == ["(a) one, sweep", "(b) two, sweep"]
    assert [frames(axis) for axis in axes] == [[(2, 1)]] * 2, "each has its own best"


def test_further_keys_have_a_map_for_each_of_their_values():
    table, shown = table_of_grids(LT=["true", "false"], S_alpha=["0.1", "0.3", "0.5"], KD_T=["2", "4"], FT=["true"])
    *axes, _ = grids(table, shown).axes
    assert [axis.get_title(loc="left") for axis in axes] == ["(a) d, sweep, KD_T 2", "(b) d, sweep, KD_T 4"]
    assert [axis.get_ylabel() for axis in axes] == ["LT", "LT"]
    assert [axis.images[0].get_array().tolist() for axis in axes] == [
        [[-2, 0, 2], [4, 6, 8]], [[-1, 1, 3], [5, 7, 9]],
    ]  # fmt: skip
    assert [frames(axis) for axis in axes] == [[], [(2, 1)]], "one of the whole grid"


def test_a_grid_of_one_key_is_one_row():
    axis, _ = grids(*table_of_grids(weighting=["gated", "blend", "partition"])).axes
    assert ticks(axis) == [["gated", "blend", "partition"], [""]]
    assert axis.images[0].get_array().tolist() == [[-2, -1, 0]]


def test_all_that_gain_most_are_framed():
    table, shown = table_of_grids()
    axis, _ = grids(table.assign(gain=table["gain"].clip(upper=1)), shown).axes
    assert sorted(frames(axis)) == [(1, 1), (2, 0), (2, 1)]


def test_students_that_all_gain_nothing_have_a_scale():
    table, shown = table_of_grids()
    axis, _ = grids(table.assign(gain=0.0), shown).axes
    assert axis.images[0].get_clim() == (-1, 1)
    assert frames(axis) == [], "none is the best"
    assert axis.get_legend() is None
    assert set(words(axis)) >= {"+0.00"}


@pytest.mark.parametrize("count", [6, 7, 12, 24])
def test_cells_of_any_number_are_readable(count, monkeypatch):
    values = [f"{value:g}" for value in np.arange(1, count + 1) / 4]
    table, shown = table_of_grids(S_alpha=["0.1", "0.3"], KD_T=values)
    figure = grids(table, shown)
    check_readable(figure, monkeypatch)
    assert figure.get_size_inches()[0] == (3.5 if count == 6 else 7)
