"""Features of videos: one ``.npy`` file a video, (T, D) floats, a step of time in each row.

That is what common extraction tools write, `python -m dtkd.extract` among them. Files are read without pickle: one that
holds Python objects could run code, and is refused. Every problem with a file is a ``VideoError`` of one line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dtkd.common.errors import DtkdError
from dtkd.data.video import VideoError
from dtkd.data.videos import Videos

FLOATS = ("float16", "float32", "float64")


@dataclass(frozen=True)
class FeatureInfo:
    """What reading a file of features from end to end has shown."""

    steps: int
    """T."""
    dimension: int
    """D."""
    feature_change: float
    """Mean absolute difference between neighbouring steps, over all dimensions: the motion that features tell of."""


def read(path: str | Path) -> np.ndarray:
    """The features in a file: (T, D), finite, in the file's own precision.

    Raises:
        VideoError: the file is missing or damaged, or holds anything else: objects, integers, other shapes, one step,
            what is no number.
    """
    try:
        with open(path, "rb") as file:
            found = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise VideoError(f"{path}: {_unreadable(path, error)}") from None
    if found.dtype.name not in FLOATS:
        raise VideoError(f"{path}: holds {found.dtype.name}, and features are {', '.join(FLOATS)}; extract them again")
    if found.ndim != 2 or not found.size:
        raise VideoError(f"{path}: is of shape {found.shape}, and features are (T, D), steps by numbers")
    if len(found) < 2:
        raise VideoError(f"{path}: has one step only, and there is no change in one")
    if not np.isfinite(found).all():
        step = int((~np.isfinite(found)).any(axis=1).argmax())
        raise VideoError(f"{path}: step {step + 1} holds NaN or infinity; extract it again")
    return found


def _unreadable(path: str | Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    if not Path(path).stat().st_size:
        return "is empty"
    if "allow_pickle" in str(error) or "Object arrays" in str(error):
        return "holds Python objects, which could run code as they are read; save an array of floats"
    return "is cut off, or no .npy file; copy or extract it again"


def inspected(path: str | Path) -> FeatureInfo:
    """What a file holds; VideoError as in `read`."""
    found = read(path).astype(np.float64)
    return FeatureInfo(*found.shape, float(np.abs(np.diff(found, axis=0)).mean()))


def inspect(
    root: str | Path, paths: Iterable[str], threads: int = 1, progress: Callable[..., Iterable] | None = None
) -> tuple[dict[str, FeatureInfo], dict[str, str]]:
    """Read every file at ``paths`` below ``root``: path -> what it holds, and path -> why it is no use.

    Files agree in D: those of another than most have are no use. ``progress`` is as in `inspection.inspect`.
    """
    paths = list(paths)

    def told(path: str) -> tuple[str, FeatureInfo | str]:
        file = Path(root) / path
        try:
            return path, inspected(file)
        except VideoError as error:
            return path, str(error).removeprefix(f"{file}: ")

    with ThreadPoolExecutor(max(1, threads)) as pool:
        results = pool.map(told, paths)
        found = dict(progress(results, total=len(paths)) if progress and paths else results)
    sound = {path: info for path, info in found.items() if isinstance(info, FeatureInfo)}
    reasons = {path: info for path, info in found.items() if isinstance(info, str)}
    dimensions = Counter(info.dimension for info in sound.values()).most_common()
    for path, info in list(sound.items()):
        if info.dimension != dimensions[0][0]:
            reasons[path] = f"has {info.dimension} numbers a step, and most files have {dimensions[0][0]}"
            del sound[path]
    return sound, reasons


def statistics(videos: Videos) -> dict[str, object]:
    """Mean and standard deviation of each dimension over the training videos, each of which weighs the same.

    The counterpart of `pixel_statistics.statistics`. Raises DtkdError where no dimension ever changes.
    """
    first = second = np.zeros(1)
    for path in videos.paths:
        found = read(path).astype(np.float64)
        first = first + found.mean(axis=0)
        second = second + (found**2).mean(axis=0)
    first, second = first / len(videos), second / len(videos)
    deviation = np.sqrt(np.maximum(second - first**2, 0))
    if not deviation.max() > 0:
        raise DtkdError(
            f"all training videos, such as {videos.paths[0]}, have the same features, from which nothing can be "
            "learnt: look at the files, and correct `videos` of the data set"
        )
    return {"of": "features", "mean": _significant(first), "std": _significant(deviation), "videos": len(videos)}


def _significant(values: Sequence[float]) -> list[float]:
    """To six significant digits: features may be small numbers."""
    return [float(f"{value:.6g}") for value in values]
