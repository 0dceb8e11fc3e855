"""What decoding a video from end to end has shown: nothing is decoded here."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

SEEK_FROM = 32
"""First index from which seeking beats decoding from the first frame: they cost the same near frame 25 at 320×240."""


@dataclass(frozen=True)
class VideoInfo:
    """What decoding a video from end to end has shown.

    Lists for tuples, as JSON and parquet give them, are taken too.
    """

    frames: int
    """Frames that were decoded."""
    fps: float
    """Frames per second, their mean where the rate varies; 0.0 where the file has no times."""
    width: int
    """Of a frame as it is read, upright and with square pixels; in pixels."""
    height: int
    """In pixels."""
    keys: tuple[int, ...] = ()
    """Frames at which decoding can start, ascending; none where that would not help or was seen to go wrong."""
    start: float = 0.0
    """The file's time of the first frame, in seconds."""
    times: tuple[float, ...] | None = None
    """Seconds from the first frame to each frame, ascending; None where the rate is constant."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(map(int, self.keys)))
        if self.times is not None:
            object.__setattr__(self, "times", tuple(map(float, self.times)))

    def key_before(self, index: int) -> int | None:
        """Where decoding had best start for frame ``index``; None: at the first frame."""
        place = bisect_right(self.keys, index) - 1 if index >= SEEK_FROM else -1
        return self.keys[place] if place >= 0 else None

    def time(self, index: int) -> float:
        """Seconds from the first frame to frame ``index``; NaN where the file has no times."""
        if self.times is not None:
            return self.times[index]
        return index / self.fps if self.fps else float("nan")

    @property
    def duration(self) -> float:
        """Seconds, the last frame being shown as long as a frame is on average. NaN where the file has no times."""
        return self.time(self.frames - 1) + 1 / self.fps if self.fps else float("nan")

    def shown_at(self, seconds: np.ndarray) -> np.ndarray:
        """The frames that are shown at times (T,), counted from the first frame: (T,) integers."""
        seconds = np.asarray(seconds) + 1e-6  # a time that is a frame's own, except for its rounding
        if self.times is not None:
            shown = np.searchsorted(self.times, seconds, side="right") - 1
        else:
            shown = np.floor(seconds * self.fps).astype(int)
        return shown.clip(0, self.frames - 1)


def infos(rows: pd.DataFrame) -> tuple[VideoInfo, ...]:
    """Of the rows of an index (`videos.parquet`); nothing of an index that an earlier version made."""
    fields = list(VideoInfo.__annotations__)
    if not set(fields) <= set(rows.columns):
        return ()
    return tuple(VideoInfo(*values) for values in rows[fields].itertuples(index=False))
