"""Damaged videos through every way of decoding: python tests/stress/fuzz_videos.py --mutants 500 --seed 0

Sound videos of many containers and codecs are damaged at random, the same way for the same seed. Child processes
decode the mutants, so that a crash or a hang of the decoder is counted and not suffered. Allowed is a result of the
right shape or a VideoError of one line; and what inspection takes for sound, everything else must be able to use.
"""

# ruff: noqa: E402
import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ["OPENCV_LOG_LEVEL"] = "SILENT"
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "workflow_scripts")]

import broken
import cv2
import numpy as np

from dtkd import flow, video
from dtkd.inspection import scanned
from dtkd.video import VideoError

FRAMES = 40  # some beyond video.SEEK_FROM
PATIENCE = 600  # seconds for a mutant: a damaged header may claim a huge frame, and flow takes its time
SOURCES = {
    "mjpeg.avi": ("mjpeg", "yuvj420p"), "mpeg4.avi": ("mpeg4", "yuv420p"), "mpeg4.mp4": ("mpeg4", "yuv420p"),
    "h264.mp4": ("libx264", "yuv420p"), "h264.mkv": ("libx264", "yuv420p"), "10_bit.mp4": ("libx264", "yuv420p10le"),
    "10_bit.mkv": ("libx265", "yuv420p10le"), "vp9.webm": ("libvpx-vp9", "yuv420p"), "grey.mkv": ("ffv1", "gray"),
    "alpha.webm": ("libvpx-vp9", "yuva420p"), "alpha.mov": ("qtrle", "argb"), "mpeg1.mpg": ("mpeg1video", "yuv420p"),
    "wmv.wmv": ("wmv2", "yuv420p"),
}  # fmt: skip


def sources(folder: Path) -> list[Path]:
    images = broken.pictures(FRAMES)
    quiet = {"libx265": {"x265-params": "log-level=none"}}
    return [
        broken.encode(folder / name, codec, pixels, images, options=quiet.get(codec))
        for name, (codec, pixels) in SOURCES.items()
    ]


# Damage: each takes the bytes (an array that it may change) and a random generator, and returns bytes.


def flipped_bits(data, random):
    places = random.integers(0, len(data), 1 + random.integers(60))
    data[places] ^= (1 << random.integers(0, 8, len(places))).astype(np.uint8)
    return data


def damaged_header(data, random):
    places = random.integers(0, min(len(data), 600), 1 + random.integers(12))
    data[places] = random.choice([0, 1, 0x7F, 0x80, 0xFF, *random.integers(0, 256, 3)], len(places))
    return data


def truncated(data, random):
    return data[: random.integers(len(data))]


def zeros(data, random):
    start, end = np.sort(random.integers(0, len(data), 2))
    data[start : start + min(end - start, 4096)] = 0
    return data


def chunk_again(data, random):
    start, end = np.sort(random.integers(0, len(data), 2))
    return np.concatenate([data[:end], data[start:]])


def chunk_lost(data, random):
    start = random.integers(len(data))
    return np.concatenate([data[:start], data[start + 1 + random.integers(4096) :]])


def chunks_swapped(data, random):
    a, b, c = np.sort(random.integers(0, len(data), 3))
    return np.concatenate([data[:a], data[b:c], data[a:b], data[c:]])


DAMAGE = [flipped_bits, damaged_header, truncated, zeros, chunk_again, chunk_lost, chunks_swapped]


def mutant(source: Path, folder: Path, seed: int, number: int) -> Path:
    random = np.random.default_rng([seed, number])
    data = np.frombuffer(source.read_bytes(), np.uint8).copy()
    damage = DAMAGE[random.integers(len(DAMAGE))]
    path = folder / f"{number:05d}-{damage.__name__}-{source.name}"
    path.write_bytes(damage(data, random).tobytes())
    return path


# The child


