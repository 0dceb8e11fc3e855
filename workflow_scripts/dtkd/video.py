"""Decoding with OpenCV: the frames of a video file, and nothing about labels or augmentation.

Every capture uses FFmpeg on one thread unless asked otherwise and keeps OpenCV's automatic rotation. OpenCV's own
thread pool (colour conversion, resizing) is the caller's: ``cv2.setNumThreads``. Every problem with a file is a
``VideoError`` of one line; FFmpeg's and OpenCV's own chatter is silenced (set ``OPENCV_FFMPEG_LOGLEVEL=32`` in the
environment to hear FFmpeg again).

Containers lie about their length: 119 of 120 real clips (MPEG-4 in AVI) decode to one or two frames fewer than
declared. ``missing_allowed`` says how many may be missing before a file counts as truncated.
"""

import os
from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # read at the first capture, so before any of ours

import cv2
import numpy as np

from .errors import DtkdError

SEEK_FROM = 32
"""First index from which seeking beats grabbing: they cost the same near frame 25 (XVID, MPEG-4 and MJPG, 320×240)."""

SMALLEST_SIDE = 16
"""Pixels."""

REMEDY = "copy or download it again, or leave it out of the dataset"


class VideoError(DtkdError):
    """A video file that cannot be opened, or that ends before it should: names the file, the frame, the remedy."""


@dataclass(frozen=True)
class VideoInfo:
    """What a container declares and its first frame shows."""

    frames: int
    """Frames as declared (0: the container does not say); decoding may give a few fewer, see ``missing_allowed``."""
    fps: float
    """Frames per second (0.0: the container does not say)."""
    width: int
    """Pixels, of the first frame after rotation."""
    height: int
    """Pixels, of the first frame after rotation."""


def missing_allowed(declared: int) -> int:
    """How many of the declared frames may be missing in a sound file: 3, or 5 % of a longer one.

    Containers that store frame counts are off by one or two; those that store a duration (WebM, Matroska, MPEG-TS)
    only give an estimate, which a longer sound track inflates.
    """
    return max(3, declared // 20)


def probe(path: str | Path, threads: int = 1) -> VideoInfo:
    """Open a video and decode its first frame.

    Raises VideoError if the file is missing, unreadable, empty, not a video, or ends before its first frame.
    """
    with _capture(path, threads) as capture:
        height, width = _retrieve(capture, path, 0).shape[:2]
        return VideoInfo(_declared(capture), _fps(capture), width, height)


def length(path: str | Path) -> int:
    """Frames of a video as declared, or counted where the container does not say."""
    return probe(path).frames or sum(1 for _ in grey_frames(path))


def scan(path: str | Path, threads: int = 1) -> Generator[int, None, VideoInfo]:
    """Decode a whole video, to find out whether it can be used; yields the number of frames decoded so far.

    The generator's return value is what the video is, with ``frames`` as decoded. Only the first frame is converted,
    which would take half as long again for all of them; OpenCV scales frames of another size to the first one's.

    Raises VideoError as ``probe`` and ``grey_frames`` do, and for a video of one frame.
    """
    with _capture(path, threads) as capture:
        declared, fps, decoded, shape = _declared(capture), _fps(capture), 0, None
        while capture.grab():
            if shape is None:
                shape = _retrieve(capture, path, 0, grabbed=True).shape
                _check_shape(path, 0, shape, shape)
            decoded += 1
            yield decoded
    _check_end(path, decoded, declared)
    if decoded < 2:
        raise VideoError(f"{path}: has one frame only, and motion needs two: leave it out of the dataset.")
    return VideoInfo(decoded, fps, shape[1], shape[0])


def read(path: str | Path, indices: Sequence[int], threads: int = 1, pad_end: bool = False) -> np.ndarray:
    """The frames at ``indices``: uint8 (T, H, W, 3), RGB; see ``read_bgr``."""
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for frame in read_bgr(path, indices, threads, pad_end)])


