"""Videos that are there twice: the same file, a copy in another size or coding, or parts of one recording.

Two pictures show the same moment if no part of them, a 16th of their height and width, differs by much: by few grey
levels, and by less than what moves within either video. A video all of whose pictures are another's, in their order, is
a copy of it; two videos that share several moments, at the same distance in time, were cut from one recording.

One place with the same person at other moments does not pass. Measured: of 7,140 pairs of 120 real clips, filmed in two
places, none does, nor does one of 12,246 pairs of drawn clips of one hall with one camera, whereas 30 of 30 copies of
half the size and under strong compression do, 24 of 30 whose first half second is cut away, and about 12 of 30 halves.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

COPY = (20.0, 0.35)
"""Grey levels (of 255), and the share of what changes within the videos, by which pictures of a copy may differ."""
PART = (16.0, 0.25)
"""The same for those of parts of a recording, which are compared at any distance in time and so have more chances."""
MOMENTS = 3
"""Different moments that two parts of one recording share, at least."""
STILL = 8.0
"""Grey levels: where no more than that changes within a video, pictures cannot tell its copies."""
PLAIN = 15.0
"""Grey levels: a picture whose parts differ by less, such as a black one, is no moment to know again."""
ALIKE = 0.8
"""Correlation of half-size pictures, less the data set's mean one, from which on two are compared in full."""

_BLOCK = 512  # pictures that are compared with all others at a time


@dataclass(frozen=True)
class Pair:
    """Two videos, by their numbers, that show the same."""

    first: int
    second: int
    kind: str
    """file (the same bytes), copy (all of it, in another coding or size) or part (of the same recording)."""
    mirrored: bool = False


def same_files(root: str | Path, paths: Sequence[str], sizes: Sequence[int]) -> list[Pair]:
    """Pairs of files with the same content, each later one with the first; only files of one size are read."""
    by_size = defaultdict(list)
    for number, size in enumerate(sizes):
        by_size[size].append(number)
    pairs = []
    for numbers in by_size.values():
        first: dict[str, int] = {}
        for number in numbers if len(numbers) > 1 else ():
            with open(Path(root, paths[number]), "rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            if content in first:
                pairs.append(Pair(first[content], number, "file"))
            first.setdefault(content, number)
    return sorted(pairs, key=lambda pair: (pair.first, pair.second))


def same_recordings(pictures: np.ndarray, seconds: np.ndarray) -> list[Pair]:
    """Pairs of videos that are copies of each other or parts of one recording, mirrored ones too.

    ``pictures`` are those of `thumbnails`: uint8 (N, K, S, S, 3), BGR; ``seconds`` (N, K) their times in the videos.
    """
    grey = pictures.astype(np.float32).mean(-1)
    grey -= grey.mean((-1, -2), keepdims=True)  # another exposure is no other moment
    change = np.array([np.abs(own[:, None] - own[None]).max() for own in grey])
    usable = (np.abs(grey).max((-1, -2)) >= PLAIN) & (change >= STILL)[:, None]
    found: dict[tuple[int, int], Pair] = {}
    for mirrored in (False, True):
        for first, second, differences in _alike(grey, grey[..., ::-1] if mirrored else grey, usable, change):
            least = min(change[first], change[second])
            if differences.diagonal().max() <= _limit(COPY, least):
                found.setdefault((first, second), Pair(first, second, "copy", mirrored))
                continue
            same, apart = np.argwhere(differences <= _limit(PART, least)), _limit(PART, least)
            if _shared_moments(same, grey[first], apart, seconds[first], seconds[second]) >= MOMENTS:
                found.setdefault((first, second), Pair(first, second, "part", mirrored))
    return [found[key] for key in sorted(found)]


def _limit(of: tuple[float, float], change: float) -> float:
    return min(of[0], of[1] * change)


def _shared_moments(same: np.ndarray, pictures: np.ndarray, apart: float, one: np.ndarray, two: np.ndarray) -> int:
    """How many different moments two videos share at one distance in time.

    ``same`` (M, 2) are the pictures, by their numbers in each video, that look the same; ``one`` and ``two`` (K,) the
    pictures' seconds. Moments at which the first video's ``pictures`` (K, S, S) differ by less than ``apart`` are one.
    """
    distances = two[same[:, 1]] - one[same[:, 0]]
    leeway = max(np.diff(one).mean(), np.diff(two).mean())  # the pictures do not hit the same moments
    most = 0
    for distance in distances:
        places = np.unique(same[(distances >= distance) & (distances <= distance + leeway), 0])
        moments, last = 0, None
        for place in places:
            if last is None or np.abs(pictures[place] - pictures[last]).max() > apart:
                moments, last = moments + 1, place
        most = max(most, moments)
    return most


def _alike(
    grey: np.ndarray, others: np.ndarray, usable: np.ndarray, change: np.ndarray
) -> Iterator[tuple[int, int, np.ndarray]]:
    """(first, second, how much their pictures differ at most (K, K)) of the videos that share any; first < second.

    A difference that is too great for a copy is given as infinite. ``others`` are the pictures, or their mirror images.
    """
    count, frames = grey.shape[:2]
    usual = _halved(grey).mean(0)  # what a fixed camera shows all the time says nothing of the moment
    small, small_others = (_directions(_halved(each) - usual) for each in (grey, others))
    flat, flat_others = (each.reshape(count * frames, -1) for each in (grey, others))
    numbers, owner = np.flatnonzero(usable), np.arange(count * frames) // frames
    found: dict[tuple[int, int], np.ndarray] = defaultdict(lambda: np.full((frames, frames), np.inf))
    for start in range(0, len(numbers), _BLOCK):
        block = numbers[start : start + _BLOCK]
        later = numbers[owner[numbers] > owner[block[0]]]
        one, two = np.nonzero(small[block] @ small_others[later].T >= ALIKE)
        one, two = block[one], later[two]
        one, two = (each[owner[one] < owner[two]] for each in (one, two))
        for part in range(0, len(one), 1 << 16):
            a, b = one[part : part + (1 << 16)], two[part : part + (1 << 16)]
            differences = np.abs(flat[a] - flat_others[b]).max(1)
            least = np.minimum(change[owner[a]], change[owner[b]])
            near = differences <= np.minimum(COPY[0], COPY[1] * least)
            for p, q, difference in zip(a[near].tolist(), b[near].tolist(), differences[near].tolist(), strict=True):
                found[p // frames, q // frames][p % frames, q % frames] = difference
    for (first, second), differences in sorted(found.items()):
        yield first, second, differences


def _halved(grey: np.ndarray) -> np.ndarray:
    """Every picture (N, K, S, S) at half its sides: (N · K, S² / 4)."""
    count, frames, side, _ = grey.shape
    return grey.reshape(count * frames, side // 2, 2, side // 2, 2).mean((2, 4)).reshape(count * frames, -1)


def _directions(rows: np.ndarray) -> np.ndarray:
    """Rows with length 1."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
