"""Students by methods that compare features: what teachers show is kept once, what maps it trains along and resumes."""

import numpy as np
import pytest
import torch
from test_loop import AUGMENT, CLIP, CPU, assert_same, classifier, first, network, normalise, train

from dtkd.common.errors import DtkdError
from dtkd.config import Train
from dtkd.distillation import methods
from dtkd.models import backbones
from dtkd.training.objectives import Distillation
from dtkd.training.targets import Targets, frozen

WEIGHTS = {"fitnet": {"weight": 1}, "rkd": {"distance": 1, "angle": 1}, "sp": {"gamma": 10}}  # for a few steps


@pytest.fixture(scope="module")
def asked(toy):
    """What a teacher says and shows."""
    settings = Train(epochs=3, batch_size=4, lr=0.02)
    return frozen({"teacher": network(1)}, normalise(), first(toy[0], 7), clip=CLIP, augment=AUGMENT,
                  settings=settings, seed=0, hardware=CPU, features=True)  # fmt: skip


def test_features_are_what_the_projection_takes(asked, toy, tmp_path):
    model, videos = network(1).eval(), first(toy[0], 7)
    assert [(each.shape, each.dtype) for each in asked.features] == [
        ((3, 7, backbones.projection(model).in_features), torch.float16)
    ]
    said = asked.features[0][1, 4].float() @ backbones.projection(model).weight.T + backbones.projection(model).bias
    torch.testing.assert_close(said, asked.logits[0, 1, 4], atol=2e-3, rtol=0)
    asked.save(tmp_path / "targets.pt", videos)
    loaded = Targets.load(tmp_path / "targets.pt", videos, 3)
    assert torch.equal(loaded.features[0], asked.features[0])
    joined = Targets.joined([loaded, asked])
    assert len(joined.features) == len(joined.teachers) == 2


def test_every_method_of_features_is_tried():
    assert {name for name in methods.names() if methods.METHODS[name].needs_features} == set(WEIGHTS)


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_student_learns_and_goes_on(asked, toy, tmp_path, name):
    def student():
        return Distillation(methods.build(name, **WEIGHTS[name]), asked)

    whole = train(toy, tmp_path / "whole", objective=student(), videos=7)
    assert np.isfinite(whole[1]["train_loss"]).all()
    assert (whole[1]["L_KD"] > 0).all()
    assert set(whole[0]["model"]) == set(network(0).state_dict()), "a regressor is no part of the student"

    stopped = student()
    loss, calls = stopped.loss, []

    def interrupted(*given):
        calls.append(1)
        if len(calls) == 3:  # in the second epoch
            raise KeyboardInterrupt
        return loss(*given)

    stopped.loss = interrupted
    with pytest.raises(KeyboardInterrupt):
        train(toy, tmp_path, objective=stopped, videos=7)
    assert_same(whole, train(toy, tmp_path, objective=student(), videos=7))


def test_a_regressor_trains_with_the_student(asked, toy, tmp_path):
    objective, learner = Distillation(methods.build("fitnet"), asked), classifier()
    train(toy, tmp_path, learner, objective, videos=7, epochs=1)
    again = Distillation(methods.build("fitnet"), asked)
    again.watch(classifier().model, 0, CPU.device)
    before, after = again.regressors.state_dict(), objective.regressors.state_dict()
    assert before.keys() == after.keys()
    assert all(not torch.equal(before[key], after[key]) for key in before)


def test_targets_without_features_are_refused(asked):
    with pytest.raises(DtkdError, match="method sp compares features, and the targets have none; remove their file"):
        Distillation(methods.build("sp"), Targets(asked.teachers, asked.logits))
