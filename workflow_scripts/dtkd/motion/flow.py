"""Optical flow (section 3.1): per video a table of statistics, one row a frame pair; per class one row a video.

The paper names no algorithm, resolution or aggregation; what is kept here lets other choices be tried without
computing flow again: mean, spread and quantiles of the magnitude over all pixels, how much of it is the camera's, and
means over some pixels only, those in the middle, those that move and, if a study asks for it, those of persons. Over
time, one number a pair becomes one a video in one of several ways (``OVER_TIME``).

Units: every magnitude is in pixels a frame of the source, at the working size. With ``step`` > 1 a pair is ``step``
frames apart and its displacement is divided by ``step``; with ``short_side`` a pixel is one of the scaled frame. A
class's summary can be in pixels a second instead (``unit``), by the frames' own times: one motion then counts the same
whatever the camera's frame rate. The tables of videos stay as they are.
"""

import json
import os
from array import array
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dtkd.common import gpus
from dtkd.common.errors import DtkdError, UnwritableError
from dtkd.common.files import atomic
from dtkd.common.provenance import sha256
from dtkd.common.registry import resolved
from dtkd.data import video
from dtkd.motion import persons
from dtkd.motion.algorithms import ALGORITHMS
from dtkd.motion.detectors import DETECTOR, PERSON_MEASURES

FlowFunction = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(previous, next), both uint8 (H, W) -> float32 (H, W, 2): the displacement in pixels, x then y."""

QUANTILES = {"q50": 0.50, "q75": 0.75, "q90": 0.90, "q99": 0.99}
MEASURES = ["mean", "std", *QUANTILES, "camera", "residual", "centre", "moving"]
MOVES = 0.5
"""Pixels a frame from which on a pixel counts as moving, and a pair of frames as one in which something moves."""
USUAL_FPS = 25
"""Frames a second at which ``MOVES`` is as much in pixels a second."""
OVER_TIME: dict[str, Callable[[np.ndarray, np.ndarray | None, float], float]] = {
    "mean": lambda values, weights, moves: np.average(values, weights=weights),
    "max": lambda values, weights, moves: values.max(),
    "q90": lambda values, weights, moves: np.quantile(values, 0.9),
    "share": lambda values, weights, moves: np.average(values > moves, weights=weights),
}
"""How a measure's values of the pairs (P,) become one of the video. ``weights`` are the pairs' seconds where the unit
is the second (frame rates may vary); ``share`` is the share of the time, 0 to 1, in which a measure exceeds ``moves``.
"""
SUMMARY = ["video", "frames", "pairs", *MEASURES, "median"]
PERSON_SUMMARY = [*PERSON_MEASURES, "with_person"]
"""What a summary has beside ``SUMMARY`` where persons are sought."""
METADATA_KEY = b"dtkd.flow"
FORMAT = 1
"""Raise it when the meaning of a column changes: a flow job then keeps no older table."""


# Algorithms that are OpenCV's: `algorithms` has their names. Each is called once a video.


def farneback() -> FlowFunction:
    """Farnebäck's polynomial expansion, with the usual parameters."""
    usual = {"pyr_scale": 0.5, "levels": 3, "winsize": 15, "iterations": 3, "poly_n": 5, "poly_sigma": 1.2, "flags": 0}
    return lambda previous, following: cv2.calcOpticalFlowFarneback(previous, following, None, **usual)


def farneback_cuda() -> FlowFunction:
    """The same on an NVIDIA GPU, in an OpenCV that was built with CUDA (those of PyPI and conda-forge are not)."""
    _take_gpu()
    if cv2.cuda.getCudaEnabledDeviceCount() < 1:
        raise DtkdError(
            f"flow algorithm farneback_cuda needs an NVIDIA GPU and an OpenCV built with CUDA, and this one "
            f"({cv2.__version__}) sees no such GPU: choose farneback."
        )
    algorithm = cv2.cuda.FarnebackOpticalFlow_create(
        numLevels=3, pyrScale=0.5, fastPyramids=False, winSize=15, numIters=3, polyN=5, polySigma=1.2, flags=0
    )
    first, second, field = cv2.cuda.GpuMat(), cv2.cuda.GpuMat(), cv2.cuda.GpuMat()

    def compute(previous: np.ndarray, following: np.ndarray) -> np.ndarray:
        first.upload(previous)
        second.upload(following)
        return algorithm.calc(first, second, field).download()

    return compute


