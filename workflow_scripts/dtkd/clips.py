"""Temporal sampling, augmentation and batching: from videos on disk to uint8 clips.

A training clip is a function of (seed, epoch, video) alone, so neither the number of workers nor a resumed run
changes what a model sees.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from dtkd import video
from dtkd.datasets import Videos
from dtkd.study import Augment, Clip


def seed_of(*parts: object) -> int:
    """A 63-bit seed from any values, the same on every machine and in every process."""
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def frame_indices(start: int, clip: Clip, frames: int) -> np.ndarray:
    """The source frames of a clip of ``clip.frames`` frames, spread evenly over ``frames * rate`` source frames.

    A video shorter than that window is spread over its whole length (pytorchvideo's UniformTemporalSubsample).
    """
    window = min(clip.frames * clip.rate, frames)
    return start + np.linspace(0, window - 1, clip.frames).astype(int)


def random_start(clip: Clip, frames: int, generator: torch.Generator | None = None) -> int:
    slack = max(frames - clip.frames * clip.rate, 0)
    return int(torch.randint(slack + 1, (), generator=generator))


def even_starts(clip: Clip, frames: int, count: int) -> list[int]:
    """Starts of ``count`` clips spread evenly over the video; one clip is the centre one."""
    slack = max(frames - clip.frames * clip.rate, 0)
    return [round(slack * (k + 0.5) / count) for k in range(count)] if count == 1 else [
        round(slack * k / (count - 1)) for k in range(count)
    ]  # fmt: skip


@cache
def video_length(path: Path) -> int:
    """`video.length`, asked once a process: every epoch draws from it."""
    return video.length(path)


def read_clip(path: Path, start: int, clip: Clip, total: int) -> torch.Tensor:
    """The clip's frames: uint8 (T, 3, H, W)."""
    return torch.from_numpy(video.read(path, frame_indices(start, clip, total), pad_end=True)).permute(0, 3, 1, 2)


class RandomShortSide(v2.Transform):
    """Scale the short side to a random whole number of pixels from ``low`` to ``high``.

    Exactly: v2.RandomShortestSize rounds down, 49 * (64 / 49) to 63 for one, and a crop of 64 would not fit.
    """

    def __init__(self, low: int, high: int):
        super().__init__()
        self.low, self.high = low, high

    def make_params(self, flat_inputs: list) -> dict[str, int]:
        return {"size": int(torch.randint(self.low, self.high + 1, ()))}

    def transform(self, inpt: torch.Tensor, params: dict[str, int]) -> torch.Tensor:
        return F.resize(inpt, [params["size"]], antialias=True)


def training_transform(augment: Augment) -> v2.Transform:
    return v2.Compose([
        RandomShortSide(*augment.short_side),
        v2.RandomCrop(augment.crop),
        v2.RandomHorizontalFlip(augment.flip),
    ])  # fmt: skip


def test_crops(frames: torch.Tensor, augment: Augment, crops: int) -> list[torch.Tensor]:
    """Fixed short side, then the centre crop or three crops along the longer side. (T, C, H, W) each."""
    frames = F.resize(frames, [augment.test_short_side], antialias=True)
    height, width = frames.shape[-2:]
    size = augment.crop
    places = [0.5] if crops == 1 else [k / (crops - 1) for k in range(crops)]
    across = width >= height
    return [
        F.crop(
            frames,
            top=round((height - size) * (0.5 if across else place)),
            left=round((width - size) * (place if across else 0.5)),
            height=size,
            width=size,
        )
        for place in places
    ]


class TrainingClips(Dataset):
    """Random clips; an item is asked for as (epoch, position) and gives (clip, label, position).

    A clip is uint8, (C, T, crop, crop).
    """

    def __init__(self, videos: Videos, clip: Clip, augment: Augment, seed: int):
        self.videos, self.clip, self.seed = videos, clip, seed
        self.transform = training_transform(augment)

    def __getitem__(self, item: tuple[int, int]) -> tuple[torch.Tensor, int, int]:
        epoch, position = item
        path = self.videos.paths[position]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_of(self.seed, "clip", epoch, self.videos.names[position]))
            total = video_length(path)
            frames = read_clip(path, random_start(self.clip, total), self.clip, total)
            clip = self.transform(frames)
        return clip.permute(1, 0, 2, 3).contiguous(), self.videos.labels[position], position

    def __len__(self) -> int:
        return len(self.videos)


class TestClips(Dataset):
    """Every video's fixed views; an item gives (views, label, position), views uint8 (V, C, T, crop, crop)."""

    __test__ = False  # not a pytest class

    def __init__(self, videos: Videos, clip: Clip, augment: Augment, clips_per_video: int = 1, crops_per_clip: int = 1):
        self.videos, self.clip, self.augment = videos, clip, augment
        self.clips_per_video, self.crops_per_clip = clips_per_video, crops_per_clip

    def __getitem__(self, position: int) -> tuple[torch.Tensor, int, int]:
        path = self.videos.paths[position]
        total = video_length(path)
        views = []
        for start in even_starts(self.clip, total, self.clips_per_video):
            frames = read_clip(path, start, self.clip, total)
            views += [crop.permute(1, 0, 2, 3) for crop in test_crops(frames, self.augment, self.crops_per_clip)]
        return torch.stack(views), self.videos.labels[position], position

    def __len__(self) -> int:
        return len(self.videos)


def epoch_batches(
    seed: int, epoch: int, videos: int, clips_per_video: int, batch_size: int
) -> list[list[tuple[int, int]]]:
    """The batches of one epoch, shuffled; a last batch of one clip (too few for batch norm) joins the one before.

    Each of a video's ``clips_per_video`` clips counts as an epoch of its own in the clip's seed.
    """
    generator = torch.Generator().manual_seed(seed_of(seed, "order", epoch))
    items = [(epoch * clips_per_video + k, v) for k in range(clips_per_video) for v in range(videos)]
    items = [items[i] for i in torch.randperm(len(items), generator=generator).tolist()]
    batches = [items[i : i + batch_size] for i in range(0, len(items), batch_size)]
    if len(batches) > 1 and len(batches[-1]) == 1 < batch_size:
        single = batches.pop()
        batches[-1] += single
    return batches


class EpochBatches:
    """A batch sampler whose epoch is set from outside (kept by reference, so persistent workers follow it)."""

    def __init__(self, seed: int, videos: int, clips_per_video: int, batch_size: int):
        self.settings = (videos, clips_per_video, batch_size)
        self.seed, self.epoch = seed, 0

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        yield from epoch_batches(self.seed, self.epoch, *self.settings)

    def __len__(self) -> int:
        return len(epoch_batches(self.seed, 0, *self.settings))


def loader(dataset: Dataset, *, batches=None, batch_size: int = 1, workers: int = 0, pin: bool = False) -> DataLoader:
    """A loader with bounded threads: no workers means that the training process decodes for itself.

    It draws nothing from torch's global random state (a loader seeds its workers from it, though ours need no seed).
    """
    order = {"batch_sampler": batches} if batches is not None else {"batch_size": batch_size}
    return DataLoader(
        dataset, **order, num_workers=workers, pin_memory=pin, persistent_workers=workers > 0,
        worker_init_fn=_single_thread if workers else None, generator=torch.Generator(),
    )  # fmt: skip


def _single_thread(_: int) -> None:
    import cv2

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
