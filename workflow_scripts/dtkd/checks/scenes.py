"""Which videos show the same place: what stays in the picture while people move.

A video's background is the median of a few of its pictures. Two videos show one place if most parts of their
backgrounds that have any structure (not those of a plain wall, which is everywhere) have the same colour. People who
stand still are part of a background, so that ``SHARE`` leaves room for them. Calibrated on 120 real clips from two
places, and on drawn scenes with plain walls: from 0.6 on, no pair of two different places.
"""

from __future__ import annotations

import numpy as np

SHARE = 0.6
"""Of the structured parts of two backgrounds, how many must look the same."""
COLOUR = 12.0
"""Levels (of 255) by which a colour channel of a part may differ."""
STRUCTURED = 0.25
"""Of all parts of a picture, how many must have structure; of fewer, nothing can be said."""
LOOSELY = 0.4
"""Correlation of backgrounds from which on two are compared in full."""
WHOLE = 0.8
"""A place that so large a share of the videos shows is the place of the data set."""

_BLOCK = 64  # videos that are compared with all others at a time


def same_places(pictures: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of videos, by their numbers, that show the same place.

    ``pictures`` are those of `thumbnails`: uint8 (N, K, S, S, 3), BGR.
    """
    backgrounds = np.median(pictures, axis=1).astype(np.float32)
    structured = _structured(backgrounds).reshape(len(backgrounds), -1)
    flat = backgrounds.reshape(len(backgrounds), -1, 3)
    rough = (flat - flat.mean(1, keepdims=True)).reshape(len(flat), -1)
    rough /= np.maximum(np.linalg.norm(rough, axis=1, keepdims=True), 1e-6)
    pairs = []
    for start in range(0, len(flat), _BLOCK):
        one, two = np.nonzero(rough[start : start + _BLOCK] @ rough[start:].T >= LOOSELY)
        one, two = start + one[one < two], start + two[one < two]
        for part in range(0, len(one), 4096):
            a, b = one[part : part + 4096], two[part : part + 4096]
            either = structured[a] | structured[b]
            alike = np.abs(flat[a] - flat[b]).max(-1) <= COLOUR
            number = either.sum(1)
            same = ((alike & either).sum(1) >= SHARE * number) & (number >= STRUCTURED * either.shape[1])
            pairs += zip(a[same].tolist(), b[same].tolist(), strict=True)
    return sorted(pairs)


def _structured(backgrounds: np.ndarray) -> np.ndarray:
    """Which parts (N, S, S) of backgrounds (N, S, S, 3) differ from one beside them."""
    found = np.zeros(backgrounds.shape[:3], bool)
    across = np.abs(np.diff(backgrounds, axis=2)).max(-1) > COLOUR
    down = np.abs(np.diff(backgrounds, axis=1)).max(-1) > COLOUR
    for edges, one, two in (
        (across, np.s_[:, :, 1:], np.s_[:, :, :-1]),
        (down, np.s_[:, 1:], np.s_[:, :-1]),
    ):
        found[one] |= edges
        found[two] |= edges
    return found