@cache
def _take_gpu() -> None:
    gpus.claim(1, gpus.count())


def dis_fast() -> FlowFunction:
    """Dense inverse search, with OpenCV's fast preset."""
    return _calc(cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST))


def dis_medium() -> FlowFunction:
    """Dense inverse search, with OpenCV's medium preset."""
    return _calc(cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM))


def tvl1() -> FlowFunction:
    """Dual TV-L1, with OpenCV's default parameters."""
    if not hasattr(cv2, "optflow"):
        raise DtkdError("flow algorithm tvl1 is not in this build of OpenCV: install opencv-contrib-python.")
    return _calc(cv2.optflow.DualTVL1OpticalFlow_create())


def _calc(algorithm: cv2.DenseOpticalFlow) -> FlowFunction:
    return lambda previous, following: algorithm.calc(previous, following, None)


@dataclass(frozen=True)
class Settings:
    """What decides a video's flow table, besides the video. Raises DtkdError where a value makes no sense."""

    algorithm: str = "farneback"
    step: int = 1
    """Frames between the two of a pair, and between pairs."""
    short_side: int | None = None
    """Shorter side of the frames that flow is computed on, in pixels (None: as decoded)."""

    unit: str = "frame"
    """frame or second: what the summaries' motion is given per. It makes no table again."""
    over_time: str = "mean"
    """One of ``OVER_TIME``: what the summaries give of a measure. It makes no table again."""
    measure: str = "mean"
    """The measure that will be read of summaries: a table of before there was such a measure is made again."""
    weights: str | None = None
    """File of a network's parameters. What it holds counts, not where it is."""
    device: str = "auto"
    """Where a network computes: auto (a GPU where there is one), cpu or cuda. No table is made again for its sake."""

    person_weights: str | None = None
    """File of the parameters of the detector of persons; None: no persons are sought. What it holds counts."""
    person_every: int = 1
    """Every how many pairs the detector looks; each pair has the boxes of the look that is nearest."""
    person_threshold: float = 0.5
    """The detector's score from which on a box counts as a person."""

    def __post_init__(self) -> None:
        network = ALGORITHMS[self.algorithm].network
        if self.step < 1:
            raise DtkdError(f"flow step {self.step} is not possible: choose 1 or more frames.")
        if self.short_side is not None and self.short_side < 16:
            raise DtkdError(f"flow short_side {self.short_side} is too small: choose at least 16 pixels, or none.")
        if self.unit not in ("frame", "second"):
            raise DtkdError(f"flow unit {self.unit!r} is not known: choose frame or second.")
        if self.over_time not in OVER_TIME:
            raise DtkdError(f"{self.over_time!r} over time is not known: choose one of {', '.join(OVER_TIME)}.")
        if self.measure not in (known := [*MEASURES, "median", *PERSON_MEASURES]):
            raise DtkdError(f"flow measure {self.measure!r} is not known: choose one of {', '.join(known)}.")
        if self.measure in PERSON_MEASURES and not self.person_weights:
            raise DtkdError(f"flow measure {self.measure} needs a detector of persons: name a file of its parameters.")
        if self.person_every < 1:
            raise DtkdError(f"persons every {self.person_every} pairs are not possible: choose 1 or more.")
        if network and not self.weights:
            raise DtkdError(f"flow algorithm {self.algorithm} has no weights: name a file of its parameters.")

    def function(self) -> FlowFunction:
        """The algorithm, ready for one video. Raises DtkdError where it cannot run here."""
        algorithm = ALGORITHMS[self.algorithm]
        function = resolved(algorithm.function)
        return function(self.weights, self.device) if algorithm.network else function()

    def persons(self, path: str | Path) -> list[np.ndarray] | None:
        """If they are sought, the boxes of the persons in every ``person_every``-th pair's first frame."""
        if not self.person_weights:
            return None
        find, every = resolved(DETECTOR.boxes), self.step * self.person_every
        return find(path, self.person_weights, self.person_device, every, self.person_threshold)

    def look(self, pair: int, looks: int) -> int:
        """The number of the detector's look, of so many, that is nearest to a pair."""
        return min((pair + self.person_every // 2) // self.person_every, looks - 1)

    def check(self) -> None:
        """Raise the one DtkdError where flow cannot run here, for no video at all."""
        self.function()
        if self.person_weights:
            resolved(DETECTOR.ready)(self.person_weights, self.person_device)

    @property
    def person_device(self) -> str:
        """The detector computes where the flow does: on a GPU only beside an algorithm that takes one."""
        return "cpu" if ALGORITHMS[self.algorithm].gpu == "never" else self.device

    @cached_property
    def recipe(self) -> dict[str, object]:
        """What a table is made by, as it is stored; of weights, and of a plug-in's file, the SHA-256.

        Raises DtkdError where the weights cannot be read.
        """
        recipe = {"algorithm": self.algorithm, "step": self.step, "short_side": self.short_side}
        if ALGORITHMS[self.algorithm].network:
            recipe["weights"] = _content(self.weights, "flow.weights")
        if plugin := ALGORITHMS.source(self.algorithm):
            recipe["plugin"] = sha256(plugin)
        return recipe

    @cached_property
    def person_recipe(self) -> dict[str, object]:
        """The same of the columns of persons, which a table may have beside the others; empty where none are sought."""
        if not self.person_weights:
            return {}
        weights = _content(self.person_weights, "flow.persons.weights")
        known = {"every": self.person_every, "threshold": self.person_threshold, "weights": weights}
        return {"persons": {"detector": DETECTOR.name} | known}


def _content(weights: str, key: str) -> str:
    """The SHA-256 of a file of weights; DtkdError, which names the config's ``key``, where it cannot be read."""
    try:
        return sha256(weights)
    except OSError as error:
        raise DtkdError(f"{weights} cannot be read ({error.strerror}): check {key}.") from error


class FrameStatistics:
    """The statistics of flow fields of one shape; buffers and the camera's grid are made once.

    ``step`` is how many frames a field's displacements are over: what moves is told by pixels a frame.
    """

    def __init__(self, height: int, width: int, step: int = 1) -> None:
        self.moves = MOVES * step
        self.middle = tuple(slice(length // 4, length - length // 4) for length in (height, width))
        self.x, self.y, self.magnitude = (np.empty((height, width), np.float32) for _ in range(3))
        row = np.arange(width, dtype=np.float32) - np.float32((width - 1) / 2)
        column = np.arange(height, dtype=np.float32) - np.float32((height - 1) / 2)
        self.down = np.stack([column, np.ones_like(column)], axis=1)
        self.across = np.stack([np.ones_like(row), row])
        self.stride = max(1, round((height * width / 500) ** 0.5))
        self.grid = (row[:: self.stride] + 1j * column[:: self.stride, None]).astype(np.complex128).ravel()
        self.reach = float(np.abs(self.grid).max())
        self.terms = np.stack([np.ones_like(self.grid), self.grid, np.abs(self.grid) ** 2, *[self.grid] * 2])
        self.ranks = [q * (height * width - 1) for q in QUANTILES.values()]

    def __call__(self, flow: np.ndarray) -> tuple[float, ...]:
        """The ``MEASURES`` of a flow field, float32 (H, W, 2): pixels of displacement.

        ``mean``, ``std``, ``q50`` ... ``q99`` are of the magnitude over all pixels (quantiles as numpy's, linear);
        ``centre`` is its mean over the middle half of the rows and of the columns; ``camera`` is the mean magnitude of
        the fitted global motion, ``residual`` that of the flow without it, and ``moving`` that of the flow without it
        over those pixels alone where it is more than ``MOVES`` a frame (0 where there are none).
        """
        x, y, magnitude = self.x, self.y, self.magnitude
        cv2.split(flow, (x, y))
        cv2.magnitude(x, y, magnitude)
        mean, std = (float(value[0, 0]) for value in cv2.meanStdDev(magnitude))
        centre = cv2.mean(magnitude[self.middle])[0]
        quantiles = self.quantiles(magnitude.ravel())
        scale, shift = self.camera(flow)
        camera = float(np.abs(scale * self.grid + shift).mean())
        for part, of_column, constant, of_row in (
            (x, -scale.imag, shift.real, scale.real),
            (y, scale.real, shift.imag, scale.imag),
        ):
            motion = np.float32([[of_column, 0], [constant, of_row]]) @ self.across
            cv2.gemm(self.down, motion, -1, part, 1, part)  # part -= down @ motion
        residual = cv2.mean(cv2.magnitude(x, y, magnitude))[0]
        moving = cv2.mean(magnitude, cv2.compare(magnitude, self.moves, cv2.CMP_GT))[0]
        return mean, std, *quantiles, camera, residual, centre, moving

    def quantiles(self, values: np.ndarray) -> list[float]:
        """The ``QUANTILES``; reorders ``values``. Each is sought among what the one before left above itself."""
        found, start = [], 0
        for rank in self.ranks:
            low = int(rank)
            values[start:].partition(low - start)
            below, above = float(values[low]), float(values[low + 1 :].min(initial=np.inf))
            found.append(below + (above - below) * (rank - low) if rank > low else below)
            start = low
        return found

    def camera(self, flow: np.ndarray) -> tuple[complex, complex]:
        """The global motion: flow ≈ scale·z + shift, where z = x + iy is a pixel's place from the frame's centre.

        ``shift`` is the pan, ``scale`` the zoom (real part) and roll (imaginary part), fitted to about 500 points of
        a grid: from the median flow, up to eight rounds of least squares with Tukey's weights, whose width follows the
        median residual (at least 0.05 px), so that what moves on its own does not pull the fit. The rounds end when
        the fit moves by less than 0.001 px.
        """
        z, terms = self.grid, self.terms
        f = np.ascontiguousarray(flow[:: self.stride, :: self.stride]).view(np.complex64).ravel().astype(np.complex128)
        terms[3], terms[4] = f, z.conj() * f
        scale, shift = 0j, complex(_median(f.real), _median(f.imag))
        for _ in range(8):
            away = f - (scale * z + shift)
            square = away.real**2 + away.imag**2
            middle = np.partition(square, square.size // 2)[square.size // 2] ** 0.5
            weight = np.maximum(0, 1 - square / (4.685 * max(middle / 1.177, 0.05)) ** 2) ** 2
            total, z_sum, zz_sum, f_sum, zf_sum = (terms @ weight).tolist()  # of the weights, and weighted
            spread = (zz_sum - abs(z_sum) ** 2 / total).real
            last = scale, shift
            scale = (zf_sum - z_sum.conjugate() * f_sum / total) / spread if spread > 1e-9 * zz_sum.real else 0j
            shift = (f_sum - scale * z_sum) / total
            if abs(scale - last[0]) * self.reach + abs(shift - last[1]) < 1e-3:
                break
        return scale, shift


def video_flow(path: str | Path, *settings: object, **others: object) -> pd.DataFrame:
    """Flow statistics of one video: one row a frame pair, in ``attrs["frames"]`` the number of frames decoded.

    Arguments after ``path`` are those of ``Settings``.

    Columns: ``pair`` (int32, from 0; its frames are ``pair·step`` and ``(pair+1)·step``), ``time`` (float64, seconds,
    of the first frame) and ``seconds`` (float64, from the first frame to the second; both NaN where the file has no
    times), and, float32 in pixels a frame of the source (see the module): ``mean``, ``std``, ``q50``, ``q75``, ``q90``,
    ``q99``, ``camera``, ``residual``, ``centre``, ``moving`` (see ``FrameStatistics``). Where persons are sought also
    ``persons`` (int32: how many were found) and, float32, ``person`` and ``person_height`` (see `persons.of_pair`; NaN
    where there are none).

    Raises VideoError (see ``video.grey_frames``), and where the video has too few frames for one pair or frames too
    small for the algorithm; DtkdError where the settings make no sense.
    """
    table, frames = _measured(path, Settings(*settings, **others))
    table = table.to_pandas()
    table.attrs["frames"] = frames
    return table


def _measured(path: str | Path, settings: Settings) -> tuple[pa.Table, int]:
    """A video's table (see ``video_flow``) and its number of frames; of frames and fields, two and one live at a time.

    Everything is written into buffers that are made once, so that flow is nearly all that a video costs.
    """
    keep_freed_memory()
    step, compute, statistics, values, ended = settings.step, settings.function(), None, array("f"), []
    boxes, people = settings.persons(path), array("f")

    def frames() -> Iterator[np.ndarray]:
        ended.append((yield from video.grey_frames(path, settings.short_side, step)))

    for number, (previous, following) in enumerate(pairwise(frames())):
        try:
            flow = compute(previous, following)
        except cv2.error as error:
            height, width = previous.shape
            reason = " ".join(str(error.err).split())
            raise video.VideoError(
                f"{path}: {settings.algorithm} flow fails on frames of {width}×{height} px ({reason}): "
                "choose another short_side or algorithm, or leave the video out of the dataset."
            ) from error
        if (flow.dtype, flow.shape) != (np.float32, (*previous.shape, 2)):
            raise DtkdError(
                f"flow algorithm {settings.algorithm} gives {flow.dtype} {flow.shape} for frames {previous.shape}: "
                "mend it, so that it gives float32 (H, W, 2)"
            )
        statistics = statistics or FrameStatistics(*previous.shape, step)
        values.extend(statistics(flow))
        if boxes is not None:
            people.extend(persons.of_pair(flow, boxes[settings.look(number, len(boxes))]))
    [info] = ended
    if not values:
        raise video.VideoError(
            f"{path}: has {info.frames} frame(s), too few for one pair {step} apart: leave it out of the dataset"
            f"{' or choose a smaller step' if step > 1 else ''}."
        )
    columns = np.array(values, np.float32).reshape(-1, len(MEASURES)).T / np.float32(step)
    pair = np.arange(columns.shape[1], dtype=np.int32)
    times = np.array([info.time(index * step) for index in range(len(pair) + 1)])
    about = {"pair": pair, "time": times[:-1], "seconds": np.diff(times)}
    measured = dict(zip(MEASURES, columns, strict=True))
    if boxes is not None:
        found = np.array([len(boxes[settings.look(number, len(boxes))]) for number in pair], np.int32)
        columns = np.array(people, np.float32).reshape(-1, len(PERSON_MEASURES)).T / np.float32(step)
        measured |= {"persons": found, **dict(zip(PERSON_MEASURES, columns, strict=True))}
    return pa.table({**about, **measured}), info.frames


def keep_freed_memory() -> None:
    """Have the C library keep what OpenCV frees for its next call, rather than ask the system for it page by page.

    At 320×240 that is 5 to 10 % of Farnebäck's time. glibc keeps freed memory up to twice the largest block that it
    has seen freed: so one is, whose pages are never touched. Other C libraries take no notice.
    """
    np.empty(31 << 20, np.uint8)  # glibc learns from blocks below 32 MiB


def write_video_flow(path: str | Path, out: str | Path, settings: Settings) -> dict[str, object]:
    """Write the flow table of the video ``path`` to the parquet ``out``, atomically; return its summary row.

    The file's schema metadata holds, as JSON under ``dtkd.flow``: ``format``, ``settings``, ``source`` (size in bytes
    and mtime_ns of the video), ``frames`` (decoded) and ``opencv`` (version; recorded, not compared); with persons also
    ``persons`` (the detector, its settings and weights).

    Raises as ``video_flow``.
    """
    recipe = _recipe(path, settings)
    table, frames = _measured(path, settings)
    metadata = recipe | {"frames": frames, "opencv": cv2.__version__}
    with atomic(out) as temporary:
        stored = table.replace_schema_metadata({METADATA_KEY: json.dumps(metadata)})
        pq.write_table(stored, temporary, compression="zstd")
    return _summary(path, Path(out).stem, table, frames, settings)


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

    Columns: ``video``, ``frames`` (decoded), ``pairs``; the ``MEASURES`` over the pairs by ``settings.over_time``, in
    pixels a frame, or a second by ``settings.unit`` (the table has both in its ``attrs``; NaN in videos whose stored
    tables are of before there was such a measure, unless it is ``settings.measure``); ``median`` (of the pairs' means).
    Where persons are sought, also the ``PERSON_MEASURES`` over the pairs in which one was found (NaN in a video without
    any) and ``with_person``, the share of these pairs.

    Raises one DtkdError that lists every bad video with its reason, after all good ones are done; or, at once, that
    the algorithm cannot run here.
    """
    videos = [(name, Path(path), Path(out)) for name, path, out in videos]
    outs = {out for _, _, out in videos}
    if not videos or len(outs) < len(videos) or len({out.parent for out in outs}) > 1:
        raise ValueError("class_flow needs at least one video, and parquet paths that differ but share one folder")
    _ = settings.recipe, settings.person_recipe  # weights that cannot be read are one problem, not one a video
    for file in videos[0][2].parent.glob("*.parquet"):
        if file not in outs:
            file.unlink()

    rows: dict[str, dict[str, object]] = {}
    bad: dict[str, str] = {}
    todo = []
    for name, path, out in videos:
        try:
            row = _stored_summary(path, out, _recipe(path, settings), settings)
        except DtkdError as error:
            bad[name] = str(error)
            out.unlink(missing_ok=True)
            continue
        if row is None:
            todo.append((name, path, out, settings))
        else:
            rows[name] = row | {"video": name}
    if todo:
        settings.check()
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
    columns = SUMMARY + (PERSON_SUMMARY if settings.person_weights else [])
    summary = pd.DataFrame([rows[name] for name, _, _ in videos], columns=columns)
    summary.attrs |= {"unit": settings.unit, "over_time": settings.over_time}
    return summary


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
        "settings": settings.recipe,
        "source": {"size": source.st_size, "mtime_ns": source.st_mtime_ns},
        **settings.person_recipe,
    }


def _stored_summary(path: Path, out: Path, recipe: dict[str, object], settings: Settings) -> dict[str, object] | None:
    """The summary of a stored table, or None where there is none, it cannot be read, or it has another recipe."""
    try:
        with pq.ParquetFile(out) as file:
            stored = file.read()
        metadata = json.loads(stored.schema.metadata[METADATA_KEY])
        lacks = settings.measure in MEASURES and settings.measure not in stored.column_names
        if lacks or any(metadata[key] != recipe[key] for key in recipe):
            return None
        return _summary(path, out.stem, stored, metadata["frames"], settings)
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError):
        return None  # no table, half of one, or somebody else's: it is computed and replaced


def _summary(path: str | Path, name: str, table: pa.Table, frames: int, settings: Settings) -> dict[str, object]:
    """One video's row (``SUMMARY``), from its table. VideoError where the unit is seconds and the file has no times."""
    values = {name: table[name].to_numpy().astype(np.float64) for name in MEASURES if name in table.column_names}
    seconds = None
    if settings.unit == "second":
        seconds = table["seconds"].to_numpy()
        if not np.isfinite(seconds).all():
            raise video.VideoError(f"{path}: has no times, and flow.unit is second: set flow.unit: frame.")
    pairs = {name: in_unit(column, seconds, settings) for name, column in values.items()}
    summed = {name: over_time(column, seconds, settings) for name, column in pairs.items()}
    summed["median"] = float(np.median(pairs["mean"]))
    if settings.person_weights:
        summed |= _summary_of_persons(table, seconds, settings)
    return {"video": name, "frames": int(frames), "pairs": len(table), **summed}


def _summary_of_persons(table: pa.Table, seconds: np.ndarray | None, settings: Settings) -> dict[str, float]:
    """``PERSON_SUMMARY``: what is over the pairs with persons alone is NaN where there are none."""
    found = table["persons"].to_numpy() > 0
    if not found.any():
        return dict.fromkeys(PERSON_MEASURES, float("nan")) | {"with_person": 0.0}
    seconds = None if seconds is None else seconds[found]
    summed = {}
    for name in PERSON_MEASURES:
        values = in_unit(table[name].to_numpy().astype(np.float64)[found], seconds, settings)
        summed[name] = over_time(values, seconds, settings)
    return summed | {"with_person": float(found.mean())}


def in_unit(values: np.ndarray, seconds: np.ndarray | None, settings: Settings) -> np.ndarray:
    """A measure of a video's pairs (P,) in the settings' unit; ``seconds`` (P,) are read where that is the second."""
    return values * settings.step / seconds if settings.unit == "second" else values


def over_time(values: np.ndarray, seconds: np.ndarray | None, settings: Settings) -> float:
    """What the settings make of a measure over time; ``values`` and ``seconds`` as of `in_unit`."""
    by_second = settings.unit == "second"
    moves = MOVES * (USUAL_FPS if by_second else 1)
    return float(OVER_TIME[settings.over_time](values, seconds if by_second else None, moves))


def _median(values: np.ndarray) -> float:
    """As numpy's, which takes ten times as long for so few."""
    ordered = np.sort(values)
    return float(ordered[(values.size - 1) // 2] + ordered[values.size // 2]) / 2
