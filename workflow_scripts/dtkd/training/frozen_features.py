"""What a frozen backbone makes of clips: computed once, for all runs that train a head on it.

A training clip is a function of (seed, clip number, video), and a frozen backbone's pooled features are one of the
clip: runs of the same backbone, start and seed see the same, whatever classes they learn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from dtkd.common.errors import DtkdError
from dtkd.common.progress import progress
from dtkd.config import Augment, Clip, Evaluation, Train
from dtkd.data.videos import Videos
from dtkd.models import backbones, weights
from dtkd.training.hardware import Hardware, accelerate, autocast
from dtkd.training.normalise import Normalise
from dtkd.training.parallel import DistributedBatchSampler
from dtkd.training.sampling import PrefetchLoader, loader
from dtkd.training.training_loader import training_loader
from dtkd.training.views import views_to_test


@dataclass(frozen=True)
class FrozenFeatures:
    """Pooled features, float32: of K clips of each of V training videos, and of the centre clip of each tested one."""

    trained: Tensor
    """(K, V, D)."""
    train_videos: tuple[str, ...]
    """Their V names."""
    tested: Tensor
    """(W, D)."""
    test_videos: tuple[str, ...]
    """Their W names: test videos, and training videos that are held out."""

    def save(self, path: str | Path) -> None:
        """Write them. Raises DtkdError where some are not finite, and names the video."""
        for features, names in ((self.trained, self.train_videos), (self.tested[None], self.test_videos)):
            broken = (~features.isfinite()).any(-1).nonzero()
            if len(broken):
                raise DtkdError(
                    f"the features of {names[int(broken[0, 1])]} are not finite; use train.precision: fp32, or other "
                    "weights to start from"
                )
        names = {"train_videos": list(self.train_videos), "test_videos": list(self.test_videos)}
        weights.save_tensors(path, {"trained": self.trained, "tested": self.tested} | names)

    @classmethod
    def load(cls, path: str | Path) -> FrozenFeatures:
        """Read them; those of clips stay on the disk until a batch asks for them."""
        content = weights.load_safely(path, mapped=True)
        names = [tuple(content[f"{side}_videos"]) for side in ("train", "test")]
        return cls(content["trained"], names[0], content["tested"], names[1])

    def training_loader(
        self, videos: Videos, batches: DistributedBatchSampler, *, pin: bool
    ) -> DataLoader | PrefetchLoader:  # fmt: skip
        """Those of a run's batches, as `training_loader` has its clips."""
        return loader(_Trained(self, videos), batches=batches, pin=pin)

    def views(self, videos: Videos) -> CentreFeatures:
        """Those of videos to test on, as `views_to_test` has the centre clip of each."""
        return CentreFeatures(self, videos)


class _Trained(Dataset):
    """An item is asked for as (clip number, position) and gives (features (D,), label, position)."""

    def __init__(self, features: FrozenFeatures, videos: Videos):
        self.features, self.videos = features.trained, videos
        self.rows = _rows(features.train_videos, videos)

    def __getitem__(self, item: tuple[int, int]) -> tuple[Tensor, int, int]:
        clip, position = item
        return self.features[clip, self.rows[position]], self.videos.labels[position], position

    def __len__(self) -> int:
        return len(self.videos)


class CentreFeatures(Dataset):
    """An item gives (features (1, D), label, position): one view of a video."""

    clips_per_video = crops_per_clip = 1

    def __init__(self, features: FrozenFeatures, videos: Videos):
        self.features, self.videos = features.tested, videos
        self.rows = _rows(features.test_videos, videos)

    def __getitem__(self, position: int) -> tuple[Tensor, int, int]:
        return self.features[self.rows[position]][None], self.videos.labels[position], position

    def __len__(self) -> int:
        return len(self.videos)


def _rows(names: tuple[str, ...], videos: Videos) -> list[int]:
    """Where a run's videos are among those of the file."""
    row = {name: number for number, name in enumerate(names)}
    missing = next((name for name in videos.names if name not in row), None)
    if missing:
        raise DtkdError(f"the frozen backbone's features leave out {missing}; remove their file, and it is made again")
    return [row[name] for name in videos.names]


@torch.inference_mode()
def compute(
    model: backbones.VideoModel, normalise: Normalise, train_videos: Videos, test_videos: Videos, *, clips: int,
    clip: Clip, augment: Augment, settings: Train, seed: int, hardware: Hardware, label: str = "",
    window: Clip | None = None,
) -> FrozenFeatures:  # fmt: skip
    """Pooled features of the first ``clips`` clips that `loop.train` draws of each video, and of what it tests on."""
    pooled = backbones.PooledFeatures(model)
    model.to(hardware.device).eval()
    normalise.to(hardware.device)
    accelerate([model], normalise, settings, hardware.device)
    cast, _ = autocast(settings.precision, hardware.device)
    size = settings.micro_batch or 2 * settings.batch_size
    items = [(number, video) for number in range(clips) for video in range(len(train_videos))]
    batches = [items[i : i + size] for i in range(0, len(items), size)]
    trained = training_loader(train_videos, batches, clip=clip, augment=augment, settings=settings, seed=seed,
                              hardware=hardware, normalise=normalise, window=window)  # fmt: skip
    tested = loader(views_to_test(test_videos, clip, augment, Evaluation(), normalise), batch_size=size,
                    workers=hardware.workers, pin=hardware.pin)  # fmt: skip
    bar = progress(total=len(items) + len(test_videos), desc=label, unit="clip")

    def features_of(data: Iterable[list[Any]], count: int) -> Tensor:
        features, done = torch.empty(count, pooled.width), 0
        for clips_of_batch, _, _ in data:
            with cast:
                model(normalise(clips_of_batch.to(hardware.device, non_blocking=True)))
            features[done : done + len(clips_of_batch)] = pooled.take()
            done += len(clips_of_batch)
            bar.update(len(clips_of_batch))
        return features

    of_clips = features_of(trained, len(items)).view(clips, len(train_videos), -1)
    of_centres = features_of(((views[:, 0], *rest) for views, *rest in tested), len(test_videos))
    bar.close()
    return FrozenFeatures(of_clips, train_videos.names, of_centres, test_videos.names)
