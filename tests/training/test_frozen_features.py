"""A head on a frozen backbone's features learns what it learns behind the backbone itself."""

import copy

import numpy as np
import pytest
import torch
from pandas.api.types import is_numeric_dtype
from test_loop import AUGMENT, CLIP, CPU, SECONDS, first, held_out, network, normalise

from dtkd.common.errors import DtkdError
from dtkd.config import Train
from dtkd.config.training import RandAugment
from dtkd.data.videos import Videos
from dtkd.models import backbones
from dtkd.training import frozen_features, loop
from dtkd.training.classifier import Classifier
from dtkd.training.frozen_features import FrozenFeatures
from dtkd.training.objectives import CrossEntropy

STEP = {"lr": 0.05, "batch_size": 4}


def frozen(seed=0):
    """A frozen network, which has seen some clips: batch norms that pass them on as they are tell them badly apart."""
    model = network(seed)
    with torch.no_grad():
        for part in (0.1, 0.9):
            model(torch.full((4, 3, 8, 32, 32), part) + torch.rand(4, 3, 8, 32, 32))
    return backbones.freeze_backbone(model)


def computed(toy, model, clips=3, tested=None, **settings):
    return frozen_features.compute(
        copy.deepcopy(model), normalise(), toy[0], tested or toy[1], clips=clips, clip=CLIP, augment=AUGMENT,
        settings=Train(epochs=1, **STEP | settings), seed=0, hardware=CPU,
    )  # fmt: skip


def head(model, folder, trained, tested, held=None, features=None, **settings):
    """A head of it after its training: checkpoint, history, predictions."""
    own = copy.deepcopy(model)
    return loop.train(
        Classifier(backbones.on_features(own) if features else own), CrossEntropy(), normalise(), trained, tested, held,
        clip=CLIP, augment=AUGMENT, settings=Train(**{"epochs": 3} | STEP | settings), seed=0, hardware=CPU,
        resume=folder / f"{features is None}.pt", fingerprint={}, features=features,
    )  # fmt: skip


def assert_alike(one, two):
    """But for rounding."""
    for name, state in one[0]["model"].items():
        torch.testing.assert_close(two[0]["model"][name], state, rtol=1e-4, atol=1e-5)
    assert list(one[0]["model"]) == list(two[0]["model"])
    for a, b in zip(one[1:], two[1:], strict=True):
        assert list(a.columns) == list(b.columns)
        for column in a.columns.difference(SECONDS):
            if is_numeric_dtype(a[column]):
                np.testing.assert_allclose(a[column].to_numpy(), b[column].to_numpy(), rtol=1e-4)
            elif not isinstance(a[column][0], str):
                np.testing.assert_allclose(np.stack(a[column]), np.stack(b[column]), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("settings", [
    {}, {"clips_per_video": 2, "epochs": 2, "ema": 0.5, "micro_batch": 3}, {"rand_augment": RandAugment()},
], ids=["plain", "two clips", "changed"])  # fmt: skip
def test_a_head_on_features_is_the_head_behind_the_backbone(toy, tmp_path, settings):
    model, clips = frozen(), settings.get("epochs", 3) * settings.get("clips_per_video", 1)
    features = computed(toy, model, clips, **{k: v for k, v in settings.items() if k == "rand_augment"})
    features.save(tmp_path / "features.pt")
    some = Videos(*(each[2:9] for each in (toy[0].names, toy[0].paths, toy[0].labels)))  # as a teacher's subset
    whole = head(model, tmp_path, some, first(toy[1], 4), **settings)
    assert_alike(whole, head(model, tmp_path, some, first(toy[1], 4),
                             features=FrozenFeatures.load(tmp_path / "features.pt"), **settings))  # fmt: skip
    assert whole[1]["train_loss"].iloc[-1] < whole[1]["train_loss"].iloc[0], "it learns something"


def test_held_out_videos_are_among_those_to_test_on(toy, tmp_path):
    model, (held, others) = frozen(), held_out(toy)
    both = Videos(*(a + b for a, b in zip((held.names, held.paths, held.labels),
                                          (toy[1].names, toy[1].paths, toy[1].labels), strict=True)))  # fmt: skip
    settings = {"selection": "validation"}
    features = computed((others, toy[1]), model, tested=both)
    assert_alike(*(head(model, tmp_path, others, toy[1], held, own, **settings) for own in (None, features)))


def test_what_is_no_number_is_refused_by_name(toy, tmp_path):
    features = computed(toy, frozen(), clips=1)
    for side, row in (("trained", (0, 3)), ("tested", 2)):
        broken = getattr(features, side).clone()
        broken[row] = torch.inf
        name = (features.train_videos[3], features.test_videos[2])[side == "tested"]
        changed = FrozenFeatures(**vars(features) | {side: broken})
        with pytest.raises(DtkdError, match=f"features of {name} are not finite; use train.precision: fp32"):
            changed.save(tmp_path / "features.pt")
    assert not (tmp_path / "features.pt").exists()


def test_features_of_other_videos_are_refused(toy):
    features = computed((first(toy[0], 4), first(toy[1], 4)), frozen(), clips=1)
    with pytest.raises(DtkdError, match=r"leave out .*; remove their file"):
        features.views(toy[1])
