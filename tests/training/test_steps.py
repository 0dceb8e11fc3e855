"""Temporal crops of features: what networks see of them in training and in tests."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dtkd.config import Clip, Evaluation
from dtkd.data.videos import Videos
from dtkd.training import normalise, views
from dtkd.training.steps import FeatureCache, TestSteps, TrainingSteps

CLIP = Clip(frames=4, rate=1)


@pytest.fixture
def videos(tmp_path):
    paths = tuple(tmp_path / f"{length}.npy" for length in (9, 4, 3))
    for path in paths:
        T = int(path.stem)
        np.save(path, np.stack([np.arange(T), 100 + np.arange(T)], axis=1).astype(np.float16))
    return Videos(tuple(path.name for path in paths), paths, (0, 1, 2))


def test_training_crops_are_drawn_by_seed_epoch_and_video(videos):
    """Anywhere in the video, the same ones for the same three, whole in order."""
    drawn = TrainingSteps(videos, CLIP, seed=1)
    starts = set()
    for epoch in range(60):
        crop, label, position = drawn[epoch, 0]
        assert (crop.shape, crop.dtype, label, position) == ((2, 4), torch.float32, 0, 0)
        assert crop[0].diff().tolist() == [1, 1, 1]
        assert torch.equal(crop[1], crop[0] + 100)
        starts.add(int(crop[0, 0]))
        assert torch.equal(crop, TrainingSteps(videos, CLIP, seed=1)[epoch, 0][0])
    assert starts == set(range(6))
    assert [int(TrainingSteps(videos, CLIP, 2)[e, 0][0][0, 0]) for e in range(9)] != [
        int(drawn[e, 0][0][0, 0]) for e in range(9)
    ]


def test_videos_of_few_steps_are_spread(videos):
    assert TrainingSteps(videos, CLIP, 0)[0, 1][0][0].tolist() == [0, 1, 2, 3]
    assert TrainingSteps(videos, CLIP, 0)[0, 2][0][0].tolist() == [0, 0, 1, 2]
    assert TrainingSteps(videos, Clip(frames=4, rate=2), 0)[0, 0][0][0].diff().tolist() == [2, 2, 3]


def test_tests_are_on_crops_spread_evenly(videos):
    one, label, position = TestSteps(videos, CLIP)[0]
    assert (one.shape, label, position) == ((1, 2, 4), 0, 0)
    assert one[0, 0].tolist() == [2, 3, 4, 5]
    three, _, _ = TestSteps(videos, CLIP, 3)[0]
    assert three[:, 0, 0].tolist() == [0, 2, 5]


def test_files_are_read_once_as_far_as_memory_goes(videos):
    cache = FeatureCache(40 / 2**20)  # the first file has 36 bytes
    for path in videos.paths:
        assert cache.read(path).shape == (int(Path(path).stem), 2)
    assert list(cache.kept) == [videos.paths[0]]
    assert cache.read(videos.paths[0]) is cache.kept[videos.paths[0]]


def test_dimensions_are_normalised_each_by_its_own(videos):
    how = normalise.of_statistics({"of": "features", "mean": [4.0, 100.0], "std": [2.0, 0.0]})
    crops = torch.tensor([[[2.0, 6.0], [100.0, 103.0]]])
    assert how(crops).tolist() == [[[-1.0, 1.0], [0.0, 3.0]]]
    shown = views.views_to_test(videos, CLIP, None, Evaluation(clips_per_video=2), how)
    assert how(shown[0][0]).shape == (2, 2, 4)
