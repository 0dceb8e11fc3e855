"""The teachers' weights over the epochs."""

import numpy as np
import pytest
from figure_data import history, legend

from dtkd.analysis.figures import base
from dtkd.analysis.figures.teacher_weights import teacher_weights
from dtkd.data.groups import SUBSETS


def test_teachers_weights_with_an_epoch_without_a_value():
    gap = history(w_st=[0.6, np.nan, 0.8])
    runs = {"SU12": [gap], "SU1": [history(seed=1)], "SU2": [history(seed=2)]}
    static, dynamic = teacher_weights({"d": runs}, {"d": "SU12"}).axes
    chosen = static.lines[0]
    assert chosen.get_ydata() == pytest.approx(gap["w_st"].to_numpy(), nan_ok=True)
    assert dynamic.lines[0].get_ydata() == pytest.approx(gap["w_dy"].to_numpy())
    assert [line.get_color() for line in (chosen, dynamic.lines[0])] == [base.COLOURS[s] for s in SUBSETS]
    assert all(line.get_linewidth() < chosen.get_linewidth() for line in static.lines[1:])
    assert legend(static) == ["SU12: St-T", "SU12: Dy-T", "other students (2)"]
    assert static.get_ylim() == dynamic.get_ylim()


def test_teachers_weights_without_any_value_or_chosen_student():
    nothing = {"SU1": [history(w_st=[np.nan] * 3)]}
    axes = teacher_weights({"d": nothing}, {}).axes
    assert legend(axes[0]) == ["students (1)"]
    assert axes[0].get_xlim()[0] < 1 < 3 < axes[0].get_xlim()[1]
