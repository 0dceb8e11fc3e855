"""Videos of every kind through every way of reading them, and damaged ones:

    python tests/stress/fuzz_videos.py --files 1000 --mutants 500 --seed 0
    python tests/stress/fuzz_videos.py --catalogue

``--files`` writes videos of random codec, container and structure, whose frames show their numbers, and holds what the
product reads against what is right: the numbers, in sequence and in windows anywhere, the size and the times.
``--mutants`` damages the videos of ``numbered.CASES`` at random. Those that count as sound all the same must have the
same frames in sequence and in any window. ``--catalogue`` prints what becomes of every one of ``numbered.CASES``. The
same seed gives the same files. Child processes read, so that a crash or a hang of a decoder is counted and not
suffered.
"""

# ruff: noqa: E402
import argparse
import multiprocessing
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

os.environ["OPENCV_LOG_LEVEL"] = "SILENT"
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "workflow_scripts")]

import av
import cv2
import numbered
import numpy as np
from numbered import Case, Recipe

from dtkd.data import video
from dtkd.data.inspection import scanned
from dtkd.data.video import VideoError, VideoInfo
from dtkd.motion import flow

PATIENCE = 600  # seconds for a file: a damaged header may claim a huge frame, and flow takes its time
WINDOWS = 10
ALIKE = 4  # grey levels, the mean difference of one frame decoded in two ways at most


# The child reads a file in every way


@dataclass
class Seen:
    """What the product makes of a file."""

    info: VideoInfo | None = None
    refused: str = ""
    numbers: list[int] = field(default_factory=list)
    """Read in sequence."""
    windows: list[tuple[list[int], list[int]]] = field(default_factory=list)
    """Indices, and the numbers read there."""
    wrong: list[str] = field(default_factory=list)
    """Mistakes that can be told without knowing what is right, each after its kind."""


def see(path: Path, seed: int, with_flow: bool = False) -> Seen:
    """Inspect a file and, if it counts as sound, read it in sequence, in windows and, if wished, for its flow."""
    seen, sequence = Seen(), []

    def scan() -> None:
        seen.info = scanned(path)

    def in_sequence() -> None:
        for image in video.grey_frames(path):
            check_shape(image, (seen.info.height, seen.info.width))
            seen.numbers.append(numbered.number(image))
            sequence.append(thumbnail(image))
        if len(sequence) != seen.info.frames:
            seen.wrong.append(f"frames: {len(sequence)} in sequence, but {seen.info.frames} by inspection")

    def in_windows() -> None:
        moved, unlike = [], []
        for indices in windows(np.random.default_rng(seed), seen.info.frames):
            numbers = []
            seen.windows.append((indices, numbers))
            for index, image in zip(indices, video.read_bgr(path, indices, seen.info), strict=True):
                check_shape(image, (seen.info.height, seen.info.width, 3))
                numbers.append(numbered.number(image))
                small = thumbnail(image)
                if index < len(sequence) and (off := difference(small, sequence[index])) > ALIKE:
                    other = min(range(len(sequence)), key=lambda i: difference(small, sequence[i]))
                    if difference(small, sequence[other]) <= ALIKE:
                        moved.append(f"frame {index} of window {indices} is {other} in sequence")
                    else:
                        unlike.append(f"frame {index} of window {indices} is none in sequence ({off:.0f} levels off)")
        for kind, found in (("frames", moved), ("pixels", unlike)):
            if found:
                seen.wrong.append(f"{kind}: {len(found)} differ in windows: {found[0]}")

    def of_flow() -> None:
        table = flow.video_flow(path)
        if len(table) != seen.info.frames - 1:
            seen.wrong.append(f"frames: flow of {len(table)} pairs, but {seen.info.frames} frames by inspection")
        if not np.isfinite(table.drop(columns="time")).all(axis=None):
            seen.wrong.append("error: flow is not finite")

    def check_shape(image: np.ndarray, shape: tuple[int, ...]) -> None:
        if (image.shape, image.dtype) != (shape, np.uint8):
            raise AssertionError(f"{image.shape} {image.dtype}, but {shape} uint8 by inspection")

    for use in (scan, in_sequence, in_windows, *([of_flow] if with_flow else [])):
        if use is scan or seen.info:
            try:
                use()
            except VideoError as error:
                reason = str(error).removeprefix(f"{path}: ")
                if seen.info or "\n" in reason or reason == str(error):
                    seen.wrong.append(f"error: {use.__name__}: {reason!r}")
                else:
                    seen.refused = reason
            except Exception as error:
                at = traceback.extract_tb(error.__traceback__)[-1]
                seen.wrong.append(f"error: {use.__name__}: {error!r} ({Path(at.filename).name}, line {at.lineno})")
    return seen


