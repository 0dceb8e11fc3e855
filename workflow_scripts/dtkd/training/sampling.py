"""Temporal sampling, augmentation and batching: from videos on disk to uint8 clips.

A training clip is a function of (seed, epoch, video) alone, so neither the number of workers nor a resumed run
changes what a model sees.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler

from dtkd.config import Augment, Clip, Train
from dtkd.config.training import RandAugment
from dtkd.data import video, video_info
from dtkd.data.datasets import Videos
from dtkd.data.video_info import VideoInfo
from dtkd.training.cropping import GREY, Window, crop, slack, test_windows, window_at

Items = list[tuple[int, int]]  # a batch's samples: the number of the clip and of the video, as the sampler draws them


def seed_of(*parts: object) -> int:
    """A 63-bit seed from any values, the same on every machine and in every process."""
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def frame_indices(start: float, clip: Clip, info: VideoInfo) -> np.ndarray:
    """The source frames of a clip: (clip.frames,) integers, ascending.

    With ``clip.rate`` they are spread evenly over ``frames * rate`` source frames from frame ``start`` on; with
    ``clip.fps`` they are those shown every ``1 / fps`` seconds from second ``start`` on, whatever the video's own rate.
    A video shorter than that is spread over its whole length (pytorchvideo's UniformTemporalSubsample).
    """
    if clip.fps is None:
        window = min(clip.frames * clip.rate, info.frames)
        return start + np.linspace(0, window - 1, clip.frames).astype(int)
    step = min(1 / clip.fps, info.duration / clip.frames)
    return info.shown_at(start + step * np.arange(clip.frames))


def slack_of(clip: Clip, info: VideoInfo) -> float:
    """How far a clip can move in a video: in frames, with ``clip.fps`` in seconds."""
    if clip.fps is None:
        return max(info.frames - clip.frames * clip.rate, 0)
    return max(info.duration - clip.frames / clip.fps, 0.0)


def random_start(clip: Clip, info: VideoInfo, generator: torch.Generator | None = None) -> float:
    slack = slack_of(clip, info)
    if clip.fps is None:
        return int(torch.randint(slack + 1, (), generator=generator))
    return slack * float(torch.rand((), generator=generator))


def even_starts(clip: Clip, info: VideoInfo, count: int) -> list[float]:
    """Starts of ``count`` clips spread evenly over the video; one clip is the centre one."""
    shares = [0.5] if count == 1 else [k / (count - 1) for k in range(count)]
    starts = [slack_of(clip, info) * share for share in shares]
    return starts if clip.fps else [round(start) for start in starts]


def centred(start: float, window: Clip, clip: Clip, info: VideoInfo) -> float:
    """Where a clip starts whose middle is that of a ``window`` from ``start`` on, as far as the video goes."""
    if clip.fps is None:
        more = min(window.frames * window.rate, info.frames) - min(clip.frames * clip.rate, info.frames)
        return min(max(int(start) + more // 2, 0), int(slack_of(clip, info)))
    more = min(window.frames / window.fps, info.duration) - min(clip.frames / clip.fps, info.duration)
    return min(max(start + more / 2, 0.0), slack_of(clip, info))


def inspected(videos: Videos, position: int, clip: Clip) -> VideoInfo:
    """What a video is; VideoError where it cannot be used, or not with such clips."""
    info = videos.infos[position] if videos.infos else video.info(videos.paths[position])
    if clip.fps and not info.fps:
        raise video.VideoError(f"{videos.paths[position]}: has no times, and clip.fps goes by them: set clip.rate.")
    return info


def random_window(augment: Augment, height: int, width: int, generator: torch.Generator | None = None) -> list[Window]:
    """What RandomShortSideScale, RandomCrop and RandomHorizontalFlip draw (a list of one, for `cropping.crop`).

    Where the whole frame is shown, it is scaled to a size of the same range, and the crop moves in what is larger.
    """
    low, high = augment.short_side
    size = int(torch.randint(low, high + 1, (), generator=generator))
    places = [int(torch.randint(most + 1, (), generator=generator))
              for most in slack(augment, height, width, size)]  # fmt: skip
    mirrored = bool(torch.rand((), generator=generator) < augment.flip)
    return [window_at(augment, height, width, size, *places)._replace(mirrored=mirrored)]


class FrameCache:
    """Videos' decoded frames; those of the first videos are kept, up to ``megabytes`` in all.

    Nothing is ever evicted for another: an epoch asks for every video once, so that none is worth more than the rest,
    and one that made room would be gone before its turn comes. Clips are the same with and without.
    """

    def __init__(self, megabytes: float = 0):
        self.free = int(megabytes * 2**20)
        self.kept: dict[tuple, dict[int, np.ndarray]] = {}

    def read(
        self, path: Path, indices: Sequence[int], info: VideoInfo, candidates: Sequence[int] = ()
    ) -> Iterable[np.ndarray]:
        """`video.read_bgr` at ``indices``; later calls choose from the frames ``candidates`` (a tuple or range)."""
        key = (path, candidates)
        if candidates and self.free and key not in self.kept:
            self._keep(key, info)
        if key in self.kept:
            return [self.kept[key][index] for index in indices]
        return video.read_bgr(path, indices, info)

    def _keep(self, key: tuple, info: VideoInfo) -> None:
        path, candidates = key
        try:
            frames = list(video.read_bgr(path, candidates, info))
        except video.VideoError:  # reading the clip's own frames shows whether the broken part matters
            return
        size = sum(frame.nbytes for frame in frames)
        if size > self.free:
            self.free = 0  # full: from now on decode no more than a clip needs
            return
        self.free -= size
        self.kept[key] = dict(zip(candidates, frames, strict=True))


class TrainingClips(Dataset):
    """Random clips; an item is asked for as (epoch, position) and gives (clip, label, position).

    A clip is uint8, (C, T, side, side); ``margins`` are the colour beside letterboxed frames. With a ``window``, what
    is drawn is where that lies in the video, and the clip is in its middle: networks whose clips differ see the same.
    """

    def __init__(
        self, videos: Videos, clip: Clip, augment: Augment, seed: int, cache: FrameCache | None = None,
        margins: tuple[int, int, int] = GREY, changes: RandAugment | None = None, window: Clip | None = None,
    ):  # fmt: skip
        self.videos, self.clip, self.augment, self.seed, self.window = videos, clip, augment, seed, window
        self.cache, self.margins = cache or FrameCache(), margins
        self.change = None
        if changes:
            from dtkd.training.changes import ClipRandAugment  # torchvision, which those who only crop do without

            self.change = ClipRandAugment(changes, margins)

    def __getitem__(self, item: tuple[int, int]) -> tuple[torch.Tensor, int, int]:
        epoch, position = item
        info = inspected(self.videos, position, self.clip)
        generator = torch.Generator().manual_seed(seed_of(self.seed, "clip", epoch, self.videos.names[position]))
        start = random_start(self.window or self.clip, info, generator)
        if self.window:
            start = centred(start, self.window, self.clip, info)
        indices = frame_indices(start, self.clip, info)
        frames = self.cache.read(self.videos.paths[position], indices, info, self._candidates(info))
        part, side = partial(random_window, self.augment, generator=generator), self.clip.side(self.augment.crop)
        clip = torch.from_numpy(crop(frames, self.clip.frames, side, part, self.margins)[0])
        if self.change:
            clip = self.change(clip, generator)
        return clip, self.videos.labels[position], position

    def _candidates(self, info: VideoInfo) -> range:
        """All frames; none of a video so long that decoding seeks to its clips, which need only some of its frames."""
        slack = slack_of(self.clip, info) * (info.fps if self.clip.fps else 1)
        return range(info.frames if slack < video_info.SEEK_FROM else 0)

    def __len__(self) -> int:
        return len(self.videos)


class TestClips(Dataset):
    """Every video's fixed views; an item gives (views, label, position), views uint8 (V, C, T, side, side)."""

    __test__ = False  # not a pytest class

    def __init__(
        self, videos: Videos, clip: Clip, augment: Augment, clips_per_video: int = 1, crops_per_clip: int = 1,
        cache: FrameCache | None = None, margins: tuple[int, int, int] = GREY,
    ):  # fmt: skip
        augment.check_crops(crops_per_clip)
        self.videos, self.clip, self.augment, self.margins = videos, clip, augment, margins
        self.clips_per_video, self.crops_per_clip = clips_per_video, crops_per_clip
        self.cache = cache or FrameCache()

    def __getitem__(self, position: int) -> tuple[torch.Tensor, int, int]:
        path, info = self.videos.paths[position], inspected(self.videos, position, self.clip)
        views = []
        for start in even_starts(self.clip, info, self.clips_per_video):
            indices = tuple(frame_indices(start, self.clip, info).tolist())
            frames = self.cache.read(path, indices, info, candidates=indices)
            windows = partial(test_windows, self.augment, crops=self.crops_per_clip)
            side = self.clip.side(self.augment.crop)
            views.append(crop(frames, self.clip.frames, side, windows, self.margins))
        return torch.from_numpy(np.concatenate(views)), self.videos.labels[position], position

    def __len__(self) -> int:
        return len(self.videos)


def epoch_batches(
    seed: int, epoch: int, videos: int, clips_per_video: int, batch_size: int, weights: Sequence[float] = ()
) -> list[Items]:
    """The batches of one epoch, shuffled; a last batch of one clip (too few for batch norm) joins the one before.

    Each of a video's ``clips_per_video`` clips counts as an epoch of its own in the clip's seed. With ``weights`` of
    the videos, as many clips are drawn by them, with replacement.
    """
    generator = torch.Generator().manual_seed(seed_of(seed, "order", epoch))
    items = [(epoch * clips_per_video + k, v) for k in range(clips_per_video) for v in range(videos)]
    if weights:
        order = list(WeightedRandomSampler([weights[v] for _, v in items], len(items), generator=generator))
    else:
        order = torch.randperm(len(items), generator=generator).tolist()
    items = [items[i] for i in order]
    batches = [items[i : i + batch_size] for i in range(0, len(items), batch_size)]
    if len(batches) > 1 and len(batches[-1]) == 1 < batch_size:
        single = batches.pop()
        batches[-1] += single
    return batches


class EpochBatches:
    """A batch sampler whose epoch is set from outside (kept by reference, so persistent workers follow it)."""

    def __init__(
        self, seed: int, videos: int, clips_per_video: int, batch_size: int, weights: Sequence[float] = ()
    ):  # fmt: skip
        self.settings = (videos, clips_per_video, batch_size, weights)
        self.seed, self.epoch = seed, 0

    @classmethod
    def of(cls, videos: Videos, settings: Train, seed: int) -> EpochBatches:
        """Those of a training."""
        counts = Counter(videos.labels)
        weights = [1 / counts[label] for label in videos.labels] if settings.class_balance == "sampling" else ()
        return cls(seed, len(videos), settings.clips_per_video, settings.batch_size, weights)

    def __iter__(self) -> Iterator[Items]:
        yield from epoch_batches(self.seed, self.epoch, *self.settings)

    def __len__(self) -> int:
        return len(epoch_batches(self.seed, 0, *self.settings))


# A process that is forked while another thread is inside OpenCV inherits a lock that nobody will open, and waits for it
# forever: no fork while the thread of `PrefetchLoader` decodes. It takes OpenCV's locks as it ends, too, after it was
# joined: so there is one, which is kept until the process ends.
_decoding = threading.RLock()


@cache
def _decoder() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="batches")


