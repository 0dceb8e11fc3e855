"""Decoding with PyAV (FFmpeg): the frames of a video file, and nothing about labels or augmentation.

What a header says of a file's length, rate or duration is a hint; what decoding it from end to end gives is what counts
(``scan``). Flow, training and prediction read with the same decoder, so what was inspected is what they get.

A frame is known by its number. ``read_bgr`` seeks where that saves time, but only to key frames that ``scan`` has
tried, and it holds the time of every frame that follows against the time that was noted; where they differ it counts
from the first frame.

Frames are upright (turned as the file asks) and have square pixels. FFmpeg uses one thread unless asked otherwise, and
OpenCV as many as ``cv2.setNumThreads`` says. Every problem with a file is a ``VideoError`` of one line.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
from av.stream import Disposition
from av.video.reformatter import VideoReformatter

from dtkd.common.errors import DtkdError
from dtkd.data.containers import missing_bytes
from dtkd.data.video_info import SEEK_FROM, VideoInfo

KEYS_APART = 8
"""Key frames are noted at least so many frames apart: more of them would save a seek little."""

KEYS_TRIED = 16
"""At most so many of a file's key frames are tried when it is inspected."""

SMALLEST_SIDE = 16
"""Pixels."""

REMEDY = "copy or download it again, or leave it out of the dataset"

TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


class VideoError(DtkdError):
    """A video file that cannot be used: names the file, where it matters the frame, and the remedy."""


def missing_allowed(frames: int) -> int:
    """How many frames of a sound file may be damaged or missing: 3, or 5 % of a longer one.

    Of 120 real clips (MPEG-4 in AVI) 119 decode to one or two frames fewer than declared.
    """
    return max(3, frames // 20)


def scan(path: str | Path, threads: int = 1) -> Generator[int, None, VideoInfo]:
    """Decode a whole video, to find out whether it can be used; yields the number of frames decoded so far.

    The generator's return value is what the video is. Only the first frame is converted to BGR, which would take half
    as long again for all of them.

    Raises VideoError if the file is missing, unreadable, empty, not a video, of frames that are too small, or
    damaged, or if its data end early.
    """
    checksums: dict[int, int] = {}  # of key frames and those that follow them
    with _opened(path, threads) as video:
        key = 0
        for index, frame in enumerate(video.frames()):
            if index == 0:
                video.bgr(frame)
            elif frame.key_frame and index >= key + KEYS_APART:
                key = index
            if key and index - key < 2:
                checksums[index] = _checksum(frame)
            yield index + 1
        found = video.info()
        return replace(found, keys=video.keys(found, checksums))


def info(path: str | Path) -> VideoInfo:
    """The result of ``scan``, remembered as long as the file's size and modification time stay the same."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return _info(os.fspath(path), None)
    return _info(os.fspath(path), (status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=1024)
def _info(path: str, state: tuple[int, int] | None) -> VideoInfo:
    return result_of(scan(path))


def result_of(generator: Generator) -> object:
    """What a generator returns in the end."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def read(path: str | Path, indices: Sequence[int], known: VideoInfo | None = None, threads: int = 1) -> np.ndarray:
    """The frames at ``indices``: uint8 (T, H, W, 3), RGB; see ``read_bgr``."""
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for frame in read_bgr(path, indices, known, threads)])


def read_bgr(
    path: str | Path, indices: Sequence[int], known: VideoInfo | None = None, threads: int = 1
) -> Generator[np.ndarray, None, None]:
    """The frames at ``indices`` one after the other: uint8 (H, W, 3), BGR.

    ``indices`` count from 0 and ascend (repeats allowed). ``known`` is what an inspection has found (``info``, where it
    is not given). Frames in between are decoded but not converted; from ``SEEK_FROM`` on, decoding starts at a
    key frame.

    Raises VideoError if the file cannot be used or has changed since it was inspected; ValueError if the indices are
    empty, negative, not ascending or beyond the last frame.
    """
    wanted = [int(index) for index in indices]
    if not wanted or wanted[0] < 0 or any(a > b for a, b in pairwise(wanted)):
        raise ValueError(f"frame indices must be ascending, not negative and at least one, not {wanted}")
    known = known or info(path)
    if wanted[-1] >= known.frames:
        raise ValueError(f"{path}: frame {wanted[-1]} is asked for, and the video has {known.frames} frames")
    given = 0
    for key in dict.fromkeys((known.key_before(wanted[0]), None)):  # a file that has changed is counted through
        with _opened(path, threads, known) as video:
            for index, frame in video.numbered(known, key):
                if index == wanted[given]:
                    image = video.bgr(frame)
                    while given < len(wanted) and wanted[given] == index:
                        yield image
                        given += 1
                    if given == len(wanted):
                        return
    raise VideoError(
        f"{path}: ends before frame {wanted[given]}, and had {known.frames} frames when it was inspected: it has "
        f"changed, or cannot be read to its end: {REMEDY}."
    )


