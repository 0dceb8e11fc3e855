"""The loader of training clips, by what a process has."""

from __future__ import annotations

from collections.abc import Iterable

from torch.utils.data import DataLoader

from dtkd.config import Augment, Clip, Train
from dtkd.data.datasets import Videos
from dtkd.training.hardware import Hardware
from dtkd.training.normalise import Normalise
from dtkd.training.sampling import FrameCache, Items, PrefetchLoader, loader
from dtkd.training.steps import FeatureCache
from dtkd.training.views import cache_of, training_views


def training_loader(
    videos: Videos, batches: Iterable[Items], *, clip: Clip, augment: Augment | None, settings: Train, seed: int,
    hardware: Hardware, normalise: Normalise, cache: FrameCache | FeatureCache | None = None,
    window: Clip | None = None,
) -> DataLoader | PrefetchLoader:  # fmt: skip
    """The training clips of some batches, which are a function of (seed, clip number, video) whoever asks for them."""
    cache = cache or cache_of(augment, hardware.cache_share)
    clips = training_views(videos, clip, augment, seed, normalise, cache, settings.rand_augment, window)
    return loader(clips, batches=batches, workers=hardware.workers, pin=hardware.pin)
