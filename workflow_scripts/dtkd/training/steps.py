"""Temporal crops of features: what `sampling` is to the frames of videos.

A training crop is a function of (seed, epoch, video) alone, as a training clip is.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from dtkd.config import Clip
from dtkd.data import features
from dtkd.data.video_info import VideoInfo
from dtkd.data.videos import Videos
from dtkd.training.sampling import centred, even_starts, frame_indices, seed_of, slack_of


class FeatureCache:
    """Files' features; those of the first files are kept, up to ``megabytes`` in all, as `FrameCache` keeps frames."""

    def __init__(self, megabytes: float = 0):
        self.free = int(megabytes * 2**20)
        self.kept: dict[Path, np.ndarray] = {}

    def read(self, path: Path) -> np.ndarray:
        """(T, D)."""
        if (known := self.kept.get(path)) is not None:
            return known
        found = features.read(path)
        if found.nbytes <= self.free:
            self.free -= found.nbytes
            self.kept[path] = found
        return found


class _Steps(Dataset):
    def __init__(self, videos: Videos, clip: Clip, cache: FeatureCache | None = None):
        self.videos, self.clip, self.cache = videos, clip, cache or FeatureCache()

    def _crop(self, found: np.ndarray, start: float) -> torch.Tensor:
        """``clip.frames`` steps from ``start`` on: float32 (D, T)."""
        steps = found[frame_indices(start, self.clip, _length(found))]
        return torch.from_numpy(np.ascontiguousarray(steps.T, np.float32))

    def __len__(self) -> int:
        return len(self.videos)


class TrainingSteps(_Steps):
    """Random temporal crops; an item is asked for as (epoch, position) and gives (crop, label, position).

    A crop is float32, (D, clip.frames). A ``window`` is as that of `TrainingClips`.
    """

    def __init__(
        self, videos: Videos, clip: Clip, seed: int, cache: FeatureCache | None = None, window: Clip | None = None
    ):
        super().__init__(videos, clip, cache)
        self.seed, self.window = seed, window

    def __getitem__(self, item: tuple[int, int]) -> tuple[torch.Tensor, int, int]:
        epoch, position = item
        found = self.cache.read(self.videos.paths[position])
        places = int(slack_of(self.window or self.clip, _length(found))) + 1
        start: float = seed_of(self.seed, "clip", epoch, self.videos.names[position]) % places
        if self.window:
            start = centred(start, self.window, self.clip, _length(found))
        return self._crop(found, start), self.videos.labels[position], position


class TestSteps(_Steps):
    """Every video's fixed crops, spread evenly over it; an item gives (crops, label, position), crops (V, D, T)."""

    __test__ = False  # not a pytest class
    crops_per_clip = 1

    def __init__(self, videos: Videos, clip: Clip, clips_per_video: int = 1, cache: FeatureCache | None = None):
        super().__init__(videos, clip, cache)
        self.clips_per_video = clips_per_video

    def __getitem__(self, position: int) -> tuple[torch.Tensor, int, int]:
        found = self.cache.read(self.videos.paths[position])
        starts = even_starts(self.clip, _length(found), self.clips_per_video)
        return torch.stack([self._crop(found, start) for start in starts]), self.videos.labels[position], position


def _length(found: np.ndarray) -> VideoInfo:
    """Features as a clip is drawn of: a frame a step."""
    return VideoInfo(len(found), 0.0, found.shape[1], 1)
