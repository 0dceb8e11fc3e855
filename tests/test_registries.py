"""The config's choices are what the library has: a new algorithm or backbone is one name more on both sides."""

from typing import get_args

from dtkd import backbones, distill, flow, study


def test_flow_algorithms():
    assert set(get_args(study.Flow.model_fields["algorithm"].annotation)) == {*flow.ALGORITHMS, *flow.NETWORKS}


def test_backbones():
    assert set(get_args(study.Backbone)) == set(backbones.BACKBONES)


def test_weightings():
    weightings = get_args(study.Student.model_fields["weighting"].annotation)
    assert set(weightings) == set(get_args(distill.Weighting))


def test_measures():
    assert set(get_args(study.Split.model_fields["measure"].annotation)) == {*flow.MEASURES, "median"}
    assert set(get_args(study.Split.model_fields["over_time"].annotation)) == set(flow.OVER_TIME)