def _after_fork_in_child() -> None:
    _decoding.release()
    _decoder.cache_clear()  # of the threads, a forked process has none


os.register_at_fork(before=_decoding.acquire, after_in_parent=_decoding.release, after_in_child=_after_fork_in_child)


def _next(batches: Iterator[Any]) -> Any:
    with _decoding:
        return next(batches, None)


class PrefetchLoader:
    """The batches of a loader without workers, each made in a thread while the caller computes with the one before.

    Decoding lets go of Python's lock, so that a core that idles takes it over; the batches are the same.
    """

    def __init__(self, data: DataLoader):
        self.data = data

    def __iter__(self) -> Iterator[Any]:
        batches = iter(self.data)
        coming = _decoder().submit(_next, batches)
        while (batch := coming.result()) is not None:
            coming = _decoder().submit(_next, batches)
            yield batch

    def __len__(self) -> int:
        return len(self.data)


def loader(
    dataset: Dataset, *, batches=None, batch_size: int = 1, workers: int = 0, pin: bool = False
) -> DataLoader | PrefetchLoader:
    """A loader with bounded threads: no workers means that a thread of the training process decodes.

    It draws nothing from torch's global random state (a loader seeds its workers from it, though ours need no seed).
    """
    order = {"batch_sampler": batches} if batches is not None else {"batch_size": batch_size}
    data = DataLoader(
        dataset, **order, num_workers=workers, pin_memory=pin, persistent_workers=workers > 0,
        worker_init_fn=_single_thread if workers else None, generator=torch.Generator(),
    )  # fmt: skip
    return data if workers else PrefetchLoader(data)


def _single_thread(_: int) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
