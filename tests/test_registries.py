"""The config's choices are what the library has. (Networks and flow algorithms it reads from their registries.)"""

from typing import get_args

from dtkd.config import Split, Student
from dtkd.distillation import equations
from dtkd.motion import flow


def test_weightings():
    weightings = get_args(Student.model_fields["weighting"].annotation)
    assert set(weightings) == set(get_args(equations.Weighting))


def test_measures():
    assert set(get_args(Split.model_fields["measure"].annotation)) == {*flow.MEASURES, "median"}
    assert set(get_args(Split.model_fields["over_time"].annotation)) == set(flow.OVER_TIME)
