"""Videos whose every frame shows its own number, of many codecs, containers and structures, made with PyAV.

``build("joined.mpg", folder)`` writes a file of the catalogue (``CASES``) and says what is right for it. A recipe does
so for any path. Recipes are made by a few functions that combine: ``encoded`` draws, encodes and multiplexes;
``trimmed``, ``joined``, ``edited``, ``patched`` and ``cut`` take recipes. ``python tests/numbered.py`` builds all cases
and holds each against ``shown``, which decodes from end to end.
"""

import os
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

os.environ.setdefault("SVT_LOG", "0")  # the encoder of AV1 is talkative

import av
import cv2
import numpy as np

WIDTH, HEIGHT = 128, 96
RATE = 25
FRAMES = 60


def frame_image(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """uint8 (height, width, 3): block b of 4 × 4 (row by row) is white where bit b of the number is set."""
    image = np.zeros((height, width, 3), np.uint8)
    rows, columns = height // 4, width // 4
    for bit in range(16):
        if number >> bit & 1:
            row, column = divmod(bit, 4)
            image[row * rows : (row + 1) * rows, column * columns : (column + 1) * columns] = 255
    return image


def number(image: np.ndarray) -> int:
    """The number that a frame shows, (H, W) or (H, W, C), robust against compression."""
    rows, columns = image.shape[0] // 4, image.shape[1] // 4

    def inner(start: int, size: int) -> slice:
        return slice(start * size + size // 4, (start + 1) * size - size // 4)

    bits = (image[inner(bit // 4, rows), inner(bit % 4, columns)].mean() > 127 for bit in range(16))
    return sum(int(white) << bit for bit, white in enumerate(bits))


@dataclass(frozen=True)
class Case:
    """A file and what is right for it."""

    path: Path
    numbers: tuple[int, ...]
    """What a player shows, frame by frame. Empty: there is nothing to show, the file must be refused."""
    times: tuple[float, ...] | None
    """Seconds from the first frame; None where the file does not say."""
    size: tuple[int, int] = (WIDTH, HEIGHT)
    """Width and height as shown: upright, square pixels."""
    special: str = ""
    refusal: str = ""
    """A word of the reason, where refusing the file is right too."""
    also: tuple[tuple[int, ...], ...] = ()
    """Other right answers, where players differ."""
    parts: bool = False
    """Any unbroken run of the numbers and one more picture are right: bytes are missing, and no declaration tells of
    them. (The last picture may be half, or have lost the B-frames before it.)"""

    def right(self, numbers: Iterable[int]) -> bool:
        """Whether a sound video may show these numbers."""
        numbers = tuple(numbers)
        if self.parts and numbers and numbers[0] in self.numbers:
            expected = self.numbers[self.numbers.index(numbers[0]) :]
            return numbers[:-1] == expected[: len(numbers) - 1] and len(numbers) <= len(expected)
        return bool(self.numbers) and numbers in (self.numbers, *self.also)


Recipe = Callable[[Path], Case]


# Writing: encode and multiplex

SOUND = {".avi": "mp2", ".mpg": "mp2", ".mpeg": "mp2", ".webm": "libopus", ".wmv": "wmav2"}
"""The sound's codec by suffix; AAC elsewhere."""

COARSE = 0.0021
"""Seconds by which times may be off: Matroska and ASF know milliseconds."""

USUAL = {
    "libx264": {"sc_threshold": "0", "preset": "veryfast"},
    "libx265": {"preset": "veryfast", "x265-params": "log-level=none:scenecut=0"},
    "libsvtav1": {"preset": "8", "crf": "25", "svtav1-params": "lp=1"},
    "libvpx": {"cpu-used": "8", "deadline": "realtime"},
    "libvpx-vp9": {"cpu-used": "8"},
}
"""Options of a codec where nothing else is said: fast, quiet, key frames only where ``gop`` says."""

MPEG = ("mpeg1video", "mpeg2video")


def encoded(
    numbers: Iterable[int] = range(FRAMES),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    size: tuple[int, int] = (WIDTH, HEIGHT),
    rate: Fraction | int = RATE,
    times: Callable[[int], Fraction | float] | None = None,
    ticks: int | None = None,
    gop: int = 12,
    reordered: int = 0,
    fields: str = "",
    aspect: Fraction | int = 1,
    turned: int = 0,
    start: Fraction | float = 0,
    sound: tuple[float, float] | None = None,
    cover: bool = False,
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
    container: str | None = None,
) -> Recipe:
    """A recipe for a file whose frames show ``numbers``.

    ``size`` is as stored; pixels of ``aspect`` (width : height) and a picture ``turned`` by degrees (counter-clockwise)
    are shown otherwise. Frame i is shown ``times(i)`` seconds after ``start`` (None: at a constant ``rate``), to
    1/``ticks`` of a second. ``reordered`` is the number of B-frames in a row, ``gop`` the distance of key frames,
    ``fields`` "tff" or "bff" where the coding is interlaced, ``sound`` the seconds from and to which there is a tone;
    ``cover`` adds an attached picture. ``options`` are the encoder's, ``muxer`` the container's, whose name is
    ``container`` where the suffix does not tell.
    """
    numbers = tuple(numbers)
    ticks = ticks or Fraction(rate)
    stamps = [round((times(i) if times else i / Fraction(rate)) * ticks) for i in range(len(numbers))]
    shown = size if turned % 180 == 0 else size[::-1]
    shown = (round(shown[0] * aspect), shown[1]) if turned % 180 == 0 else (shown[0], round(shown[1] * aspect))

    def write(path: Path) -> Case:
        with av.open(str(path), "w", format=container, options=muxer or {}) as output:
            packets = _attach_cover(output, path.suffix) if cover else []
            usual = _constant(25000 * rate) if codec in MPEG else USUAL.get(codec, {})
            stream = output.add_stream(codec, rate=rate, options=usual | (options or {}))
            stream.width, stream.height = size
            stream.pix_fmt, stream.gop_size = pixels, gop
            stream.bit_rate = 0 if codec == "libsvtav1" else 2_000_000
            if codec != "mjpeg":
                stream.max_b_frames = reordered
            stream.codec_context.thread_count = 1
            stream.codec_context.time_base = 1 / Fraction(ticks)
            stream.codec_context.sample_aspect_ratio = Fraction(aspect)
            if turned:
                stream.set_display_rotation(turned)
            if fields:
                _interlace(stream, fields)
            if sound:
                packets += _tone(output, SOUND.get(path.suffix, "aac"), *sound)
            offset = round(start * ticks)
            pictures = (_picture(number, size, turned) for number in numbers)
            frames = _with_fields(pictures, fields) if fields else pictures
            for stamp, frame in zip(stamps, frames, strict=True):
                frame.pts, frame.time_base = offset + stamp, 1 / Fraction(ticks)
                packets += stream.encode(frame)
            packets += stream.encode()
            output.mux(packets)
        return Case(path, numbers, tuple(float(stamp / Fraction(ticks)) for stamp in stamps), shown)

    return write


def _picture(number: int, size: tuple[int, int], turned: int) -> av.VideoFrame:
    """A picture as stored: the player turns it upright."""
    width, height = size if turned % 180 == 0 else size[::-1]
    upright = frame_image(number, width, height)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(upright, -turned // 90)), format="rgb24")


def _interlace(stream, fields: str) -> None:
    name = stream.codec_context.name
    if name == "libx264":
        stream.options = stream.options | {"x264-params": f"{fields}=1"}
    else:
        stream.options = stream.options | {"flags": "+ildct+ilme"}


def _constant(bits: float) -> dict[str, str]:
    """Options for so many bits a second: small frames would share a packet of MPEG-PS, and lose their times."""
    return dict.fromkeys(("b", "minrate", "maxrate", "bufsize"), str(round(bits)))


def _with_fields(frames: Iterable[av.VideoFrame], order: str) -> Iterator[av.VideoFrame]:
    """The frames, marked as interlaced (PyAV can't set the mark, a filter can)."""
    graph = None
    for frame in frames:
        if graph is None:
            graph = av.filter.Graph()
            source = graph.add_buffer(None, frame.width, frame.height, frame.format, time_base=Fraction(1, RATE))
            graph.link_nodes(source, graph.add("setfield", f"mode={order}"), graph.add("buffersink")).configure()
        graph.vpush(frame)
        yield graph.vpull()


def _tone(output, codec: str, since: float, until: float) -> list[av.Packet]:
    stream = output.add_stream(codec, rate=48000, layout="mono", bit_rate=64000)
    stream.codec_context.open()
    size = stream.codec_context.frame_size or 1152
    kind = {"fltp": np.float32, "flt": np.float32, "s16": np.int16, "s16p": np.int16}[stream.format.name]
    packets = []
    for first in range(round(since * 48000), round(until * 48000), size):
        wave = np.sin(np.arange(first, first + size) / 20)[None]
        wave = (wave * 8000).astype(kind) if kind is np.int16 else (wave / 4).astype(kind)
        frame = av.AudioFrame.from_ndarray(wave, format=stream.format.name, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, first, Fraction(1, 48000)
        packets += stream.encode(frame)
    return packets + stream.encode()


def _attach_cover(output, suffix: str) -> list[av.Packet]:
    """An attached picture, before any video stream; MP4 lists it after them all the same."""
    _, jpeg = cv2.imencode(".jpg", np.full((64, 64, 3), 200, np.uint8))
    if suffix == ".mkv":
        output.add_attachment("cover.jpg", "image/jpeg", jpeg.tobytes())
        return []
    stream = output.add_mux_stream("mjpeg", rate=RATE, width=64, height=64, time_base=Fraction(1, RATE))
    stream.disposition = av.stream.Disposition.attached_pic
    packet = av.Packet(jpeg.tobytes())
    packet.pts = packet.dts = 0
    packet.stream, packet.time_base, packet.is_keyframe = stream, stream.time_base, True
    return [packet]


# Writing: from other recipes


def trimmed(source: Recipe, since: float = 0, until: float = float("inf"), container: str | None = None) -> Recipe:
    """As ``ffmpeg -ss since -t … -c copy`` trims: whole packets from the key frame before ``since`` on.

    MP4 and MOV hide what comes before ``since`` with an edit list; other containers show it. What leads an open group
    of pictures cannot be decoded then, and players differ in whether they show it.
    """

    def write(path: Path) -> Case:
        whole = _source(source, path)
        with av.open(str(whole.path)) as input, av.open(str(path), "w", format=container) as output:
            known = [stream for stream in input.streams if stream.type == "video" or stream.sample_rate]
            streams = {stream: output.add_stream_from_template(stream, opaque=True) for stream in known}
            packets = [packet for packet in input.demux(known) if packet.pts is not None]
            video = [packet for packet in packets if packet.stream.type == "video"]
            order, base = sorted(packet.pts for packet in video), video[0].time_base
            origin = order[0] * base + Fraction(since)
            key = max((p for p in video if p.is_keyframe and p.pts * base <= origin), key=lambda packet: packet.pts)
            kept, key_pts = [], key.pts
            for packet in packets[packets.index(key) :]:
                decoded = packet.pts if packet.dts is None else packet.dts
                if decoded * packet.time_base - order[0] * base < until:
                    if packet.stream.type == "video":
                        kept.append(packet.pts)
                    shift = round(origin / packet.time_base)
                    packet.pts -= shift
                    packet.dts = None if packet.dts is None else packet.dts - shift
                    packet.stream = streams[packet.stream]
                    output.mux(packet)
        whole.path.unlink()
        if path.suffix in (".mp4", ".mov", ".m4v"):
            kept = [pts for pts in kept if pts * base >= origin]
        numbers = tuple(whole.numbers[order.index(pts)] for pts in sorted(kept))
        leading = sum(pts < key_pts for pts in kept)
        times = tuple(float((pts - sorted(kept)[leading]) * base) for pts in sorted(kept)[leading:])
        also = (numbers,) if leading else ()
        return replace(whole, path=path, numbers=numbers[leading:], times=times, also=also)

    return write


def joined(*sources: Recipe) -> Recipe:
    """The files' bytes one after the other, as ``cat`` joins them; the times of each begin where those before end."""

    def write(path: Path) -> Case:
        parts, data, numbers, times = [], b"", (), ()
        for source in sources:
            part = _source(source, path)
            after = times[-1] + 1 / RATE if times else 0
            data, numbers = data + part.path.read_bytes(), numbers + part.numbers
            times += tuple(after + moment for moment in part.times)
            part.path.unlink()
            parts.append(part)
        path.write_bytes(data)
        case = replace(parts[0], path=path, numbers=numbers, times=times)
        if len({part.size for part in parts}) > 1:
            case = replace(case, refusal="size")
        return case

    return write


def repacked(source: Recipe, change: Callable[[list[bytes]], list[bytes]]) -> Recipe:
    """An AVI whose chunks of video are changed; chunk i stands in place i."""

    def write(path: Path) -> Case:
        case = _source(source, path)
        with av.open(str(case.path)) as input, av.open(str(path), "w") as output:
            stream = output.add_stream_from_template(input.streams.video[0], opaque=True)
            packets = [packet for packet in input.demux() if packet.size]
            keys = {bytes(packet) for packet in packets if packet.is_keyframe}
            for place, chunk in enumerate(change([bytes(packet) for packet in packets])):
                packet = av.Packet(chunk)
                packet.stream, packet.time_base = stream, Fraction(1, RATE)
                packet.pts = packet.dts = place
                packet.is_keyframe = place == 0 or chunk in keys
                output.mux(packet)
        case.path.unlink()
        return replace(case, path=path)

    return write


def patched(source: Recipe, change: Callable[[bytes], bytes], **differs) -> Recipe:
    """The bytes of a file, changed; ``differs`` is what is right for it instead."""

    def write(path: Path) -> Case:
        case = source(path)
        path.write_bytes(change(path.read_bytes()))
        return replace(case, **differs)

    return write


def debatable(source: Recipe, **differs) -> Recipe:
    """The same file, for which something else is right too."""
    return patched(source, lambda data: data, **differs)


def cut(source: Recipe, share: float) -> Recipe:
    """The data end early, at ``share`` of the bytes, and the container declares more: to be refused."""
    return patched(source, lambda data: data[: int(share * len(data))], numbers=(), times=None, refusal="truncated")


def cut_unnoticed(source: Recipe, begin: float, end: float) -> Recipe:
    """A part of the data, from a container of which FFmpeg knows no length; the end is to be refused if it can be."""

    def part(data: bytes) -> bytes:
        return data[int(begin * len(data)) // 188 * 188 : int(end * len(data))]  # MPEG-TS has packets of 188 bytes

    return patched(source, part, times=None, refusal="truncated" if end < 1 else "", parts=True)


def _source(recipe: Recipe, path: Path) -> Case:
    return recipe(path.with_name(f"source_of_{path.name}"))


# Bytes of containers, for ``patched``


def boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """The boxes of an MP4, or of a box's content: (kind, content)."""
    found, place = [], 0
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        found.append((kind, data[place + 8 : place + size]))
        place += size
    return found


def packed(found: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(struct.pack(">I4s", 8 + len(content), kind) + content for kind, content in found)


def in_box(data: bytes, path: list[bytes], change: Callable[[bytes], bytes]) -> bytes:
    """MP4 boxes where the content of the first box at ``path`` is changed, and the sizes with it.

    What stands after it moves, so the frames must come before (as they do without faststart).
    """
    if not path:
        return change(data)
    found = boxes(data)
    place = [kind for kind, _ in found].index(path[0])
    found[place] = path[0], in_box(found[place][1], path[1:], change)
    return packed(found)


def cover_first(data: bytes) -> bytes:
    """An MP4 whose attached picture is stream 0: the metadata stand before the tracks."""

    def metadata_first(moov: bytes) -> bytes:
        return packed(sorted(boxes(moov), key=lambda box: box[0] not in (b"mvhd", b"udta")))

    return in_box(data, [b"moov"], metadata_first)


def edited(source: Recipe, *segments: tuple[int | None, int]) -> Recipe:
    """An MP4 with an edit list: it shows these (first frame, frames) one after the other; None: nothing for so long."""

    def write(path: Path) -> Case:
        case = source(path)

        def entries(_: bytes) -> bytes:
            table = struct.pack(">II", 0, len(segments))
            for first, frames in segments:
                media = -1 if first is None else first * ticks // RATE + delay
                table += struct.pack(">Iihh", frames * 1000 // RATE, media, 1, 0)
            return table

        data = path.read_bytes()
        trak = [b"moov", b"trak"]
        ticks = struct.unpack_from(">I", _at(data, [*trak, b"mdia", b"mdhd"]), 12)[0]
        delay = struct.unpack_from(">i", _at(data, [*trak, b"edts", b"elst"]), 12)[0]
        path.write_bytes(in_box(data, [*trak, b"edts", b"elst"], entries))
        chosen = [i for first, frames in segments if first is not None for i in range(first, first + frames)]
        numbers = tuple(case.numbers[i] for i in chosen)
        return replace(case, numbers=numbers, times=tuple(i / RATE for i in range(len(chosen))))

    return write


def _at(data: bytes, path: list[bytes]) -> bytes:
    found = []
    in_box(data, path, lambda content: found.append(content) or content)
    return found[0]


def declares(frames: int) -> Callable[[bytes], bytes]:
    """An AVI whose headers declare so many frames."""

    def change(data: bytes) -> bytes:
        for name, offset in ((b"avih", 24), (b"strh", 40)):
            place = data.index(name) + offset
            data = data[:place] + struct.pack("<I", frames) + data[place + 4 :]
        return data

    return change


# Chunks of MPEG-4, for ``repacked``


_PICTURE, _USER_DATA = b"\x00\x00\x01\xb6", b"\x00\x00\x01\xb2"


def not_coded(place: int) -> bytes:
    """A picture (N-VOP) that says that nothing is coded."""
    bits = f"0101{place % RATE:05b}100"  # a P picture of the same second; its time; a marker; not coded
    bits += "1" * (-len(bits) % 8)
    return _PICTURE + int(bits, 2).to_bytes(len(bits) // 8, "big")


def packed_bitstream(chunks: list[bytes]) -> list[bytes]:
    """As DivX and XviD pack B-frames: in one chunk with the picture before, and a placeholder in their own place."""
    start = chunks[0].index(_USER_DATA)
    end = chunks[0].index(b"\x00\x00\x01", start + 4)
    chunks = [chunks[0][:start] + _USER_DATA + b"DivX503b1393p" + chunks[0][end:], *chunks[1:]]
    kinds = [chunk[chunk.index(_PICTURE) + 4] >> 6 for chunk in chunks]  # 0 I, 1 P, 2 B
    for place in range(1, len(chunks)):
        if kinds[place] == 2:
            chunks[place - 1] += chunks[place]
            chunks[place] = not_coded(place)
    return chunks


def with_not_coded(chunks: list[bytes]) -> list[bytes]:
    """Every sixth place holds a picture that is not coded, where ``skips`` leaves one empty."""
    places = [[chunk] if i % 5 else [not_coded(int(skips(i) * RATE) - 1), chunk] for i, chunk in enumerate(chunks)]
    return [chunk for place in places for chunk in place][1:]


# The independent reference


def _packets(container, stream) -> Iterator[av.Packet]:
    """All packets of a stream; the last, which is empty, has the decoder give what it holds back.

    After that one, PyAV's ``demux`` (18.1) fails in a file in which a stream has appeared on the way.
    """
    for packet in container.demux(stream):
        yield packet
        if packet.size == 0 and packet.dts is None:
            return


def shown(path: Path) -> tuple[list[int], list[float], set[tuple[int, int]]]:
    """Numbers, times and sizes (upright, square pixels) of the frames that FFmpeg decodes from end to end.

    Frames hidden by an edit list are left out; what cannot be decoded is passed over. There are no times of an AVI with
    B-frames: it does not hold them, and FFmpeg's guesses are not even in order.
    """
    numbers, times, sizes = [], [], set()
    with av.open(str(path)) as container:
        streams = (stream for stream in container.streams.video if stream.codec_context is not None)
        stream = next(stream for stream in streams if not stream.disposition & stream.disposition.attached_pic)
        stream.codec_context.thread_count = 1
        for packet in _packets(container, stream):
            if packet.size == 0 and packet.dts is not None:  # a frame that an AVI leaves out
                continue
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                image = np.rot90(frame.to_ndarray(format="gray"), frame.rotation // 90)
                aspect = stream.sample_aspect_ratio or 1
                height, width = image.shape
                if frame.rotation % 180 == 0:
                    width = round(width * aspect)
                else:
                    height = round(height * aspect)
                numbers.append(number(image))
                times.append(frame.time)
                sizes.add((width, height))
        timeless = container.format.name == "avi" and stream.codec_context.has_b_frames
    return numbers, [] if timeless else times, sizes


# The catalogue


def falls(i: int) -> Fraction:
    """Seconds: 30 frames a second, which fall to 10 for frames 40 to 79, as in the dark."""
    return Fraction(min(i, 40), 30) + Fraction(min(max(i - 40, 0), 40), 10) + Fraction(max(i - 80, 0), 30)


def pauses(i: int) -> Fraction:
    """Seconds: 30 frames a second, and a pause of three seconds before frame 60."""
    return Fraction(i, 30) + (3 if i >= 60 else 0)


def skips(i: int) -> Fraction:
    """Seconds: every sixth place of an AVI is empty."""
    return Fraction(i + i // 5, RATE)


_long = {"numbers": range(150), "gop": 25, "reordered": 2}
_second = {"numbers": range(FRAMES, 2 * FRAMES)}
_mpeg2 = {"codec": "mpeg2video", "reordered": 2}
_mjpeg = {"codec": "mjpeg", "pixels": "yuvj420p"}
_ts = {"container": "mpegts"}
_hidden = {"options": {"auto-alt-ref": "1", "lag-in-frames": "16"}}
_falling = {"numbers": range(120), "times": falls, "ticks": 600, "rate": 30}
_halves = {
    "numbers": [i // 2 for i in range(2 * FRAMES)],
    "codec": "libx265",
    "size": (WIDTH, HEIGHT // 2),
    "rate": 2 * RATE,
    "options": {"x265-params": "interlace=tff:log-level=none:scenecut=0"},
}
_open = {"options": {"x264-params": "open-gop=1"}}
_refresh = {"options": {"x264-params": "intra-refresh=1"}}
_ntsc = {"numbers": range(300), "rate": Fraction(30000, 1001)}
_wide = {"size": (96, 96), "aspect": Fraction(4, 3)}

CASES: dict[str, tuple[str, Recipe]] = {
    # codecs and containers
    "plain.mp4": ("H.264, all is regular", encoded()),
    "h264_b.mp4": ("B-frames", encoded(reordered=3)),
    "h264_b.mkv": ("B-frames", encoded(reordered=3)),
    "h264_b.avi": ("B-frames in AVI, which has no room for their times", encoded(reordered=2)),
    "h264.mov": ("MOV", encoded(reordered=2)),
    "h264.m4v": ("M4V", encoded(reordered=2)),
    "h264.ts.mpg": ("MPEG-TS", encoded(reordered=2, **_ts)),
    "hevc.mp4": ("HEVC", encoded(codec="libx265", reordered=3)),
    "hevc.mkv": ("HEVC", encoded(codec="libx265", reordered=3)),
    "mpeg1.mpg": ("MPEG-1", encoded(codec="mpeg1video", reordered=2)),
    "mpeg2.mpeg": ("MPEG-2 program stream", encoded(**_mpeg2)),
    "mpeg2.ts.mpg": ("MPEG-TS", encoded(**_mpeg2, **_ts)),
    "mpeg4.avi": ("MPEG-4 in AVI", encoded(codec="mpeg4")),
    "mpeg4_b.avi": ("B-frames in AVI", encoded(codec="mpeg4", reordered=2)),
    "packed_b.avi": (
        "B-frames packed as by DivX and XviD",
        repacked(encoded(codec="mpeg4", reordered=1), packed_bitstream),
    ),
    "mpeg4.mp4": ("MPEG-4 in MP4", encoded(codec="mpeg4", reordered=2)),
    "mjpeg.avi": ("every frame is a key frame", encoded(**_mjpeg)),
    "mjpeg.mov": ("every frame is a key frame", encoded(codec="mjpeg", pixels="yuvj422p")),
    "vp8.webm": ("VP8", encoded(codec="libvpx")),
    "vp8_hidden.webm": ("VP8, hidden frames", encoded(codec="libvpx", **_hidden)),
    "vp9.webm": ("VP9", encoded(codec="libvpx-vp9")),
    "vp9_hidden.webm": ("VP9, hidden frames", encoded(codec="libvpx-vp9", **_hidden)),
    "av1.mp4": ("AV1", encoded(codec="libsvtav1")),
    "av1.webm": ("AV1", encoded(codec="libsvtav1")),
    "wmv2.wmv": ("WMV 8", encoded(codec="wmv2")),
    "flv.avi": ("Sorenson H.263", encoded(codec="flv")),
    "flash.mkv": ("FLV by a wrong name", encoded(container="flv")),
    "gif.mkv": ("GIF by a wrong name", encoded(codec="gif", pixels="rgb8", container="gif")),
    "elementary.mpg": ("no container", encoded(codec="mpeg2video", container="mpeg2video")),
    "elementary.m4v": ("no container", encoded(codec="mpeg4", container="m4v")),
    "prores.mov": ("ProRes", encoded(codec="prores_ks", pixels="yuv422p10le")),
    "dv.avi": (
        "DV: interlaced, wide pixels",
        encoded(range(20), codec="dvvideo", size=(720, 576), aspect=Fraction(16, 15), fields="bff"),
    ),
    "ffv1.mkv": ("lossless", encoded(codec="ffv1", gop=1)),
    # pixels
    "10_bit.mkv": ("10 bits", encoded(pixels="yuv420p10le")),
    "422.mp4": ("4:2:2", encoded(pixels="yuv422p")),
    "444.mp4": ("4:4:4", encoded(pixels="yuv444p")),
    "gray.mkv": ("grey", encoded(pixels="gray")),
    "alpha.webm": ("transparency", encoded(codec="libvpx-vp9", pixels="yuva420p")),
    "alpha.mov": ("transparency", encoded(codec="qtrle", pixels="argb")),
    "odd.mkv": ("odd sides", encoded(codec="ffv1", size=(127, 95))),
    "cropped.mp4": ("sides that are no multiple of 16", encoded(size=(122, 90))),
    "aspect.mp4": ("pixels of 4:3", encoded(**_wide)),
    "aspect.mkv": ("pixels of 4:3", encoded(**_wide)),
    "turned.mp4": ("turned by 90°", encoded(turned=90)),
    "turned_back.mov": ("turned by -90°", encoded(turned=-90)),
    "turned.mkv": ("turned by 180°", encoded(turned=180)),
    "turned_aspect.mp4": ("turned, pixels of 4:3", encoded(**_wide, turned=90)),
    # interlaced
    "interlaced.mp4": ("H.264, top field first", encoded(fields="tff", reordered=2)),
    "interlaced_bff.mkv": ("H.264, bottom field first", encoded(fields="bff")),
    "interlaced_mpeg2.mpg": ("MPEG-2, top field first", encoded(**_mpeg2, fields="tff")),
    "interlaced_mpeg4.avi": ("MPEG-4, top field first", encoded(codec="mpeg4", fields="tff")),
    "fields_hevc.mkv": ("HEVC, a picture for each field", debatable(encoded(**_halves), refusal="field")),
    # key frames
    "one_key.mp4": ("one key frame only", encoded(range(300), gop=10**4)),
    "one_key_mpeg4.avi": ("one key frame only", encoded(range(300), gop=10**4, codec="mpeg4")),
    "refresh.mp4": ("refreshed row by row", encoded(**_long, **_refresh)),
    "refresh.ts.mpg": ("refreshed row by row", encoded(**_long, **_refresh, **_ts)),
    "open_gop.mp4": ("open GOP", encoded(**_long, **_open)),
    "open_gop_hevc.mkv": ("open GOP", encoded(codec="libx265", **_long)),
    "open_gop_mpeg2.mpg": ("open GOP", encoded(range(150), **_mpeg2)),
    # times
    "falls.mp4": ("30 frames a second fall to 10", encoded(**_falling)),
    "falls.mkv": ("30 frames a second fall to 10", encoded(**_falling, reordered=2)),
    "pauses.mp4": ("a pause of 3 s", encoded(**_falling | {"times": pauses})),
    "ntsc.mp4": ("30000/1001 frames a second", encoded(**_ntsc, reordered=2)),
    "ntsc.mkv": ("30000/1001 frames a second, in milliseconds", encoded(**_ntsc, reordered=2)),
    "ntsc.avi": ("30000/1001 frames a second", encoded(**_ntsc, codec="mpeg4")),
    "fast.mkv": ("240 frames a second", encoded(range(300), rate=240)),
    "slow.mp4": ("5 frames a second", encoded(rate=5)),
    "offset.mkv": ("starts at 10 s", encoded(start=10)),
    "offset.mp4": ("starts at 10 s (empty edit)", encoded(start=10)),
    "offset.ts.mpg": ("starts at 1000 s", encoded(start=1000, **_ts)),
    "wraps.ts.mpg": ("the clock of 33 bits wraps", encoded(range(120), start=2**33 / 90000 - 2.4, **_ts)),
    "fragments.mp4": ("fragments", encoded(**_long, muxer={"movflags": "frag_keyframe"})),
    "empty_moov.mp4": ("fragments only", encoded(**_long, muxer={"movflags": "frag_keyframe+empty_moov"})),
    "one_fragment_each.mp4": ("a fragment for every frame", encoded(muxer={"movflags": "frag_every_frame+empty_moov"})),
    "live.mkv": ("no duration, no index", encoded(**_long, muxer={"live": "1"})),
    "no_edit_list.mp4": ("begins with the delay of B-frames", encoded(**_long, muxer={"use_editlist": "0"})),
    "negative_offsets.mp4": ("B-frames", encoded(**_long, muxer={"movflags": "negative_cts_offsets"})),
    # other streams
    "sound.mp4": ("sound as long as the picture", encoded(sound=(0, 2.4))),
    "sound_longer.mkv": ("sound longer than the picture", encoded(sound=(0, 4))),
    "sound_longer.mp4": ("sound longer than the picture", encoded(sound=(0, 4))),
    "sound_longer.mpg": ("sound longer than the picture", encoded(**_mpeg2, sound=(0, 4))),
    "sound_longer.webm": ("sound longer than the picture", encoded(codec="libvpx-vp9", sound=(0, 4))),
    "sound_longer.avi": ("sound longer than the picture", encoded(codec="mpeg4", sound=(0, 4))),
    "sound_longer.wmv": ("sound longer than the picture", encoded(codec="wmv2", sound=(0, 4))),
    "sound_late.mpg": ("sound that appears on the way", encoded(range(375), **_mpeg2, sound=(8.9, 10.4))),
    "sound_first.mp4": ("sound begins 1 s before the picture", encoded(start=1, sound=(0, 4))),
    "cover.mp4": ("attached picture", encoded(cover=True)),
    "cover_first.mp4": ("attached picture is stream 0", patched(encoded(cover=True), cover_first)),
    "cover.mkv": ("attached picture", encoded(cover=True)),
    # cut and joined
    "trimmed.mp4": ("cut by stream copy: an edit list hides frames", trimmed(encoded(**_long), 2.5)),
    "trimmed_end.mp4": ("cut by stream copy at both ends", trimmed(encoded(**_long), 2.5, 4.5)),
    "trimmed.mkv": ("cut by stream copy", trimmed(encoded(**_long), 2.5)),
    "trimmed_sound.mp4": ("cut by stream copy, with sound", trimmed(encoded(**_long, sound=(0, 7)), 2.5)),
    "trimmed_open_gop.mkv": ("cut by stream copy at an open GOP", trimmed(encoded(**_long, **_open), 2.5)),
    "trimmed_open_gop_hevc.mp4": ("cut by stream copy at an open GOP", trimmed(encoded(codec="libx265", **_long), 2.5)),
    "edits.mp4": ("edit list of two pieces", edited(encoded(range(100), reordered=2), (30, 30), (70, 20))),
    "edit_repeats.mp4": ("edit list that shows a piece twice", edited(encoded(range(100)), (24, 30), (24, 30))),
    "edit_end.mp4": ("edit list hides the end", edited(encoded(range(100)), (0, 70))),
    "joined.mpg": ("joined, times begin again", joined(encoded(**_mpeg2), encoded(**_second, **_mpeg2))),
    "joined.ts.mpg": (
        "joined, times jump",
        debatable(joined(encoded(**_ts), encoded(**_second, **_ts, start=100)), times=None),
    ),
    "joined_back.ts.mpg": ("joined, times begin again", joined(encoded(**_ts), encoded(**_second, **_ts))),
    "joined.avi": ("joined", joined(encoded(codec="mpeg4"), encoded(**_second, codec="mpeg4"))),
    "joined_sizes.ts.mpg": (
        "joined, the size changes",
        joined(encoded(**_ts), encoded(**_second, **_ts, size=(256, 192))),
    ),
    "sizes.ts.mpg": (
        "the size changes, times go on",
        joined(encoded(**_ts), encoded(**_second, **_ts, start=2.4, size=(256, 192))),
    ),
    "sizes_mjpeg.avi": (
        "the size changes",
        joined(encoded(**_mjpeg), encoded(**_second, **_mjpeg, size=(256, 192))),
    ),
    # AVI
    "skips.avi": ("empty frames", encoded(codec="mpeg4", times=skips)),
    "skips_mjpeg.avi": ("empty frames", encoded(**_mjpeg, times=skips)),
    "not_coded.avi": ("pictures that are not coded", repacked(encoded(codec="mpeg4", times=skips), with_not_coded)),
    "no_index.avi": ("the index is lost", patched(encoded(codec="mpeg4"), lambda data: data[: data.index(b"idx1")])),
    "declares_more.avi": ("declares 100 of 60 frames", patched(encoded(codec="mpeg4"), declares(100))),
    "declares_fewer.avi": ("declares 20 of 60 frames", patched(encoded(codec="mpeg4"), declares(20))),
    "declares_none.avi": ("declares no frames", patched(encoded(codec="mpeg4"), declares(0))),
    # cut off
    "half.avi": ("ends early", cut(encoded(codec="mpeg4"), 0.6)),
    "half.mkv": ("ends early", cut(encoded(), 0.6)),
    "half_faststart.mp4": ("ends early, header first", cut(encoded(muxer={"movflags": "faststart"}), 0.7)),
    "half.mp4": ("ends early, without its header", cut(encoded(), 0.7)),
    "half.wmv": ("ends early; FFmpeg keeps the duration to itself", cut_unnoticed(encoded(codec="wmv2"), 0, 0.6)),
    "half.webm": ("ends early", cut(encoded(codec="libvpx-vp9"), 0.6)),
    "half.mpg": ("ends early", cut_unnoticed(encoded(**_mpeg2), 0, 0.6)),
    "half.ts.mpg": ("ends early", cut_unnoticed(encoded(**_ts), 0, 0.6)),
    "late.ts.mpg": ("begins between key frames", cut_unnoticed(encoded(**_long, **_ts), 0.1, 1)),
}  # fmt: skip


def build(name: str, folder: Path) -> Case:
    """Write one file of the catalogue below ``folder``."""
    special, recipe = CASES[name]
    return replace(recipe(Path(folder) / name), special=special)


def problems(case: Case) -> list[str]:
    """What FFmpeg, decoding from end to end, shows other than the case says."""
    try:
        numbers, times, sizes = shown(case.path)
    except (av.error.FFmpegError, StopIteration) as error:
        return [] if not case.numbers else [f"cannot be opened: {error!r}"]
    wrong = []
    if case.numbers and not case.right(numbers):
        wrong.append(f"shows {numbers}, not {case.numbers}")
    if case.numbers and not case.refusal and sizes != {case.size}:
        wrong.append(f"has sizes {sizes}, not {case.size}")
    if case.times and times and not (off := lag(unbroken(times), case.times)) <= COARSE:
        wrong.append(f"has times that are {off:.3f} s off")
    return wrong


def unbroken(times: list[float]) -> list[float]:
    """Times that go on where those of joined recordings jump or begin again."""
    steps = np.diff(times)
    steps[(steps <= 0) | (steps > 10)] = np.median(steps)
    return [0.0, *np.cumsum(steps)]


def lag(times: Iterable[float], right: Iterable[float]) -> float:
    """The largest difference of the times from the first frame on, in seconds."""
    times, right = np.array(times), np.array(right)
    return float(abs(times - times[0] - right).max()) if times.shape == right.shape else float("inf")


def main() -> None:
    av.logging.set_level(av.logging.PANIC)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in CASES:
            before = time.monotonic()
            case = build(name, Path(folder))
            seconds = time.monotonic() - before
            said = problems(case)
            wrong += bool(said)
            print(f"{name:24} {seconds:5.2f} s  {len(case.numbers):4}  {'; '.join(said) or 'right'}  ({case.special})")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
