"""Decoding against OpenCV's own capture, which knows no exact frame numbers: the time of one core, in turns.

Whole files in grey (flow), clips from random places (training), and the inspection, which tries the key frames besides.
The frames of both are compared first.

    python benchmarks/decoding.py
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from input import scene

from dtkd.data import video
from dtkd.motion import flow
from report import write


def captured(path: Path, start: int = 0) -> Iterator[np.ndarray]:
    """Frames by OpenCV, BGR; a start is sought by time, as OpenCV does."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if start:
        capture.set(cv2.CAP_PROP_POS_FRAMES, start)
    while True:
        ok, frame = capture.read()
        if not ok:
            capture.release()
            return
        yield frame


def grabbed(path: Path, indices: range) -> None:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if indices[0]:
        capture.set(cv2.CAP_PROP_POS_FRAMES, indices[0])
    for index in range(indices[0], indices[-1] + 1):
        capture.grab()
        if index in indices:
            capture.retrieve()
    capture.release()


def counted(path: Path) -> None:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    while capture.grab():
        pass
    capture.release()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=30, help="files of 320×240, 180 frames")
    parser.add_argument("--turns", type=int, default=7)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    flow.keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        paths = [scene(Path(folder, f"{number}.avi"), number) for number in range(given.videos)]
        known = {path: video.info(path) for path in paths}
        for path in paths[:3]:
            ours = video.read_bgr(path, range(known[path].frames), known[path])
            if not all(np.array_equal(*pair) for pair in zip(ours, captured(path), strict=True)):
                raise SystemExit(f"{path}: the decoders' frames differ")
        draw = random.Random(0)
        clips = [(path, range(start, start + 128, 2)) for path in paths for start in [draw.randrange(52)]]
        contests = {
            "whole files in grey": (
                lambda: [sum(1 for _ in video.grey_frames(path)) for path in paths],
                lambda: [[cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in captured(path)] for path in paths],
            ),
            "clips of 64 of 128 frames": (
                lambda: [sum(1 for _ in video.read_bgr(path, where, known[path])) for path, where in clips],
                lambda: [grabbed(path, where) for path, where in clips],
            ),
            "inspection": (
                lambda: [video.result_of(video.scan(path)) for path in paths],
                lambda: [counted(path) for path in paths],
            ),
        }
        rows = []
        for name, sides in contests.items():
            seconds = ([], [])
            for _ in range(given.turns):
                for work, taken in zip(sides, seconds, strict=True):
                    begin = time.process_time()
                    work()
                    taken.append((time.process_time() - begin) / len(paths))
            ratios = [ours / theirs for ours, theirs in zip(*seconds, strict=True)]
            rows.append({
                "what": name,
                "ours, ms a video": round(1000 * statistics.median(seconds[0]), 2),
                "OpenCV's capture, ms": round(1000 * statistics.median(seconds[1]), 2),
                "ratio": f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            })  # fmt: skip
    write("decoding", rows, f"{given.videos} videos of 180 frames, 320×240 (XVID), {given.turns} turns, one thread.")


if __name__ == "__main__":
    main()