def windows(random: np.random.Generator, frames: int) -> Iterator[list[int]]:
    """Ascending indices: the last ones; clips of any step from anywhere; any indices, with repeats."""
    yield list(range(max(0, frames - 3), frames))
    for _ in range(WINDOWS):
        first, step, count = random.integers(frames), random.integers(1, 5), random.integers(1, 17)
        yield np.arange(first, frames, step)[:count].tolist()
    yield np.sort(random.integers(0, frames, 6)).tolist()


def thumbnail(image: np.ndarray) -> np.ndarray:
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.resize(grey, (32, 24), interpolation=cv2.INTER_AREA).astype(float)


def difference(image: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(image - other).mean())


def child(connection) -> None:
    cv2.setNumThreads(1)
    av.logging.set_level(av.logging.PANIC)
    while True:
        connection.send(see(*connection.recv()))


class Child:
    """A process that reads files; started when first needed, and again after a file ended it."""

    def __init__(self) -> None:
        self.process = None

    def see(self, path: Path, seed: int, with_flow: bool = False) -> Seen:
        if self.process is None:
            self._start()
        self.connection.send((path, seed, with_flow))
        try:
            if self.connection.poll(PATIENCE):
                return self.connection.recv()
            outcome = "hang"
        except EOFError:
            outcome = "crash"
        process = self.process
        self.close()
        return Seen(wrong=[f"{outcome}: exit status {process.exitcode}"])

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=child, args=(other,), daemon=True)
        self.process.start()
        other.close()

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None


# The parent knows what is right


def mistakes(case: Case, seen: Seen) -> list[str]:
    """What the product gets wrong about a file of which ``case`` says what is right, each after its kind."""
    if seen.info is None:
        may_be_refused = case.refusal or not case.numbers
        if seen.wrong or (may_be_refused and case.refusal in seen.refused):
            return seen.wrong
        return [f"refused: {seen.refused}" + (f" (not with {case.refusal!r})" if case.refusal else "")]
    if not case.numbers:
        return [f"sound: {seen.info.frames} frames, but it must be refused ({case.refusal})"]
    wrong = list(seen.wrong)
    if not case.right(seen.numbers):
        pairs = enumerate(zip(seen.numbers, case.numbers, strict=False))
        at = next((f", and {i} shows {shown} for {right}" for i, (shown, right) in pairs if shown != right), "")
        wrong.append(f"frames: {len(seen.numbers)} in sequence for {len(case.numbers)}{at}")
    off = [numbers for indices, numbers in seen.windows if numbers != in_window(case, seen, indices)]
    if off:
        wrong.append(f"frames: {len(off)} of {len(seen.windows)} windows are wrong, {off[0]} is one")
    (width, height), (right_width, right_height) = (seen.info.width, seen.info.height), case.size
    if abs(width * right_height - height * right_width) > max(right_width, right_height):  # a pixel, at most
        wrong.append(f"size: {width}×{height} for {right_width}×{right_height}")
    if case.times and len(case.times) == seen.info.frames:
        times = seen.info.times or [index / (seen.info.fps or np.nan) for index in range(seen.info.frames)]
        if not (off := numbered.lag(times, case.times)) <= numbered.COARSE:
            wrong.append(f"times: {off:.3f} s off")
    return wrong


def in_window(case: Case, seen: Seen, indices: list[int]) -> list[int | None]:
    """The numbers that are right at the indices."""
    shown = seen.numbers if case.right(seen.numbers) else case.numbers
    return [shown[index] if index < len(shown) else None for index in indices]


