"""A few tiny pictures of every video, spread over its length: enough to find copies and shared places.

They are kept in a file beside the index, so that a second check of the same videos decodes none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa

from dtkd.common.files import atomic, read_parquet
from dtkd.data import video
from dtkd.data.video_info import VideoInfo

FRAMES = 9
"""Pictures of a video, the first and the last frame among them."""
SIDE = 16
"""Pixels of a picture, which is square whatever the frame's shape: a copy of another size gives the same one."""
FORMAT = 1
"""Raise it when pictures are made in another way."""

_SHAPE = (FRAMES, SIDE, SIDE, 3)


def numbers(known: VideoInfo) -> list[int]:
    """The frames that are pictured."""
    return np.linspace(0, known.frames - 1, FRAMES).astype(int).tolist()


def seconds(infos: Sequence[VideoInfo]) -> np.ndarray:
    """When each picture of each video is shown: (N, FRAMES); of a file without times, as at 25 frames a second."""
    return np.array([[known.time(index) if known.fps else index / 25 for index in numbers(known)] for known in infos])


def of_video(path: str | Path, known: VideoInfo) -> np.ndarray:
    """A video's pictures: uint8 (FRAMES, SIDE, SIDE, 3), BGR. Raises VideoError as ``video.read_bgr``.

    Of a video with key frames only what lies between one of them and a frame that is wanted is decoded.
    """
    runs: list[list[int]] = []
    for index in numbers(known):
        if runs and (known.key_before(index) or 0) <= runs[-1][-1]:
            runs[-1].append(index)  # decoding goes on from the frame before
        else:
            runs.append([index])
    frames = [frame for run in runs for frame in video.read_bgr(path, run, known)]
    return np.stack([cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for frame in frames])


def of_videos(
    root: str | Path,
    index: pd.DataFrame,
    infos: Sequence[VideoInfo],
    kept: str | Path,
    threads: int = 1,
    progress: Callable[..., Iterable] | None = None,
) -> np.ndarray:
    """The pictures of every video of an index: uint8 (N, FRAMES, SIDE, SIDE, 3), BGR.

    ``kept`` is the parquet file of those that an earlier call has made; it is brought up to date. ``progress`` wraps
    the iteration over the others, as ``tqdm(iterable, total=n)`` does. Raises VideoError for a video that can no
    longer be read.
    """
    states = list(index[["path", "bytes", "mtime_ns"]].itertuples(index=False, name=None))
    known = _read(kept)
    todo = [number for number, state in enumerate(states) if state not in known]

    def made(number: int) -> np.ndarray:
        return of_video(Path(root, states[number][0]), infos[number])

    with ThreadPoolExecutor(threads) as pool:
        results = pool.map(made, todo)
        for number, pictures in zip(
            todo, progress(results, total=len(todo)) if progress and todo else results, strict=True
        ):
            known[states[number]] = pictures
    found = np.stack([known[state] for state in states])
    if todo:
        _write(kept, states, found)
    return found


def _read(kept: str | Path) -> dict[tuple[str, int, int], np.ndarray]:
    """(path, bytes, mtime_ns) -> pictures; nothing where there is no such file, half of one or an older form."""
    try:
        rows = read_parquet(kept)
        return {
            (row.path, row.bytes, row.mtime_ns): np.frombuffer(row.pictures, np.uint8).reshape(_SHAPE)
            for row in rows[rows["format"] == FORMAT].itertuples()
        }
    except (OSError, pa.ArrowException, KeyError, AttributeError, ValueError):
        return {}


def _write(kept: str | Path, states: Sequence[tuple[str, int, int]], pictures: np.ndarray) -> None:
    table = pd.DataFrame(states, columns=["path", "bytes", "mtime_ns"])
    table = table.assign(pictures=[one.tobytes() for one in pictures], format=FORMAT)
    with atomic(kept) as temporary:
        table.to_parquet(temporary, index=False)
