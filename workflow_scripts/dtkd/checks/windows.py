"""The clip as the network sees it: how much of a video's motion is within the crops of test and training.

A crop is square, and unless `augment.fit` says otherwise its side is at most the frame's shorter one: in a wide video,
what happens at the sides is never seen. Motion is what the optical flow of a few pairs of frames has beside the
camera's own; of it, that is told which falls into the test view's window and, on average, into those that training
draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from dtkd.config import Augment, Clip, Evaluation
from dtkd.data import video
from dtkd.data.video_info import VideoInfo
from dtkd.motion import flow
from dtkd.training import sampling
from dtkd.training.cropping import shown

VIDEOS = 60
"""Videos that are measured, the same number of each class."""
PAIRS = 3
"""Pairs of neighbouring frames of a video, spread over the test clip."""
SHORT_SIDE = 120
"""Pixels of the frames that flow is computed on."""
NOISE = 0.25
"""Pixels: less than that does not move."""
DRAWS = 16
"""Training windows whose share is averaged."""
SHOWN_DRAWS = 3
"""Training windows that are shown: those of the first epochs."""


@dataclass(frozen=True)
class View:
    """What a test view and training show of one video."""

    number: int
    """The video's, in the index."""
    frame: np.ndarray
    """The middle frame of the test clip, whole: uint8 (H, W, 3), RGB."""
    motion: np.ndarray
    """Where it moves: float32 (h, w), pixels a frame at the working size, a mean over the pairs."""
    test: float
    """The share of the motion in the test windows, 0 to 1; NaN where nothing moves."""
    train: float
    """The same in a training window, on average."""
    windows: tuple[sampling.Window, ...]
    """Of the test."""
    drawn: tuple[sampling.Window, ...]
    """Of the first epochs of training."""


def chosen(labels: Sequence[int], videos: int = VIDEOS) -> list[int]:
    """Numbers of videos to measure: of each class as many, spread over it; one at least."""
    labels = np.asarray(labels)
    classes = np.unique(labels)
    most = max(1, videos // len(classes))
    found = []
    for label in classes:
        own = np.flatnonzero(labels == label)
        found += own[np.linspace(0, len(own) - 1, min(most, len(own))).round().astype(int)].tolist()
    return found


def views(
    root: str | Path, paths: Sequence[str], infos: Sequence[VideoInfo], numbers: Sequence[int], *, clip: Clip,
    augment: Augment, evaluation: Evaluation, seed: int, threads: int = 1,
    progress: Callable[..., Iterable] | None = None,
) -> list[View]:  # fmt: skip
    """A `View` of each of the videos ``numbers``. Raises VideoError for one that can no longer be read."""

    def view(number: int) -> View:
        path = Path(root, paths[number])
        known = infos[number]
        frame, motion = _motion(path, clip, known)
        windows = sampling.test_windows(augment, *frame.shape[:2], evaluation.crops_per_clip)
        generator = torch.Generator().manual_seed(sampling.seed_of(seed, "check", paths[number]))
        draw = partial(sampling.random_window, augment, *frame.shape[:2])
        return View(
            number, frame, motion, share(motion, windows, frame.shape),
            float(np.mean([share(motion, draw(generator), frame.shape) for _ in range(DRAWS)])),
            tuple(windows),
            tuple(training_window(augment, clip, known, frame.shape, seed, epoch, paths[number])
                  for epoch in range(SHOWN_DRAWS)),
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        results = pool.map(view, numbers)
        return list(progress(results, total=len(numbers)) if progress else results)


def training_window(
    augment: Augment, clip: Clip, known: VideoInfo, shape: Sequence[int], seed: int, epoch: int, name: str
) -> sampling.Window:
    """The window of a video's clip in an epoch, from 0, as `sampling.TrainingClips` draws it after the clip's start."""
    generator = torch.Generator().manual_seed(sampling.seed_of(seed, "clip", epoch, name))
    sampling.random_start(clip, known, generator)
    return sampling.random_window(augment, *shape[:2], generator)[0]


def share(motion: np.ndarray, windows: Iterable[sampling.Window], shape: Sequence[int]) -> float:
    """The share of ``motion`` (h, w) in windows of a frame of ``shape`` (H, W, ...); NaN where there is no motion."""
    total = float(motion.sum())
    if not total:
        return float("nan")
    inside = np.zeros(motion.shape, bool)
    down, across = motion.shape[0] / shape[0], motion.shape[1] / shape[1]
    for window in windows:
        top, left, height, width = rectangle(window, shape)
        rows = slice(round(top * down), round((top + height) * down))
        inside[rows, round(left * across) : round((left + width) * across)] = True
    return float(motion[inside].sum()) / total


def rectangle(window: sampling.Window, shape: Sequence[int]) -> tuple[int, int, int, int]:
    """(top, left, height, width) of what a window shows of a frame of ``shape`` (H, W, ...), in its pixels."""
    (top, bottom), (left, right) = (
        (max(start, 0), min(start + extent, length))
        for start, extent, length in zip(window[:2], window[2:4], shape, strict=False)
    )
    return top, left, bottom - top, right - left


def seen(frame: np.ndarray, window: sampling.Window, crop: int) -> np.ndarray:
    """A frame (H, W, 3) as a network gets it through a window: uint8 (crop, crop, 3)."""
    return shown(frame, window, crop)


def _motion(path: Path, clip: Clip, known: VideoInfo) -> tuple[np.ndarray, np.ndarray]:
    """The middle frame of the test clip (RGB), and the mean motion of pairs of frames spread over it."""
    [start] = sampling.even_starts(clip, known, 1)
    indices = sampling.frame_indices(start, clip, known)
    places = np.unique(indices[np.linspace(0, len(indices) - 1, PAIRS + 2).astype(int)[1:-1]])
    firsts = [min(int(place), known.frames - 2) for place in places]
    wanted = sorted({frame for first in firsts for frame in (first, first + 1)})
    frames = dict(zip(wanted, video.read_bgr(path, wanted, known), strict=True))
    middle = frames[firsts[len(firsts) // 2]]
    size = _working_size(middle.shape)
    grey = {index: cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
            for index, frame in frames.items()}  # fmt: skip
    compute, statistics = flow.farneback(), flow.FrameStatistics(*size[::-1])
    total = np.zeros(size[::-1], np.float32)
    for first in firsts:
        total += own_motion(compute(grey[first], grey[first + 1]), statistics)
    return cv2.cvtColor(middle, cv2.COLOR_BGR2RGB), total / len(firsts)


def own_motion(field: np.ndarray, statistics: flow.FrameStatistics) -> np.ndarray:
    """The magnitude (H, W) of a flow field (H, W, 2) without the camera's motion and without noise."""
    scale, shift = statistics.camera(field)
    height, width = field.shape[:2]
    across = np.arange(width) - (width - 1) / 2
    down = np.arange(height) - (height - 1) / 2
    camera = scale * (across + 1j * down[:, None]) + shift
    magnitude = np.hypot(field[..., 0] - camera.real, field[..., 1] - camera.imag).astype(np.float32)
    return np.where(magnitude >= NOISE, magnitude, 0)


def _working_size(shape: Sequence[int]) -> tuple[int, int]:
    """(width, height) with a shorter side of `SHORT_SIDE` pixels, or as the frame is where it is smaller."""
    scale = min(1.0, SHORT_SIDE / min(shape[:2]))
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))
