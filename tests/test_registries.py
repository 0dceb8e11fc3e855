"""The config's choices are what the library has: a new algorithm or backbone is one name more on both sides."""

from typing import get_args

from dtkd.config import Backbone, Flow, Split, Student
from dtkd.config.split import Threshold
from dtkd.distillation import equations
from dtkd.models import backbones
from dtkd.motion import flow, thresholds


def test_flow_algorithms():
    assert set(get_args(Flow.model_fields["algorithm"].annotation)) == {*flow.ALGORITHMS, *flow.NETWORKS}


def test_backbones():
    assert set(get_args(Backbone)) == set(backbones.BACKBONES)


def test_weightings():
    weightings = get_args(Student.model_fields["weighting"].annotation)
    assert set(weightings) == set(get_args(equations.Weighting))


def test_measures():
    assert set(get_args(Split.model_fields["measure"].annotation)) == {*flow.MEASURES, "median"}
    assert set(get_args(Split.model_fields["over_time"].annotation)) == set(flow.OVER_TIME)


def test_thresholds():
    assert get_args(Threshold) == tuple(thresholds.THRESHOLDS)