def read_bgr(
    path: str | Path, indices: Sequence[int], threads: int = 1, pad_end: bool = False
) -> Generator[np.ndarray, None, None]:
    """The frames at ``indices`` one after the other: uint8 (H, W, 3), BGR, as OpenCV decodes them.

    ``indices`` count from 0 and ascend (repeats allowed). Frames in between are decoded but not converted; a first
    index of at least ``SEEK_FROM`` is sought. Seeking counts by time stamps: in a file of variable frame rate it
    may land on a neighbour of the frame that counting gives.

    ``pad_end`` repeats the last frame for an index in the declared but missing tail of a sound file (at most
    ``missing_allowed`` frames), for callers that sample from the declared length.

    Raises VideoError if the file cannot be opened or ends before an index; ValueError if the indices are empty,
    negative or not ascending.
    """
    wanted = [int(index) for index in indices]
    if not wanted or wanted[0] < 0 or any(a > b for a, b in pairwise(wanted)):
        raise ValueError(f"frame indices must be ascending, not negative and at least one, not {wanted}")
    ended, last = yield from _read(path, wanted, threads, seek=wanted[0] >= SEEK_FROM)
    if ended is not None and last is None and wanted[0] >= SEEK_FROM:  # where does it end? Only counting tells
        ended, last = yield from _read(path, wanted, threads, seek=False)
    if ended is not None:
        missing = wanted[bisect_left(wanted, ended) :]
        declared = probe(path, threads).frames
        if not (pad_end and ended > 0 and wanted[-1] < declared <= ended + missing_allowed(declared)):
            of = f" of {declared} declared" if declared else ""
            raise VideoError(
                f"{path}: frame {missing[0]} was asked for, but the video ends at frame {ended}{of}: "
                f"truncated? {REMEDY.capitalize()}."
            )
        if ended - 1 not in wanted:
            [last] = _read(path, [ended - 1], threads, seek=False)
        yield from [last] * len(missing)


def grey_frames(
    path: str | Path, short_side: int | None = None, step: int = 1, threads: int = 1
) -> Generator[np.ndarray, None, int]:
    """Every ``step``-th frame from the first, in grey: uint8 (H, W). Holds one frame, whatever the length.

    ``short_side`` scales each frame (down or up, keeping its aspect) so that its shorter side has that many pixels.
    The generator's return value is the number of frames decoded, skipped ones included.

    Raises VideoError if the file cannot be opened, if the frame size changes on the way, or, at the end, if more
    than ``missing_allowed`` of the declared frames are missing (never where the container declares no length).
    """
    with _capture(path, threads) as capture:
        declared, decoded, size, first = _declared(capture), 0, None, None
        while capture.grab():
            if decoded % step == 0:
                image = _retrieve(capture, path, decoded, grabbed=True)
                if first is None:
                    first, size = image.shape, _scaled(image.shape, short_side)
                _check_shape(path, decoded, image.shape, first)
                grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
                if size is not None:
                    shrinks = size[0] < grey.shape[1]
                    grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
                yield grey
            decoded += 1
    _check_end(path, decoded, declared)
    return decoded


def _read(
    path: str | Path, wanted: list[int], threads: int, seek: bool
) -> Generator[np.ndarray, None, tuple[int | None, np.ndarray | None]]:
    """Yield the wanted frames up to the end of the file.

    The return value is the number of frames at which it ended too early, or None, and the last frame that was given.
    """
    frame = None
    with _capture(path, threads) as capture:
        position = 0  # of the next frame to grab
        if seek and wanted[0] < _declared(capture) and capture.set(cv2.CAP_PROP_POS_FRAMES, wanted[0]):
            position = wanted[0]
        for index in wanted:
            if index >= position or frame is None:
                while position <= index:
                    if not capture.grab():
                        return position, frame
                    position += 1
                before, frame = frame, _retrieve(capture, path, index, grabbed=True)
                if before is not None:
                    _check_shape(path, index, frame.shape, before.shape)
            yield frame
    return None, frame


