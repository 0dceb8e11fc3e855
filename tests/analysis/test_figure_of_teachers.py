"""The teachers beside the baseline, drawn."""

import pandas as pd
from figure_data import legend, table_of_teachers, words

from dtkd.analysis.figures.teachers import teachers


def test_teachers_stand_beside_the_baseline_of_their_own_videos():
    (axis,) = teachers(table_of_teachers()).axes
    heights = [bar.get_height() for bars in axis.containers for bar in bars]
    assert heights == [50, 60, 50] * 2
    places = [bar.get_x() for bars in axis.containers for bar in bars]
    assert places == sorted(places)
    assert [label.get_text() for label in axis.get_xticklabels()] == [
        "static classes\n12 test videos", "dynamic classes\n30 test videos"
    ]  # fmt: skip
    assert legend(axis) == ["baseline", "teacher (LT)", "teacher (no LT)"]
    whiskers = [segment[:, 1].tolist() for lines in axis.collections for segment in lines.get_segments()]
    assert whiskers == [[55, 65], [45, 55]] * 2
    assert words(axis).count("+10.00") == words(axis).count("+0.00") == 2


def test_each_list_has_a_panel_of_teachers():
    table = pd.concat([table_of_teachers(), table_of_teachers(number=2, kinds=[True]), table_of_teachers("other")])
    figure = teachers(table)
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["(a) d, list 1", "(b) other", "(a) d, list 2"]
    assert legend(figure.axes[2]) == ["baseline", "teacher (LT)"]
