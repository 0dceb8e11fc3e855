"""Optical flow (section 3.1): per video a table of statistics, one row a frame pair; per class one row a video.

The paper names no algorithm, resolution or aggregation; what is kept here lets other choices be tried without
computing flow again: mean, spread and quantiles of the magnitude, and how much of it is the camera's.

Units: every magnitude is in pixels a frame of the source, at the working size. With ``step`` > 1 a pair is ``step``
frames apart and its displacement is divided by ``step``; with ``short_side`` a pixel is one of the scaled frame.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from . import video
from .errors import DtkdError, UnwritableError
from .files import atomic

FlowFunction = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(previous, next), both uint8 (H, W) -> float32 (H, W, 2): the displacement in pixels, x then y."""

QUANTILES = {"q50": 0.50, "q75": 0.75, "q90": 0.90, "q99": 0.99}
MEASURES = ["mean", "std", *QUANTILES, "camera", "residual"]
SUMMARY = ["video", "frames", "pairs", *MEASURES, "median"]
METADATA_KEY = b"dtkd.flow"
FORMAT = 1
"""Raise it when the meaning of a column changes: a flow job then keeps no older table."""


# Algorithms: a new one is one function and one name. A factory is called once a video.


def farneback() -> FlowFunction:
    """Farnebäck's polynomial expansion, with the usual parameters."""

    usual = {"pyr_scale": 0.5, "levels": 3, "winsize": 15, "iterations": 3, "poly_n": 5, "poly_sigma": 1.2, "flags": 0}
    return lambda previous, following: cv2.calcOpticalFlowFarneback(previous, following, None, **usual)


def dis(preset: int) -> FlowFunction:
    """Dense inverse search, with one of OpenCV's presets."""
    algorithm = cv2.DISOpticalFlow_create(preset)
    return lambda previous, following: algorithm.calc(previous, following, None)


def tvl1() -> FlowFunction:
    """Dual TV-L1, with OpenCV's default parameters."""
    if not hasattr(cv2, "optflow"):
        raise DtkdError("flow algorithm tvl1 is not in this build of OpenCV: install opencv-contrib-python.")
    algorithm = cv2.optflow.DualTVL1OpticalFlow_create()
    return lambda previous, following: algorithm.calc(previous, following, None)


ALGORITHMS: dict[str, Callable[[], FlowFunction]] = {
    "farneback": farneback,
    "dis_fast": lambda: dis(cv2.DISOPTICAL_FLOW_PRESET_FAST),
    "dis_medium": lambda: dis(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM),
    "tvl1": tvl1,
}


@dataclass(frozen=True)
class Settings:
    """What decides a video's flow table, besides the video. Raises DtkdError where a value makes no sense."""

    algorithm: str = "farneback"
    step: int = 1
    """Frames between the two of a pair, and between pairs."""
    short_side: int | None = None
    """Shorter side of the frames that flow is computed on, in pixels (None: as decoded)."""

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise DtkdError(f"flow algorithm {self.algorithm!r} is not known: choose one of {', '.join(ALGORITHMS)}.")
        if self.step < 1:
            raise DtkdError(f"flow step {self.step} is not possible: choose 1 or more frames.")
        if self.short_side is not None and self.short_side < 16:
            raise DtkdError(f"flow short_side {self.short_side} is too small: choose at least 16 pixels, or none.")