def _declared(capture: cv2.VideoCapture) -> int:
    """Frames as the container declares; 0 where it does not say (OpenCV gives zero or a huge negative number)."""
    frames = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return int(frames) if np.isfinite(frames) and frames > 0 else 0


def _fps(capture: cv2.VideoCapture) -> float:
    """Frames per second; 0.0 where the container does not say."""
    fps = capture.get(cv2.CAP_PROP_FPS)
    return fps if np.isfinite(fps) and fps > 0 else 0.0


def _check_shape(path: str | Path, index: int, shape: tuple[int, ...], first: tuple[int, ...]) -> None:
    """Refuse frames too small for motion (Farnebäck's flow is zero everywhere at 2×2), and a change of size."""
    if min(first[:2]) < SMALLEST_SIDE:
        raise VideoError(
            f"{path}: its frames of {first[1]}×{first[0]} are too small, a side needs {SMALLEST_SIDE} pixels: leave it "
            "out of the dataset."
        )
    if shape != first:
        raise VideoError(
            f"{path}: the frame size changes from {first[1]}×{first[0]} to {shape[1]}×{shape[0]} at frame {index}: "
            "re-encode it to one size."
        )


def _check_end(path: str | Path, decoded: int, declared: int) -> None:
    if decoded == 0:
        raise _undecodable(path, 0)
    if declared - decoded > missing_allowed(declared):
        raise VideoError(f"{path}: ends at frame {decoded} of {declared} declared: truncated? {REMEDY.capitalize()}.")


def _retrieve(capture: cv2.VideoCapture, path: str | Path, index: int, grabbed: bool = False) -> np.ndarray:
    """Convert the grabbed frame (or grab the next): uint8 (H, W, 3), BGR."""
    ok, image = capture.retrieve() if grabbed else capture.read()
    if not ok:
        raise _undecodable(path, index)
    return image


def _undecodable(path: str | Path, index: int) -> VideoError:
    why = "" if index else ", because it is damaged or FFmpeg lacks its codec (AV1, say)"
    return VideoError(f"{path}: frame {index} cannot be decoded{why}: {REMEDY}.")


def _scaled(shape: tuple[int, ...], short_side: int | None) -> tuple[int, int] | None:
    """The (width, height) that gives a frame this short side, or None where nothing changes."""
    height, width = shape[:2]
    if short_side is None or short_side == min(height, width):
        return None
    ratio = short_side / min(height, width)
    return max(1, round(width * ratio)), max(1, round(height * ratio))


@contextmanager
def _capture(path: str | Path, threads: int) -> Iterator[cv2.VideoCapture]:
    """An open capture, released at the end of the block."""
    name = os.fsencode(path)
    if (shown := name.decode("utf-8", "backslashreplace")) != os.fsdecode(name):  # OpenCV's binding ends the process
        raise VideoError(f"{shown}: its name is not UTF-8: rename it.")
    try:
        with open(path, "rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror}): check the path and its permissions.") from error
    if empty:
        raise VideoError(f"{path}: is empty (0 bytes): {REMEDY}.")
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # the one clear line is ours
    try:  # an absolute path, because FFmpeg takes what stands before a colon for a protocol
        capture = cv2.VideoCapture(os.path.abspath(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, threads])
    finally:
        cv2.utils.logging.setLogLevel(level)
    try:
        if not capture.isOpened():
            raise VideoError(f"{path}: is not a video that FFmpeg can open, or is truncated: {REMEDY}.")
        yield capture
    except cv2.error as error:  # no memory for the size that a damaged header claims, say
        raise VideoError(f"{path}: OpenCV cannot decode it ({' '.join(str(error.err).split())}): {REMEDY}.") from error
    finally:
        capture.release()