def grey_frames(
    path: str | Path, short_side: int | None = None, step: int = 1, threads: int = 1
) -> Generator[np.ndarray, None, VideoInfo]:
    """Every ``step``-th frame from the first, in grey: uint8 (H, W). Holds one frame, whatever the length.

    ``short_side`` scales each frame (down or up, keeping its aspect) so that its shorter side has that many pixels.
    The generator's return value is what the video is, as of ``scan`` except for its key frames.

    Raises VideoError if the file cannot be opened, or, at the end, if it is damaged or its data end early.
    """

    def shown(bgr: np.ndarray) -> np.ndarray:
        return _resized(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), short_side)

    return (yield from _every(path, step, threads, shown))


def bgr_frames(
    path: str | Path, short_side: int | None = None, step: int = 1, threads: int = 1
) -> Generator[np.ndarray, None, VideoInfo]:
    """The same frames as ``grey_frames`` in colour: uint8 (H, W, 3), BGR."""
    return (yield from _every(path, step, threads, lambda bgr: _resized(bgr, short_side)))


def _every(
    path: str | Path, step: int, threads: int, shown: Callable[[np.ndarray], np.ndarray]
) -> Generator[np.ndarray, None, VideoInfo]:
    """What ``shown`` makes of every ``step``-th frame (H, W, 3), BGR."""
    with _opened(path, threads) as video:
        for index, frame in enumerate(video.frames()):
            if index % step == 0:
                yield shown(video.bgr(frame))
        return video.info()


def _resized(frame: np.ndarray, short_side: int | None) -> np.ndarray:
    size = _scaled(frame.shape, short_side)
    if size is None:
        return frame
    shrinks = size[0] < frame.shape[1]
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