# Random files: a container, an encoder for it, and a structure


PIXELS = {
    "libx264": ("yuv420p", "yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "gray"),
    "libx265": ("yuv420p", "yuv420p10le"),
    "libsvtav1": ("yuv420p", "yuv420p10le"),
    "mjpeg": ("yuvj420p", "yuvj422p"),
    "ffv1": ("yuv420p", "gray"),
    "huffyuv": ("yuv422p",),
    "prores_ks": ("yuv422p10le",),
}
"""Pixel formats by encoder; 4:2:0 elsewhere."""

MODERN = ("libx264", "libx264", "libx265", "mpeg4", "mjpeg", "libsvtav1", "libvpx-vp9")
CONTAINERS = {
    "MP4": (".mp4", None, MODERN),
    "M4V": (".m4v", "mp4", ("libx264", "mpeg4")),
    "MOV": (".mov", None, ("libx264", "libx265", "mpeg4", "mjpeg", "prores_ks")),
    "Matroska": (".mkv", None, (*MODERN, "libvpx", "ffv1", "mpeg2video")),
    "WebM": (".webm", None, ("libvpx", "libvpx-vp9", "libsvtav1")),
    "AVI": (".avi", None, ("mpeg4", "mpeg4", "libx264", "mjpeg", "wmv2", "msmpeg4", "flv", "huffyuv", "ffv1")),
    "MPEG-PS": (".mpg", None, numbered.MPEG),
    "MPEG-TS": (".mpeg", "mpegts", ("libx264", "libx265", "mpeg2video")),
    "ASF": (".wmv", None, ("wmv1", "wmv2", "msmpeg4")),
}
"""Suffix, FFmpeg's name where the suffix does not tell it, and encoders (those wanted more often stand twice)."""

RATES = (24, 25, 30, 50, 60, Fraction(24000, 1001), Fraction(30000, 1001))
OTHER_RATES = (5, 10, 12, 15, 100, 120, Fraction(60000, 1001), Fraction(25, 2))

LENGTHS = ((2, 30), (40, 120), (40, 120), (150, 400))
LONGEST = 400

How = dict  # what ``numbered.encoded`` is told


def regular(random: np.random.Generator, container: str, codecs: Iterable[str] = ()) -> How:
    _, name, encoders = CONTAINERS[container]
    codec = pick(random, [encoder for encoder in encoders if encoder in (codecs or encoders)])
    first, length = random.integers(1000), random.integers(*pick(random, LENGTHS))
    length = max(length, 8) if container == "MPEG-TS" else length  # FFmpeg does not open shorter ones
    how = {"numbers": range(first, first + length), "codec": codec, "container": name}
    how["pixels"] = pick(random, PIXELS.get(codec, ("yuv420p",)))
    how["rate"] = pick(random, RATES if codec in numbered.MPEG else RATES + OTHER_RATES)
    how["gop"] = 1 if codec == "ffv1" else pick(random, (1, 5, 12, 25, 100, 600))
    if codec in ("libx264", "libx265", "mpeg4", *numbered.MPEG):
        how["reordered"] = pick(random, (0, 0, 1, 2, 3)) if how["gop"] > 1 else 0
    if random.random() < 0.3:
        how["sound"] = tuple(np.sort(random.uniform(0, min(1.5 * seconds(how) + 0.3, 20), 2)))
    return how


def pick(random: np.random.Generator, choices: Iterable):
    return list(choices)[random.integers(len(choices))]


def seconds(how: How) -> float:
    return len(how["numbers"]) / float(how["rate"])


def varying(random: np.random.Generator, how: How) -> How:
    """The frame rate falls, or pauses, or never keeps time."""
    at = np.arange(LONGEST) >= random.integers(len(how["numbers"]))
    falls = np.where(at, random.integers(2, 5), 1)
    pauses = np.where(np.diff(at, prepend=False), random.uniform(3, 8 * float(how["rate"])), 1)
    steps = pick(random, (falls, pauses, random.uniform(0.5, 1.5, LONGEST)))
    moments = (np.cumsum(steps) - steps[0]) / float(how["rate"])
    return how | {"times": moments.__getitem__, "ticks": pick(random, (1000, 12800, 50000))}


def leaving_out(random: np.random.Generator, how: How) -> How:
    """A regular frame rate with empty places."""
    places = np.cumsum(1 + random.integers(0, 4, LONGEST) * (random.random(LONGEST) < 0.2))
    return how | {"times": lambda i: int(places[i] - places[0]) / Fraction(how["rate"])}


def late(random: np.random.Generator, how: How) -> How:
    return how | {"start": random.uniform(0, 90)}


def wrapping(random: np.random.Generator, how: How) -> How:
    return how | {"start": 2**33 / 90000 - random.uniform(1.4, 1.6 + seconds(how))}


def interlaced(random: np.random.Generator, how: How) -> How:
    return how | {"fields": pick(random, ("tff", "bff"))}


def open_groups(random: np.random.Generator, how: How) -> How:
    params, told = ("x264-params", "") if how["codec"] == "libx264" else ("x265-params", ":log-level=none")
    return how | {"options": {params: "open-gop=1" + told}, "reordered": int(random.integers(1, 4)), "gop": 12}


def refreshing(random: np.random.Generator, how: How) -> How:
    return how | {"options": {"x264-params": "intra-refresh=1"}, "reordered": 0, "gop": 25, "pixels": "yuv420p"}


def fragments(random: np.random.Generator, how: How) -> How:
    flags = ("frag_keyframe", "frag_keyframe+empty_moov", "frag_every_frame+empty_moov+default_base_moof")
    how = how | {"muxer": {"movflags": pick(random, flags)}}
    return how | {"sound": None}  # where it ends, FFmpeg's multiplexer gives two frames one time


def shaped(random: np.random.Generator, how: How) -> How:
    aspect = pick(random, (Fraction(1), Fraction(4, 3), Fraction(16, 11), Fraction(8, 9)))
    return how | {
        "size": tuple(int(side) for side in 4 * random.integers(16, 45, 2)),
        "aspect": aspect,
        "turned": pick(random, (0, 90, 180, -90)),
    }


def with_cover(random: np.random.Generator, how: How) -> How:
    return how | {"cover": True}


def live(random: np.random.Generator, how: How) -> How:
    return how | {"muxer": {"live": "1"}}


def trimmed(random: np.random.Generator, how: How) -> Recipe:
    how = longer(how, 40)
    length = len(how["numbers"])
    first = random.integers(0, length - 20)
    times = how.get("times", lambda i: i / Fraction(how["rate"]))
    until = random.integers(first + 20, length)
    since, until = (float(times(int(i))) + random.uniform(0, 0.05) for i in (first, until))
    return numbered.trimmed(numbered.encoded(**how), since, until, how["container"])


def longer(how: How, frames: int) -> How:
    first = how["numbers"].start
    return how | {"numbers": range(first, first + max(frames, len(how["numbers"])))}


def with_edits(random: np.random.Generator, how: How) -> Recipe:
    source = numbered.encoded(**longer(how | {"rate": numbered.RATE}, 60))
    a, b, c, d = (int(frames) for frames in random.integers(5, 16, 4))
    if how["codec"] == "libx265" or random.random() < 0.5:  # of an open GOP FFmpeg does not show the second piece
        return numbered.edited(source, (a, b))
    two = numbered.edited(source, (a, b), (a + b + c, d))
    return numbered.debatable(two, times=None)  # FFmpeg leaves a gap between the pieces where there are B-frames


def joined(random: np.random.Generator, how: How) -> Recipe:
    recipes = [numbered.encoded(**how)]
    for _ in range(random.integers(1, 3)):
        stop = how["numbers"].stop
        how = how | {"numbers": range(stop, stop + random.integers(2, 60)), "start": random.uniform(0, 50)}
        recipes.append(numbered.encoded(**how))
    return numbered.debatable(numbered.joined(*recipes), times=None)


def miscounted(random: np.random.Generator, how: How) -> Recipe:
    return numbered.patched(numbered.encoded(**how), numbered.declares(int(random.integers(1000))))


def cut_off(random: np.random.Generator, how: How) -> Recipe:
    cut = numbered.cut(numbered.encoded(**longer(how | {"sound": None}, 100)), random.uniform(0.3, 0.6))
    return numbered.debatable(cut, refusal="")  # for any reason


BOXES, TIMED = ("MP4", "MOV", "M4V"), ("MP4", "MOV", "Matroska", "WebM", "MPEG-TS")
STRUCTURES: dict[str, tuple[Iterable[str], Iterable[str], Callable[[np.random.Generator, How], How | Recipe]]] = {
    "regular": (CONTAINERS, (), lambda random, how: how),
    "rate varies": (TIMED, (*MODERN, "libvpx"), varying),
    "frames left out": ((*TIMED, "AVI", "ASF"), (), leaving_out),
    "starts late": ((*TIMED, "MPEG-PS", "ASF"), (), late),
    "clock wraps": (("MPEG-TS",), (), wrapping),
    "interlaced": (CONTAINERS.keys() - {"WebM", "ASF"}, ("libx264", "mpeg4", "mpeg2video"), interlaced),
    "open groups": (("MP4", "Matroska", "MPEG-TS"), ("libx264", "libx265"), open_groups),
    "rows refreshed": (("MP4", "Matroska", "MPEG-TS"), ("libx264",), refreshing),
    "fragments": (BOXES, (), fragments),
    "shape": (("MP4", "MOV", "Matroska"), ("libx264", "libx265", "mpeg4"), shaped),
    "cover": (("MP4", "Matroska"), (), with_cover),
    "live": (("Matroska", "WebM"), (), live),
    "trimmed": (TIMED, (), trimmed),
    "edits": (("MP4", "MOV"), (), with_edits),
    "joined": (("MPEG-PS", "MPEG-TS"), (), joined),
    "miscounted": (("AVI",), (), miscounted),
    "cut off": (("MP4", "Matroska", "WebM", "AVI"), (), cut_off),
}
"""The containers and encoders (none: all) that a structure is for, and what it makes of a regular file."""

COMPANIONS = ("rate varies", "frames left out", "starts late", "interlaced", "shape", "cover")
"""Structures that may come with others."""


def random_file(folder: Path, seed: int, number: int) -> tuple[str, Case]:
    """File ``number`` of a seed: its structure, and what is right for it."""
    random = np.random.default_rng([seed, number])
    structure = list(STRUCTURES)[number % len(STRUCTURES)]
    _, codecs, make = STRUCTURES[structure]
    container = pick(random, [name for name in CONTAINERS if suits(structure, name, CONTAINERS[name][2])])
    how = regular(random, container, codecs)
    companion = pick(random, COMPANIONS)
    if random.random() < 0.3 and structure != "edits" and suits(companion, container, [how["codec"]]):
        how = STRUCTURES[companion][2](random, how)
    if container == "AVI" and ("times" in how or make is leaving_out):
        how["reordered"] = 0  # an AVI does not say which of the B-frames is late
    recipe = make(random, how)
    recipe = recipe if callable(recipe) else numbered.encoded(**recipe)
    name = f"{number:05d}-{structure.replace(' ', '_')}-{how['codec']}{CONTAINERS[container][0]}"
    return structure, replace(recipe(folder / name), special=structure)


def suits(structure: str, container: str, codecs: Iterable[str]) -> bool:
    wanted_containers, wanted_codecs, _ = STRUCTURES[structure]
    return container in wanted_containers and (not wanted_codecs or bool(set(wanted_codecs) & set(codecs)))


# Damage: each takes the bytes (an array that it may change), a random generator and the bytes of another file of the
# same container, and returns bytes


def flipped_bits(data, random, other):
    places = random.integers(0, len(data), 1 + random.integers(60))
    data[places] ^= (1 << random.integers(0, 8, len(places))).astype(np.uint8)
    return data


def damaged_header(data, random, other):
    places = random.integers(0, min(len(data), 600), 1 + random.integers(12))
    data[places] = random.choice([0, 1, 0x7F, 0x80, 0xFF, *random.integers(0, 256, 3)], len(places))
    return data


def truncated(data, random, other):
    return data[: random.integers(len(data))]


def zeros(data, random, other):
    start, end = np.sort(random.integers(0, len(data), 2))
    data[start : start + min(end - start, 4096)] = 0
    return data


def chunk_again(data, random, other):
    start, end = np.sort(random.integers(0, len(data), 2))
    return np.concatenate([data[:end], data[start:]])


def chunk_lost(data, random, other):
    start = random.integers(len(data))
    return np.concatenate([data[:start], data[start + 1 + random.integers(4096) :]])


def chunks_swapped(data, random, other):
    a, b, c = np.sort(random.integers(0, len(data), 3))
    return np.concatenate([data[:a], data[b:c], data[a:b], data[c:]])


def spliced(data, random, other):
    return np.concatenate([data[: random.integers(len(data))], other[random.integers(len(other)) :]])


DAMAGE = [flipped_bits, damaged_header, truncated, zeros, chunk_again, chunk_lost, chunks_swapped, spliced]


def bytes_of(name: str, folder: Path) -> np.ndarray:
    path = numbered.build(name, folder).path
    data = np.frombuffer(path.read_bytes(), np.uint8)
    path.unlink()
    return data


def mutant(folder: Path, seed: int, number: int) -> tuple[str, Path]:
    """Mutant ``number`` of a seed: its damage, and its path."""
    random = np.random.default_rng([seed, number])
    name = list(numbered.CASES)[number % len(numbered.CASES)]
    alike = [other for other in numbered.CASES if Path(other).suffix == Path(name).suffix]
    data, other = (bytes_of(source, folder) for source in (name, pick(random, alike)))
    damage = pick(random, DAMAGE)
    path = folder / f"{number:05d}-{damage.__name__}-{name}"
    path.write_bytes(damage(data.copy(), random, other).tobytes())
    return damage.__name__.replace("_", " "), path


# Runs

KINDS = ("refused", "sound", "frames", "pixels", "size", "times", "error", "crash", "hang")
"""Kinds of mistakes: wrongly refused, wrongly sound, and so on. "frames" are other ones than they should be, and
"pixels" are no frame's: of damaged files, whose decoding errors may depend on where decoding began, these only count.
"""


@dataclass
class Outcomes:
    """What became of files, by their structure or damage."""

    counts: dict[str, Counter] = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    """Mistakes by file name."""
    disputed: dict[str, list[str]] = field(default_factory=dict)
    """Files that FFmpeg, decoding from end to end, shows other than they were written: not judged by the numbers or,
    where only these differ, the times."""

    def add(
        self,
        kind: str,
        path: Path,
        seen: Seen,
        wrong: list[str],
        disputed: Iterable[str] = (),
        tolerated: Iterable[str] = (),
    ) -> None:
        count = self.counts.setdefault(kind, Counter())
        count["files"] += 1
        count["was sound"] += seen.info is not None
        count["was refused"] += bool(seen.refused)
        count.update({mistake.partition(":")[0] for mistake in wrong})
        wrong = [mistake for mistake in wrong if mistake.partition(":")[0] not in tolerated]
        if disputed:
            count["disputed"] += 1
            self.disputed[path.name] = list(disputed)
        if wrong:
            self.wrong[path.name] = wrong
        else:
            path.unlink()

    def table(self) -> str:
        columns = ("files", "disputed", "was sound", "was refused", *KINDS)
        rows = [(kind, *(count[column] for column in columns)) for kind, count in self.counts.items()]
        rows.append(("all", *(sum(row[i] for row in rows) for i in range(1, len(columns) + 1))))
        heads = ("", "files", "disputed", "sound", "refused", *(f"✗ {kind}" for kind in KINDS))
        lines = (f"{name:16}" + "".join(f"{value:>10}" for value in values) for name, *values in (heads, *rows))
        return "\n".join(lines)


def fuzz_files(folder: Path, numbers: Iterable[int], seed: int, reader: Child) -> Outcomes:
    outcomes = Outcomes()
    for number in numbers:
        structure, case = random_file(folder, seed, number)
        disputed = numbered.problems(case)
        seen = reader.see(case.path, seed, with_flow=number % 10 == 0)
        only_times = all(problem.startswith("has times") for problem in disputed)
        case = replace(case, times=None) if disputed else case
        outcomes.add(structure, case.path, seen, mistakes(case, seen) if only_times else seen.wrong, disputed)
    return outcomes


def fuzz_mutants(folder: Path, numbers: Iterable[int], seed: int, reader: Child) -> Outcomes:
    outcomes = Outcomes()
    for number in numbers:
        damage, path = mutant(folder, seed, number)
        seen = reader.see(path, seed, with_flow=number % 10 == 0)
        outcomes.add(damage, path, seen, seen.wrong, tolerated=("pixels",))
    return outcomes


def catalogue(folder: Path, names: Iterable[str], reader: Child) -> int:
    """Print a row for each case; the number of cases that the product gets wrong."""
    print(f"{'':26}{'frames':>7} {'in sequence':>12} {'in windows':>11}  {'outcome':8} what is wrong")
    total = 0
    for name in names:
        case = numbered.build(name, folder)
        seen = reader.see(case.path, 0)
        wrong = mistakes(case, seen)
        total += bool(wrong)
        right = seen.numbers if case.right(seen.numbers) else case.numbers
        in_sequence = sum(a == b for a, b in zip(seen.numbers, right, strict=False))
        in_windows = sum(numbers == in_window(case, seen, indices) for indices, numbers in seen.windows)
        outcome = "sound" if seen.info else "refused" if seen.refused else "broke"
        said = f"{wrong[0]}{f' … and {len(wrong) - 1} more' if wrong[1:] else ''}" if wrong else "nothing"
        frames = len(case.numbers) or "refuse"
        shares = (f"{in_sequence}/{len(right)}", f"{in_windows}/{len(seen.windows)}") if seen.info else ("", "")
        print(f"{name:26}{frames:>7} {shares[0]:>12} {shares[1]:>11}  {outcome:8} {said}")
        case.path.unlink()
    print(f"{total} of {len(list(names))} are wrong")
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=0, help="random files (1000, where nothing else is asked for)")
    parser.add_argument("--mutants", type=int, default=0, help="damaged files (500, where nothing else is asked for)")
    parser.add_argument("--catalogue", nargs="*", metavar="NAME", help="the videos of numbered.CASES, or those named")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="of --files or --mutants, the one of this number")
    parser.add_argument("--keep", type=Path, help="folder for the files that went wrong")
    options = parser.parse_args()
    if options.catalogue is None and not options.files and not options.mutants:
        options.files, options.mutants = 1000, 500
    av.logging.set_level(av.logging.PANIC)
    folder = options.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    reader, failed = Child(), False
    if options.catalogue is not None:
        failed |= bool(catalogue(folder, options.catalogue or list(numbered.CASES), reader))
    for name, fuzz in (("files", fuzz_files), ("mutants", fuzz_mutants)):
        if wanted := getattr(options, name):
            start = time.monotonic()
            numbers = range(wanted) if options.only is None else [options.only]
            outcomes = fuzz(folder, numbers, options.seed, reader)
            for file, problems in outcomes.wrong.items():
                print(f"{file}: {'; '.join(problems[:3])}")
                again = f"--{name} {wanted} --seed {options.seed} --only {int(file[:5])} --keep ."
                print(f"    python {sys.argv[0]} {again}")
            for file, problems in outcomes.disputed.items():
                print(f"disputed, {file}: {problems[0]:.200}")
            print(outcomes.table())
            took = f"{time.monotonic() - start:.0f} s"
            print(f"{len(numbers)} {name} of seed {options.seed}, {len(outcomes.wrong)} went wrong ({took})")
            failed |= bool(outcomes.wrong)
    reader.close()
    sys.exit(failed)


if __name__ == "__main__":
    main()
