"""What clips show of a frame: crops of it, or the whole frame, squashed or with margins (`augment.fit`). No torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import cv2
import numpy as np

from dtkd.config import Augment

GREY = (115, 115, 115)
"""Margins where no data set's mean colour is known."""

MUCH_UNSEEN = 0.55
"""A smaller share of the frame is worth a warning; the centre crop of 16:9 shows 0.56."""


class Window(NamedTuple):
    """The part of a frame that a clip shows, in whole pixels of the source, and whether it is mirrored.

    With letterbox it is larger than the frame across the longer side: what lies outside becomes margins.
    """

    top: int
    left: int
    height: int
    width: int
    mirrored: bool = False


def references(augment: Augment, height: int, width: int) -> tuple[int, int]:
    """What is scaled to a given size, of the height and of the width, in pixels of the source.

    crop: the shorter side (RandomShortSideScale); letterbox: the longer one; squash: each by itself.
    """
    match augment.fit:
        case "crop":
            return (min(height, width),) * 2
        case "letterbox":
            return (max(height, width),) * 2
        case "squash":
            return height, width


def slack(augment: Augment, height: int, width: int, size: int) -> tuple[int, int]:
    """How far down and across a crop can move in the frame scaled to ``size`` (rounded as torchvision does)."""
    lengths = zip((height, width), references(augment, height, width), strict=True)
    return tuple(max(length * size // reference - augment.crop, 0) for length, reference in lengths)


def window_at(augment: Augment, height: int, width: int, size: int, down: int, across: int) -> Window:
    """The source pixels of the crop at (down, across) in the frame scaled to ``size``, to the nearest whole pixel.

    A frame that is smaller than the crop (letterbox) is in its middle.
    """
    starts, extents = [], []
    for length, reference, place in zip(
        (height, width), references(augment, height, width), (down, across), strict=True
    ):
        scale = size / reference
        extent = min(round(augment.crop / scale), reference)
        starts.append(min(round(place / scale), length - extent) if extent <= length else (length - extent) // 2)
        extents.append(extent)
    return Window(*starts, *extents)


def test_windows(augment: Augment, height: int, width: int, crops: int) -> list[Window]:
    """At the fixed short side, the centre or three places along the longer side; squash, letterbox: the whole frame."""
    augment.check_crops(crops)
    size = augment.test_short_side if augment.fit == "crop" else augment.crop
    down, across = slack(augment, height, width, size)
    places = [0.5] if crops == 1 else [k / (crops - 1) for k in range(crops)]
    pairs = [(0.5, place) if width >= height else (place, 0.5) for place in places]
    return [window_at(augment, height, width, size, round(down * y), round(across * x)) for y, x in pairs]


def shown(frame: np.ndarray, window: Window, crop: int, margins: tuple[int, int, int] = GREY) -> np.ndarray:
    """What a window shows of a frame (H, W, 3), uint8: (crop, crop, 3). ``margins`` are as the frame's channels."""
    top, left, height, width, mirrored = window
    part = frame[max(top, 0) : top + height, max(left, 0) : left + width]
    size = tuple(max(1, round(crop * own / whole)) for own, whole in zip(part.shape, (height, width), strict=False))
    image = _resized(part, *size)
    if size != (crop, crop):
        above, before = ((crop - length) // 2 for length in size)
        below, behind = crop - size[0] - above, crop - size[1] - before
        image = cv2.copyMakeBorder(image, above, below, before, behind, cv2.BORDER_CONSTANT, value=margins)
    return cv2.flip(image, 1) if mirrored else image


def _resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Linear interpolation reads every source pixel up to a reduction by 2; from there on, areas are averaged."""
    tall, wide = image.shape[:2]
    averaged = width if wide > 2 * width else wide, height if tall > 2 * height else tall
    if averaged != (wide, tall):
        image = cv2.resize(image, averaged, interpolation=cv2.INTER_AREA)
    return image if averaged == (width, height) else cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)


def crop(
    frames: Iterable[np.ndarray], count: int, size: int, windows: Callable[[int, int], list[Window]],
    margins: tuple[int, int, int] = GREY,
) -> np.ndarray:  # fmt: skip
    """What windows show of ``count`` frames, uint8 (H, W, 3) BGR each: clips uint8 (V, 3, T, size, size), RGB.

    ``windows`` are asked for with the frames' height and width; ``margins`` are RGB. Nothing else of a frame is scaled,
    and each frame goes straight into its place in the clips.
    """
    views = clips = None
    for t, frame in enumerate(frames):
        if views is None:
            views = windows(*frame.shape[:2])
            clips = np.empty((len(views), 3, count, size, size), np.uint8)
        for window, clip in zip(views, clips, strict=True):
            image = shown(frame, window, size, margins[::-1])
            cv2.split(image, [clip[2, t], clip[1, t], clip[0, t]])
    return clips


# To look at


def as_fed(frame: np.ndarray, augment: Augment, crops: int = 1) -> np.ndarray:
    """A frame (H, W, 3), uint8, as networks meet it in a test: dark where no crop is; squashed; or with margins."""
    windows = test_windows(augment, *frame.shape[:2], crops)
    if augment.fit != "crop":
        return shown(frame, windows[0], augment.crop)
    unseen = ~np.logical_and.outer(*_seen(windows, *frame.shape[:2]))
    picture = frame.copy()
    picture[unseen] //= 3
    return picture


def share_shown(augment: Augment, height: int, width: int, crops: int = 1) -> float:
    """The share of a frame's area that clips show in a test (0 to 1)."""
    rows, columns = _seen(test_windows(augment, height, width, crops), height, width)
    return float(rows.mean() * columns.mean())


def _seen(windows: list[Window], height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows (H,) and the columns (W,) of a frame that test windows show, bool: together they are a rectangle."""
    rows, columns = np.zeros(height, bool), np.zeros(width, bool)
    for top, left, tall, wide, _ in windows:
        rows[max(top, 0) : top + tall] = True
        columns[max(left, 0) : left + wide] = True
    return rows, columns


def much_unseen(sizes: Iterable[tuple[int, int]], augment: Augment, crops: int = 1) -> str | None:
    """A warning where test clips show little of most frames; ``sizes`` are the videos' (height, width)."""
    sizes = [tuple(size) for size in sizes]
    shares = {size: share_shown(augment, *size, crops) for size in set(sizes)}
    height, width = sorted(sizes, key=shares.get)[len(sizes) // 2] if sizes else (1, 1)
    if not sizes or shares[height, width] >= MUCH_UNSEEN:
        return None
    return (
        f"test clips show {shares[height, width]:.0%} of a frame of {width}×{height}, the crop in its middle, and "
        "nothing of what happens beside it: augment.fit: squash or letterbox shows whole frames"
    )