class _Video:
    """An open file, and what going through its frames has shown."""

    def __init__(
        self, path: str | Path, container: av.container.InputContainer, threads: int, known: VideoInfo | None
    ) -> None:
        self.path, self.container, self.known = path, container, known
        self.stream = _stream(path, container)
        self.stream.thread_type = "AUTO" if threads > 1 else "NONE"
        self.stream.codec_context.thread_count = threads
        self.reformatter = VideoReformatter()
        self.size: tuple[int, int] | None = None  # (width, height) that frames are scaled to: the first one's
        self.turn = 0  # degrees
        self.tick = float(self.stream.time_base)  # seconds
        self.stamps: list[int | None] = []  # the file's times of the frames so far, in ticks
        self.decoded: list[int | None] = []  # the times at which they are decoded, in ticks
        self.damaged = 0  # packets that gave no frame, and frames that FFmpeg calls corrupt

    def frames(self) -> Iterator[av.VideoFrame]:
        """The frames in the order in which they are shown, from where the file stands."""
        self.stamps, self.decoded, self.damaged = [], [], 0
        for packet in self._packets():
            try:
                frames = packet.decode()
            except av.FFmpegError:  # the other packets may be sound
                self.damaged += 1
                continue
            for frame in frames:
                if self.size is None:
                    self._shape_as(frame)
                self.damaged += frame.is_corrupt
                self.stamps.append(frame.pts)
                self.decoded.append(frame.dts)
                yield frame

    def _shape_as(self, frame: av.VideoFrame) -> None:
        """Have all frames shaped as the first one, of which ``known`` tells where this one comes later."""
        self.turn = frame.rotation % 360 if frame.rotation % 360 in TURNS else 0
        if self.known:
            self.size = self._turned(self.known.width, self.known.height)
        else:
            self.size = _square(frame, self.stream.sample_aspect_ratio)
            _check_size(self.path, *self.size)

    def _turned(self, width: int, height: int) -> tuple[int, int]:
        return (height, width) if self.turn % 180 else (width, height)

    def _packets(self) -> Iterator[av.Packet]:
        """The stream's packets; the last, which is empty, has the decoder give what it holds back."""
        try:
            for packet in self.container.demux(self.stream):
                yield packet
                if not packet.size and packet.dts is None:  # the last: PyAV goes on to streams that it does not know
                    return
        except av.FFmpegError:  # nothing can be read from here on
            self.damaged += 1
            last = av.Packet()
            last.stream, last.time_base = self.stream, self.stream.time_base
            yield last

    def numbered(self, known: VideoInfo, key: int | None = None) -> Iterator[tuple[int, av.VideoFrame]]:
        """(index, frame) of all frames, or of those from a key frame on, up to one that is not where it was noted."""
        if key is None:
            yield from enumerate(self.frames())
            return
        tolerance = 0.25 / known.fps if known.times is None else 1e-6
        start = known.start + known.time(key)
        try:
            self.container.seek(round((start + tolerance) / self.tick), stream=self.stream)
        except av.FFmpegError:
            return
        index = key
        for frame in self.frames():
            if frame.pts is None or (index == key and frame.pts * self.tick < start - tolerance):
                continue  # a frame before the key frame
            if abs(frame.pts * self.tick - known.start - known.time(index)) > tolerance:
                return
            yield index, frame
            index += 1

    def bgr(self, frame: av.VideoFrame) -> np.ndarray:
        """A frame as it is to be seen: uint8 (H, W, 3)."""
        width, height = self.size
        try:
            image = self.reformatter.reformat(frame, width, height, "bgr24", interpolation="BICUBIC").to_ndarray()
        except (av.FFmpegError, ValueError, MemoryError) as error:
            raise VideoError(f"{self.path}: a frame cannot be converted to RGB ({_words(error)}): {REMEDY}.") from error
        return cv2.rotate(image, TURNS[self.turn]) if self.turn else image

    def info(self) -> VideoInfo:
        """What the video is, once all ``frames`` are seen. VideoError if it is damaged or its data end early."""
        frames, declared = len(self.stamps), self.stream.frames
        if not frames:
            raise VideoError(f"{self.path}: none of its frames can be decoded, it is damaged: {REMEDY}.")
        lacking = missing_bytes(self.path)
        if lacking and not 0 <= declared - frames <= missing_allowed(declared):
            of = f" of {declared} declared" if declared > frames else ""
            raise VideoError(
                f"{self.path}: its data end early, after frame {frames}{of} ({lacking} bytes are missing): truncated? "
                f"{REMEDY.capitalize()}."
            )
        if self.damaged > missing_allowed(frames):
            raise VideoError(f"{self.path}: {self.damaged} of its frames are damaged, beside {frames}: {REMEDY}.")
        width, height = self._turned(*self.size)
        stream = self.stream
        rates = [float(rate) for rate in (stream.guessed_rate, stream.average_rate) if rate]
        # AVI has no times of B-frames, and FFmpeg's guess may be out of order; in a file that was joined, all are
        decoded = _continued(self.decoded)
        stamps = self.stamps if _ascend(self.stamps) or not _ascend(decoded) else decoded
        if None in stamps:
            return VideoInfo(frames, rates[0] if rates else 0.0, width, height)
        seconds = np.array(stamps) * self.tick
        fps, times = _timing(seconds, rates, jumps="mpeg" in self.container.format.name)
        return VideoInfo(frames, fps, width, height, start=float(seconds[0]), times=times)

    def keys(self, found: VideoInfo, checksums: dict[int, int]) -> tuple[int, ...]:
        """The key frames in ``checksums`` (index -> of the frame) at which decoding can start: they are tried.

        None of a short video, where the file's times do not ascend, or where a packet was damaged: what a decoder then
        makes of the frames depends on where it began.
        """
        if found.frames <= SEEK_FROM or self.damaged or not _ascend(self.stamps):
            return ()
        keys = [index for index in checksums if index - 1 not in checksums]
        tried = keys[:: -(-len(keys) // KEYS_TRIED)] if keys else []
        sound = [key for key in tried if self._starts_at(key, found, checksums)]
        return tuple(keys if len(sound) == len(tried) else sound)

    def _starts_at(self, key: int, found: VideoInfo, checksums: dict[int, int]) -> bool:
        """Whether decoding from a key frame gives this frame and the next as decoding from the first frame did."""
        for index, frame in self.numbered(found, key):
            if checksums.get(index) != _checksum(frame):
                return False
            if index + 1 not in checksums:
                return True
        return False


def _continued(stamps: Sequence[int | None]) -> list[float | None]:
    """Times whose last ones are unknown, as of frames that a decoder holds back to the end: these follow evenly."""
    known = [stamp for stamp in stamps if stamp is not None]
    lacking = len(stamps) - len(known)
    if not lacking or len(known) < 2 or None in stamps[: len(known)]:
        return list(stamps)
    step = (known[-1] - known[0]) / (len(known) - 1)
    return known + [known[-1] + step * (number + 1) for number in range(lacking)]


def _ascend(stamps: Sequence[float | None]) -> bool:
    return None not in stamps and all(a < b for a, b in pairwise(stamps))


def _timing(seconds: np.ndarray, rates: Sequence[float], jumps: bool) -> tuple[float, tuple[float, ...] | None]:
    """(frames per second, seconds from the first frame to each or None where their rate is constant).

    ``rates`` are those that the file states: one that every frame keeps to within a tenth of a frame is taken as it
    stands. Times that do not ascend, as where two recordings were joined, go on at the usual rate there, and so do
    times that jump by 10 s and more where the container knows of such ``jumps``.
    """
    if len(seconds) < 2:
        return (rates[0] if rates else 0.0), None
    times = seconds - seconds[0]
    steps = np.diff(times)
    cut = (steps <= 0) | (jumps & (steps > 10))
    if cut.any():
        usual = np.median(steps[~cut]) if not cut.all() else 1 / rates[0] if rates else 0.04
        times = np.concatenate([[0.0], np.cumsum(np.where(cut, usual, steps))])
    number, mean = np.arange(len(times)), float((len(times) - 1) / times[-1])
    mean = round(mean, 6) or mean
    for rate in (*rates, mean):
        if np.abs(times - number / rate).max() <= 0.1 / rate:
            return rate, None
    return mean, tuple(times.tolist())


def _square(frame: av.VideoFrame, aspect: object) -> tuple[int, int]:
    """(width, height) of a frame once its pixels are square; one that states an absurd aspect of a pixel stays."""
    aspect = float(aspect or 1)
    return (max(1, round(frame.width * aspect)) if 0.25 <= aspect <= 4 else frame.width), frame.height


def _check_size(path: str | Path, width: int, height: int) -> None:
    """Refuse frames that are too small for motion (Farnebäck's flow is zero everywhere at 2×2)."""
    if min(width, height) < SMALLEST_SIDE:
        raise VideoError(
            f"{path}: its frames of {width}×{height} are too small, a side needs {SMALLEST_SIDE} pixels: leave it out "
            "of the dataset."
        )


def _checksum(frame: av.VideoFrame) -> int:
    """Of a frame's first plane: its luma, or all of it where its channels are not apart."""
    return zlib.crc32(frame.planes[0])


def _scaled(shape: tuple[int, ...], short_side: int | None) -> tuple[int, int] | None:
    """The (width, height) that gives a frame this short side, or None where nothing changes."""
    height, width = shape[:2]
    if short_side is None or short_side == min(height, width):
        return None
    ratio = short_side / min(height, width)
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def _stream(path: str | Path, container: av.container.InputContainer) -> av.VideoStream:
    """The video stream that players show: never a cover picture."""
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    best = container.streams.best("video")
    if not streams:
        raise VideoError(f"{path}: has no video stream: leave it out of the dataset.")
    stream = best if best in streams else streams[0]
    if stream.codec_context is None:
        raise VideoError(f"{path}: this FFmpeg has no decoder for its video: re-encode it, as H.264 for example.")
    return stream


def _words(error: BaseException) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())


@contextmanager
def _opened(path: str | Path, threads: int, known: VideoInfo | None = None) -> Iterator[_Video]:
    """An open video, closed at the end of the block; ``known`` is what is known of it already."""
    name = os.fsencode(path)
    if (shown := name.decode("utf-8", "backslashreplace")) != os.fsdecode(name):
        raise VideoError(f"{shown}: its name is not UTF-8: rename it.")
    try:
        with open(path, "rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror}): check the path and its permissions.") from error
    if empty:
        raise VideoError(f"{path}: is empty (0 bytes): {REMEDY}.")
    try:  # an absolute path, because FFmpeg takes what stands before a colon for a protocol
        container = av.open(os.path.abspath(path), metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        cut = " (its data end early)" if missing_bytes(path) else ""
        raise VideoError(f"{path}: is not a video that FFmpeg can open, or is truncated{cut}: {REMEDY}.") from error
    with container:
        try:
            yield _Video(path, container, threads, known)
        except (av.FFmpegError, MemoryError) as error:  # no memory for the size that a damaged header claims, say
            raise VideoError(f"{path}: FFmpeg cannot decode it ({_words(error)}): {REMEDY}.") from error
