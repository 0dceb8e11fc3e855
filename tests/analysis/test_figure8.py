"""Figure 8: divergences of single videos."""

import numpy as np
import pytest
from figure_data import legend, predictions
from matplotlib.colors import to_hex
from matplotlib.patches import StepPatch

from dtkd.analysis.figures import base
from dtkd.analysis.figures.figure8 import divergence, divergences, figure8
from dtkd.common.errors import DtkdError
from dtkd.data.groups import SUBSETS
from dtkd.training.metrics import Predictions, kl_divergence


def test_figure8_counts_every_video_and_tells_the_means():
    given = {"static": np.array([0.0, 1.0, 1.0, 20.0]), "dynamic": np.array([0.5, 12.0, 18.0, np.nan])}
    axis = figure8({"d": given}).axes[0]
    filled = [patch for patch in axis.patches if isinstance(patch, StepPatch) and patch.get_fill()]
    counts = {to_hex(patch.get_facecolor()).upper(): patch.get_data() for patch in filled}
    for subset, values in given.items():
        heights, edges, _ = counts[base.COLOURS[subset]]
        assert heights.tolist() == np.histogram(values[np.isfinite(values)], np.linspace(0, 20, 41))[0].tolist()
        assert edges[-1] == 20
    assert legend(axis) == ["KL(S ‖ St-T), mean 5.50", "KL(S ‖ Dy-T), mean 10.17"]


def test_figure8_averages_counts_over_seeds():
    one = {"static": np.array([[0.0, 1.0], [1.0, 1.0]]), "dynamic": np.array([[1.0, 1.0], [0.0, 0.0]])}
    axis = figure8({"d": one}).axes[0]
    assert [patch.get_data().values.sum() for patch in axis.patches] == [2] * 4
    with pytest.raises(DtkdError, match="figure 8: no divergence of d is finite"):
        figure8({"d": {subset: np.full(3, np.nan) for subset in SUBSETS}})


def test_divergences_match_videos_by_name():
    student = predictions([0, 1, 2, 3], [0, 1, 2, 3])
    teacher = predictions([1, 1, 0, 0], [0, 1, 2, 3], own=[0, 1])
    order = [2, 0, 3, 1]
    shuffled = Predictions([teacher.videos[n] for n in order], teacher.labels[order], teacher.logits[order],
                           teacher.logits_last[order])  # fmt: skip
    runs = {"d": {"student": [student] * 2, "static": [shuffled, teacher], "dynamic": [teacher] * 2}}
    for settings in ({"kl": "forward", "floor": None}, {"kl": "reverse", "floor": 1e-12}):
        found = divergences(runs, {"d": settings})["d"]
        expected = kl_divergence(student.logits, teacher.logits, **settings)
        assert found["static"] == pytest.approx(np.stack([expected] * 2))
    with pytest.raises(DtkdError, match="figure 8: v0 and 2 more"):
        divergence(student, teacher.only(np.arange(4) == 3))
