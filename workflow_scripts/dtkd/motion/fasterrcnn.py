"""Faster R-CNN (Ren et al., 2015) on MobileNetV3 as torchvision has it: the persons in a video's frames."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torchvision.models import detection

from dtkd.common.device import choose
from dtkd.common.errors import DtkdError
from dtkd.data import video
from dtkd.models.weights import load_state_dict, save_tensors
from dtkd.motion.detectors import DETECTOR

PERSON = 1
"""COCO's number of the class."""
SIDE = 320
"""Pixels of the shorter side at which the network looks at a frame."""
BATCH = {"cuda": 8, "cpu": 1}
"""Frames at a time. On a CPU more are no faster, and take more memory (8: 1.25 GB in place of 1)."""


def boxes(
    path: str | Path, weights: str | Path, device: str = "auto", step: int = 1, threshold: float = 0.5
) -> list[np.ndarray]:
    """The persons in every ``step``-th frame of a video: of each frame an array (persons, 4), float32.

    A box is left, top, right and bottom as shares of the frame's width and height, 0 to 1: it fits the frame at any
    size. ``weights``: a file of the network's state dict. ``device``: auto (a GPU where there is one), cpu or cuda.
    ``threshold``: the score, 0 to 1, from which on a box counts.

    Raises VideoError as ``video.bgr_frames``; DtkdError where the weights cannot be used or ``device`` is not there.
    """
    network, place = _network(str(weights), device)
    found = []
    for frames in _batches(video.bgr_frames(path, SIDE, step), BATCH[place.type]):
        with torch.inference_mode():
            pictures = [torch.from_numpy(frame).to(place).permute(2, 0, 1) / 255 for frame in frames]
            answers = network(pictures)
        found += [_persons(answer, frame.shape, threshold) for answer, frame in zip(answers, frames, strict=True)]
    return found


def ready(weights: str | Path, device: str = "auto") -> None:
    """Raise DtkdError where the network cannot run here with these weights."""
    _network(str(weights), device)


def save_untrained(path: str | Path) -> None:
    """Parameters that find nobody, as fast as trained ones find persons: to measure the time that it takes."""
    save_tensors(path, _untrained().state_dict())


def _batches(frames: Iterator[np.ndarray], size: int) -> Iterator[list[np.ndarray]]:
    """RGB frames, so many at a time."""
    while some := [cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for frame in islice(frames, size)]:
        yield some


def _persons(answer: dict[str, torch.Tensor], shape: tuple[int, ...], threshold: float) -> np.ndarray:
    """The boxes (persons, 4) in the network's answer to a frame of this shape."""
    height, width = shape[:2]
    chosen = (answer["labels"] == PERSON) & (answer["scores"] >= threshold)
    return answer["boxes"][chosen].cpu().numpy() / np.float32([width, height, width, height])


def _untrained() -> nn.Module:
    return detection.fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None)


@lru_cache(maxsize=1)
def _network(weights: str, device: str) -> tuple[nn.Module, torch.device]:
    """The network, once a process; of two threads that ask at the same time, each may build it."""
    place = choose(device)
    network = _untrained()
    try:
        network.load_state_dict(load_state_dict(weights))
    except RuntimeError as error:
        raise DtkdError(
            f"{weights} does not hold the parameters of {DETECTOR.name}: give those of torchvision's "
            f"({DETECTOR.weights.url}), or leave flow.persons.weights out"
        ) from error
    return network.eval().to(place), place
