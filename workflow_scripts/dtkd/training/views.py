"""What networks see of videos in training and in tests: clips of their frames, or crops of their features.

``augment`` says how frames become squares; None: what is there are features.
"""

from __future__ import annotations

from dtkd.config import Augment, Clip, Evaluation
from dtkd.config.training import RandAugment
from dtkd.data.videos import Videos
from dtkd.training.normalise import Normalise
from dtkd.training.sampling import FrameCache, TestClips, TrainingClips
from dtkd.training.steps import FeatureCache, TestSteps, TrainingSteps


def crop_of(clip: Clip, augment: Augment | None) -> int | None:
    """Side in pixels of the squares that a network sees; features have none."""
    return None if augment is None else clip.side(augment.crop)


def cache_of(augment: Augment | None, megabytes: float) -> FrameCache | FeatureCache:
    """What keeps that much of what is read for it."""
    return FeatureCache(megabytes) if augment is None else FrameCache(megabytes)


def training_views(
    videos: Videos, clip: Clip, augment: Augment | None, seed: int, normalise: Normalise,
    cache: FrameCache | FeatureCache, changes: RandAugment | None = None, window: Clip | None = None,
) -> TrainingClips | TrainingSteps:  # fmt: skip
    if augment is None:
        return TrainingSteps(videos, clip, seed, cache, window)
    return TrainingClips(videos, clip, augment, seed, cache, normalise.colour, changes, window)


def views_to_test(
    videos: Videos, clip: Clip, augment: Augment | None, evaluation: Evaluation, normalise: Normalise,
    cache: FrameCache | FeatureCache | None = None,
) -> TestClips | TestSteps:  # fmt: skip
    """The protocol's views of each video."""
    if augment is None:
        return TestSteps(videos, clip, evaluation.clips_per_video, cache)
    return TestClips(videos, clip, augment, evaluation.clips_per_video, evaluation.crops_per_clip, cache,
                     normalise.colour)  # fmt: skip