class FrameStatistics:
    """The statistics of flow fields of one shape; buffers and the camera's grid are made once."""

    def __init__(self, height: int, width: int) -> None:
        self.x, self.y, self.magnitude = (np.empty((height, width), np.float32) for _ in range(3))
        row = np.arange(width, dtype=np.float32) - np.float32((width - 1) / 2)
        column = np.arange(height, dtype=np.float32) - np.float32((height - 1) / 2)
        self.row, self.column = row, column[:, None]
        self.stride = max(1, round((height * width / 500) ** 0.5))
        self.grid = (row[:: self.stride] + 1j * column[:: self.stride, None]).astype(np.complex64).ravel()
        self.reach = float(np.abs(self.grid).max())
        self.ranks = [q * (height * width - 1) for q in QUANTILES.values()]

    def __call__(self, flow: np.ndarray) -> tuple[float, ...]:
        """The ``MEASURES`` of a flow field, float32 (H, W, 2): pixels of displacement.

        ``mean``, ``std``, ``q50`` ... ``q99`` are of the magnitude over all pixels (quantiles as numpy's, linear);
        ``camera`` is the mean magnitude of the fitted global motion, ``residual`` that of the flow without it.
        """
        cv2.extractChannel(flow, 0, self.x)
        cv2.extractChannel(flow, 1, self.y)
        cv2.magnitude(self.x, self.y, self.magnitude)
        mean, std = (float(value[0, 0]) for value in cv2.meanStdDev(self.magnitude))
        ordered = self.magnitude.ravel()
        ordered.sort()  # numpy's vectorised sort of float32 is quicker than a partition at four places
        quantiles = [_interpolated(ordered, rank) for rank in self.ranks]
        scale, shift = self.camera(flow)
        camera = float(np.abs(scale * self.grid + shift).mean())
        self.x -= np.float32(scale.real) * self.row - (np.float32(scale.imag) * self.column - np.float32(shift.real))
        self.y -= np.float32(scale.imag) * self.row + (np.float32(scale.real) * self.column + np.float32(shift.imag))
        residual = cv2.mean(cv2.magnitude(self.x, self.y, self.magnitude))[0]
        return mean, std, *quantiles, camera, residual

    def camera(self, flow: np.ndarray) -> tuple[complex, complex]:
        """The global motion: flow ≈ scale·z + shift, where z = x + iy is a pixel's place from the frame's centre.

        ``shift`` is the pan, ``scale`` the zoom (real part) and roll (imaginary part), fitted to about 500 points of
        a grid: from the median flow, up to eight rounds of least squares with Tukey's weights, whose width follows the
        median residual (at least 0.05 px), so that what moves on its own does not pull the fit. The rounds end when
        the fit moves by less than 0.001 px.
        """
        z = self.grid
        f = np.ascontiguousarray(flow[:: self.stride, :: self.stride]).view(np.complex64).ravel()
        scale, shift = 0j, complex(np.median(f.real), np.median(f.imag))
        for _ in range(8):
            distance = np.abs(f - (scale * z + shift))
            middle = np.partition(distance, distance.size // 2)[distance.size // 2]
            weight = np.maximum(0, 1 - (distance / (4.685 * max(float(middle) / 1.177, 0.05))) ** 2) ** 2
            total = weight.sum()
            z_mean, f_mean = weight @ z / total, weight @ f / total
            centred = weight * (z - z_mean).conj()
            spread = (centred @ (z - z_mean)).real
            last = scale, shift
            scale = complex(centred @ (f - f_mean) / spread) if spread > 0 else 0j
            shift = complex(f_mean - scale * z_mean)
            if abs(scale - last[0]) * self.reach + abs(shift - last[1]) < 1e-3:
                break
        return scale, shift


def video_flow(
    path: str | Path, algorithm: str = "farneback", step: int = 1, short_side: int | None = None
) -> pd.DataFrame:
    """Flow statistics of one video: one row a frame pair, in ``attrs["frames"]`` the number of frames decoded.

    Columns: ``pair`` (int32, from 0; its frames are ``pair·step`` and ``(pair+1)·step``), ``time`` (float64, seconds,
    of the first frame; NaN where the container gives no frame rate), and, float32 in pixels a frame of the source
    (see the module): ``mean``, ``std``, ``q50``, ``q75``, ``q90``, ``q99``, ``camera``, ``residual``
    (see ``FrameStatistics``).

    Raises VideoError (see ``video.grey_frames``), and where the video has too few frames for one pair or frames too
    small for the algorithm; DtkdError where the settings make no sense.
    """
    settings = Settings(algorithm, step, short_side)
    fps = video.probe(path).fps
    compute, statistics, rows, decoded = ALGORITHMS[settings.algorithm](), None, [], []

    def frames() -> Iterator[np.ndarray]:
        decoded.append((yield from video.grey_frames(path, short_side, step)))

    for previous, following in pairwise(frames()):
        try:
            flow = compute(previous, following)
        except cv2.error as error:
            height, width = previous.shape
            reason = " ".join(str(error.err).split())
            raise video.VideoError(
                f"{path}: {algorithm} flow fails on frames of {width}×{height} px ({reason}): "
                "choose another short_side or algorithm, or leave the video out of the dataset."
            ) from error
        statistics = statistics or FrameStatistics(*previous.shape)
        rows.append(statistics(flow))
    if not rows:
        raise video.VideoError(
            f"{path}: has {decoded[0]} frame(s), too few for one pair {step} apart: leave it out of the dataset"
            f"{' or choose a smaller step' if step > 1 else ''}."
        )
    pair = np.arange(len(rows), dtype=np.int32)
    table = pd.DataFrame(np.array(rows, np.float32) / np.float32(step), columns=MEASURES)
    table.insert(0, "pair", pair)
    table.insert(1, "time", pair * (step / fps) if fps else np.nan)
    table.attrs["frames"] = decoded[0]
    return table


def write_video_flow(path: str | Path, out: str | Path, settings: Settings) -> dict[str, object]:
    """Write the flow table of the video ``path`` to the parquet ``out``, atomically; return its summary row.

    The file's schema metadata holds, as JSON under ``dtkd.flow``: ``format``, ``settings``, ``source`` (size in bytes
    and mtime_ns of the video), ``frames`` (decoded) and ``opencv`` (version; recorded, not compared).

    Raises as ``video_flow``.
    """
    recipe = _recipe(path, settings)
    table = video_flow(path, **asdict(settings))
    frames = table.attrs.pop("frames")
    metadata = recipe | {"frames": frames, "opencv": cv2.__version__}
    stored = pa.Table.from_pandas(table, preserve_index=False)
    stored = stored.replace_schema_metadata({METADATA_KEY: json.dumps(metadata)})
    with atomic(out) as temporary:
        pq.write_table(stored, temporary, compression="zstd")
    return _summary(Path(out).stem, table, frames)


def class_flow(
    videos: Iterable[tuple[str, str | Path, str | Path]],
    settings: Settings,
    progress: Callable[..., Iterable] | None = None,
    threads: int = 1,
) -> pd.DataFrame:
    """Bring one class's folder of flow tables up to date and summarise it: one row a video, in the given order.

    ``videos`` are (name, video path, parquet path); all the parquet paths share one folder, which holds nothing else.
    Computed are only the videos whose parquet is missing, unreadable, or made from other settings or another state of
    the video (its size and mtime_ns); parquet files of videos no longer listed are removed.

    ``progress`` wraps the iteration over the videos to compute, as ``tqdm(iterable, total=n)`` does. ``threads`` videos
    are computed at a time (OpenCV lets go of Python's lock), each on one thread of OpenCV's if the caller has said
    ``cv2.setNumThreads(1)``.

    Columns: ``video``, ``frames`` (decoded), ``pairs``; ``mean``, ``std``, ``q50`` ... ``q99``, ``camera``,
    ``residual`` (averages over the pairs, pixels a frame); ``median`` (of the pairs' means).

    Raises one DtkdError that lists every bad video with its reason, after all good ones are done.
    """
    videos = [(name, Path(path), Path(out)) for name, path, out in videos]
    outs = {out for _, _, out in videos}
    if not videos or len(outs) < len(videos) or len({out.parent for out in outs}) > 1:
        raise ValueError("class_flow needs at least one video, and parquet paths that differ but share one folder")
    for file in videos[0][2].parent.glob("*.parquet"):
        if file not in outs:
            file.unlink()

    rows: dict[str, dict[str, object]] = {}
    bad: dict[str, str] = {}
    todo = []
    for name, path, out in videos:
        try:
            row = _stored_summary(out, _recipe(path, settings))
        except DtkdError as error:
            bad[name] = str(error)
            out.unlink(missing_ok=True)
            continue
        if row is None:
            todo.append((name, path, out, settings))
        else:
            rows[name] = row | {"video": name}
    with ThreadPoolExecutor(threads) as pool:
        results = pool.map(_compute, todo)
        for name, row, reason in progress(results, total=len(todo)) if progress and todo else results:
            if reason:
                bad[name] = reason
            else:
                rows[name] = row
    if bad:
        listed = "; ".join(bad[name].rstrip(".") for name, _, _ in videos if name in bad)
        raise DtkdError(f"{len(bad)} of {len(videos)} videos have no optical flow (the others are done): {listed}.")
    return pd.DataFrame([rows[name] for name, _, _ in videos], columns=SUMMARY)


def _compute(task: tuple[str, Path, Path, Settings]) -> tuple[str, dict[str, object] | None, str | None]:
    """(name, summary row, None), or (name, None, reason) where the video is bad; its outdated table is then removed."""
    name, path, out, settings = task
    try:
        return name, write_video_flow(path, out, settings) | {"video": name}, None
    except UnwritableError:
        raise
    except DtkdError as error:
        out.unlink(missing_ok=True)
        return name, None, str(error)


def _recipe(path: str | Path, settings: Settings) -> dict[str, object]:
    """What a stored table must have been made from to be kept."""
    try:
        source = os.stat(path)
    except OSError as error:
        raise video.VideoError(f"{path}: cannot be read ({error.strerror}): check the path.") from error
    return {
        "format": FORMAT,
        "settings": asdict(settings),
        "source": {"size": source.st_size, "mtime_ns": source.st_mtime_ns},
    }


def _stored_summary(out: Path, recipe: dict[str, object]) -> dict[str, object] | None:
    """The summary of a stored table, or None where there is none, it cannot be read, or it has another recipe."""
    try:
        with pq.ParquetFile(out) as file:
            stored = file.read()
        metadata = json.loads(stored.schema.metadata[METADATA_KEY])
        if any(metadata[key] != recipe[key] for key in recipe):
            return None
        return _summary(out.stem, stored.to_pandas(), metadata["frames"])
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError):
        return None  # no table, half of one, or somebody else's: it is computed and replaced


def _summary(name: str, table: pd.DataFrame, frames: int) -> dict[str, object]:
    """One video's row (``SUMMARY``), from its table."""
    values = table[MEASURES].to_numpy(np.float64)
    averages = dict(zip(MEASURES, values.mean(axis=0).tolist(), strict=True))
    median = float(np.median(values[:, MEASURES.index("mean")]))
    return {"video": name, "frames": int(frames), "pairs": len(table), **averages, "median": median}


def _interpolated(ordered: np.ndarray, rank: float) -> float:
    """The value at a fractional rank of sorted values."""
    low = int(rank)
    below, above = float(ordered[low]), float(ordered[min(low + 1, ordered.size - 1)])
    return below + (above - below) * (rank - low)