def check(path: Path, seed: int) -> tuple[str, list[str]]:
    """'sound' or 'refused' by inspection, and everything that is wrong with how the video is used."""
    random, wrong, results = np.random.default_rng(seed), [], {}

    def attempt(name, use):
        try:
            results[name] = use()
        except VideoError as error:
            if "\n" in str(error) or not str(error).startswith(f"{path}: "):
                wrong.append(f"{name}: {error!r}")
            elif "scan" in results:
                wrong.append(f"{name}: {error}, though inspection found {results['scan']}")
        except Exception as error:
            wrong.append(f"{name}: {error!r}")

    attempt("scan", lambda: scanned(path))
    attempt("probe", lambda: video.probe(path))
    attempt("length", lambda: video.length(path))
    attempt("grey", lambda: [(frame.shape, frame.dtype) for frame in video.grey_frames(path)])
    attempt("flow", lambda: flow.video_flow(path))
    total = min(results.get("length", FRAMES), 1000)
    for number in range(4):
        indices = np.sort(random.integers(0, total, 5)) if number else np.arange(max(0, total - 3), total)
        results.pop("read", None)
        attempt("read", lambda indices=indices: video.read(path, indices, pad_end=True))
        if "read" in results and (results["read"].shape[::3], results["read"].dtype) != ((len(indices), 3), np.uint8):
            wrong.append(f"read: {results['read'].shape} for {len(indices)} frames")
    if "scan" in results:
        frames, size = results["scan"].frames, (results["scan"].height, results["scan"].width)
        if "grey" in results and results["grey"] != [(size, np.uint8)] * frames:
            wrong.append(f"grey: {Counter(results['grey'])}, but inspection found {results['scan']}")
        if "read" in results and results["read"].shape[1:3] != size:
            wrong.append(f"read: {results['read'].shape}, but inspection found {results['scan']}")
        if "flow" in results and len(results["flow"]) != frames - 1:
            wrong.append(f"flow: {len(results['flow'])} pairs, but inspection found {results['scan']}")
    if "flow" in results and not np.isfinite(results["flow"].drop(columns="time")).all(axis=None):
        wrong.append("flow: not finite")
    return "sound" if "scan" in results else "refused", wrong


def child(connection) -> None:
    cv2.setNumThreads(1)
    while True:
        connection.send(check(*connection.recv()))


# The parent


class Child:
    """A process that checks mutants until one ends it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=child, args=(other,), daemon=True)
        self.process.start()
        other.close()

    def check(self, path: Path, seed: int) -> tuple[str, list[str]]:
        self.connection.send((path, seed))
        try:
            if self.connection.poll(PATIENCE):
                return self.connection.recv()
            outcome = "hang"
        except EOFError:
            outcome = "crash"
        self.close()
        return outcome, [f"{outcome} (exit status {self.process.exitcode})"]

    def close(self) -> None:
        self.process.kill()
        self.process.join()


def run(folder: Path, mutants: int, seed: int) -> tuple[Counter, dict[str, list[str]]]:
    """Outcomes ('sound', 'refused', 'crash', 'hang') and, by mutant, what is wrong."""
    originals = sources(folder)
    outcomes, wrong, checker = Counter(), {}, Child()
    for original in originals:
        assert checker.check(original, seed) == ("sound", []), original
    for number in range(mutants):
        path = mutant(originals[number % len(originals)], folder, seed, number)
        outcome, problems = checker.check(path, seed)
        outcomes[outcome] += 1
        if problems:
            wrong[path.name] = problems
        else:
            path.unlink()
        if outcome in ("crash", "hang"):
            checker = Child()
    checker.close()
    return outcomes, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the mutants that went wrong")
    options = parser.parse_args()
    start = time.monotonic()
    folder = options.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    outcomes, wrong = run(folder, options.mutants, options.seed)
    for name, problems in wrong.items():
        print(f"{name}: {'; '.join(problems)}")
    told = ", ".join(f"{outcomes[name]} {name}" for name in ("sound", "refused", "crash", "hang"))
    print(f"{options.mutants} mutants of {len(SOURCES)} videos, seed {options.seed}: {told}; {len(wrong)} went wrong "
          f"({time.monotonic() - start:.0f} s)")  # fmt: skip
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
