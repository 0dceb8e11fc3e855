"""The figure of the split's stability."""

from figure_data import kept, legend, split
from matplotlib.colors import to_hex

from dtkd.analysis.figures import base
from dtkd.analysis.figures.split_stability import split_stability


def test_bars_of_stability_are_in_the_order_of_motion():
    given = split([0.9, 0.1, 0.5, 0.2], 0.2, names=["run", "sit", "walk", "drink"])
    given["criterion"] = {"threshold": "gap"}
    (axis,) = split_stability({"data": given}, {"data": kept(given, (1.0, 0.9, 0.8, 0.7))}).axes
    bars = {bar.get_x() + bar.get_width() / 2: (bar.get_height(), to_hex(bar.get_facecolor()))
            for patches in axis.containers for bar in patches}  # fmt: skip
    static, dynamic = (base.COLOURS[subset].lower() for subset in ("static", "dynamic"))
    assert [bars[n] for n in range(4)] == [(90, static), (70, static), (80, dynamic), (100, dynamic)]
    assert [text.get_text() for text in axis.get_xticklabels()] == ["sit", "drink", "walk", "run"]
    assert axis.lines[0].get_xdata()[0] == 1.5
    assert legend(axis) == ["static (2)", "dynamic (2)", "largest gap = 0.200"]
    assert "25 % of draws" in axis.get_xlabel()
