"""The config's choices are what the library has. (The rest is in registries.)"""

from typing import get_args

from dtkd.config import Split
from dtkd.distillation import equations
from dtkd.distillation.methods.dtkd import DTKD
from dtkd.motion import flow
from dtkd.motion.detectors import PERSON_MEASURES
from dtkd.motion.subsets import FEATURE_CHANGE


def test_weightings():
    weightings = get_args(DTKD.model_fields["weighting"].annotation)
    assert set(weightings) == set(get_args(equations.Weighting))


def test_measures():
    assert set(get_args(Split.model_fields["measure"].annotation)) == {
        *flow.MEASURES, "median", *PERSON_MEASURES, FEATURE_CHANGE,
    }  # fmt: skip
    assert set(get_args(Split.model_fields["over_time"].annotation)) == set(flow.OVER_TIME)
