"""Figures from JSON: what they show, the same bytes for the same data, and one line where there is nothing to show."""

import matplotlib.pyplot as plt
import pytest

from dtkd import figures
from dtkd.errors import DtkdError


def split(means, threshold):
    classes = {f"c{n}": {"mean": mean, "subset": "static" if mean <= threshold else "dynamic"}
               for n, mean in enumerate(means)}  # fmt: skip
    return {"threshold": threshold, "criterion": {"quantile": 0.25}, "classes": classes}


SPLITS = {"one": split([0.1, 0.2, 0.5, 0.5, 0.9, 2.0], 0.3), "two": split([0.0, 0.4, 0.6, 0.8], 0.0)}


def test_every_class_is_counted_on_its_side_of_the_threshold():
    figure = figures.figure1(SPLITS)
    try:
        for axis, given in zip(figure.axes, SPLITS.values(), strict=True):
            heights = [sum(bar.get_height() for bar in bars) for bars in axis.containers]
            subsets = [entry["subset"] for entry in given["classes"].values()]
            assert heights == [subsets.count("static"), subsets.count("dynamic")]
            assert axis.lines[0].get_xdata()[0] == given["threshold"]
        static = figure.axes[0].containers[0]
        assert max(bar.get_x() + bar.get_width() for bar in static if bar.get_height()) <= 0.3 + 1e-9
    finally:
        plt.close(figure)


def test_same_data_same_bytes(tmp_path):
    for name in ("a", "b"):
        figures.save(figures.figure1(SPLITS), {kind: tmp_path / f"{name}.{kind}" for kind in ("png", "pdf")})
    for kind in ("png", "pdf"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_a_published_split_has_no_means_to_show():
    with pytest.raises(DtkdError, match="figure 1: the split of ucf101 is the published one"):
        figures.figure1({"ucf101": {"threshold": None, "criterion": {"source": "published"}, "classes": {}}})
