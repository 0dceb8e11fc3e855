"""Optical flow: what a class's job costs beside the flow call itself (the floor) and beside a plain OpenCV loop.

    python benchmarks/flow.py [--videos 104] [--frames 12] [--repeats 3] [--algorithm farneback]

Every contender does the same videos of 320×240, in fresh processes that import, and where they are the floor decode,
before the clock starts. The contenders take turns, so that what else the machine does meets all of them alike; ratios
are of the same turn, and the medians over the turns are told.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

import report
from dtkd.data import video
from dtkd.motion import algorithms, flow
from dtkd.motion.flow import Settings

WIDTH, HEIGHT, FPS = 320, 240, 25.0
CORES = len(os.sched_getaffinity(0))
SPAWN = get_context("spawn")


def texture(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Grey blobs of many sizes: uint8 (height, width)."""
    noise = random.standard_normal((height, width)).astype(np.float32)
    image = sum(size * cv2.GaussianBlur(noise, (0, 0), size) for size in (1, 2, 4, 8, 16))
    return cv2.normalize(image, None, 10, 245, cv2.NORM_MINMAX).astype(np.uint8)


def write_video(path: Path, frames: int, seed: int) -> None:
    """A panning and shaking camera, two patches that go their own ways, and noise; MPEG-4 in AVI."""
    random = np.random.default_rng(seed)
    scene = cv2.merge([texture(random, HEIGHT + 80, WIDTH + 80) for _ in range(3)])
    patches = [cv2.merge([texture(random, 70, 50)] * 3) for _ in range(2)]
    place, speed = random.uniform(30, 150, (2, 2)), random.uniform(-4, 4, (2, 2))
    pan = np.cumsum(random.normal(0, 0.8, (frames, 2)) + random.uniform(-0.5, 0.5, 2), axis=0)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"XVID"), FPS, (WIDTH, HEIGHT))
    for shift in pan:
        matrix = np.float32([[1, 0, -40 + shift[0]], [0, 1, -40 + shift[1]]])
        frame = cv2.warpAffine(scene, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        for patch, corner in zip(patches, place, strict=True):
            x, y = (int(value) % side for value, side in zip(corner, (WIDTH - 50, HEIGHT - 70), strict=True))
            frame[y : y + 70, x : x + 50] = patch
        place += speed
        writer.write(cv2.add(frame, random.integers(0, 8, frame.shape, dtype=np.uint8)))
    writer.release()


# The contenders: each prepares itself for its share of the videos, and returns what is to be timed.


def floor(paths: list[Path], settings: Settings, out: Path) -> Callable[[], object]:
    """The flow calls alone, on frames that are decoded and grey already."""
    videos, compute = [list(video.grey_frames(path)) for path in paths], settings.function()
    return lambda: [compute(*pair) for frames in videos for pair in pairwise(frames)] and None


def kept(paths: list[Path], settings: Settings, out: Path) -> Callable[[], object]:
    """The same with our trick: the C library keeps what OpenCV frees."""
    flow.keep_freed_memory()
    return floor(paths, settings, out)


def ours(paths: list[Path], settings: Settings, out: Path, threads: int = 1) -> Callable[[], object]:
    """What a class's job does; its means are returned."""
    videos = [(path.stem, path, out / f"{path.stem}.parquet") for path in paths]
    return lambda: flow.class_flow(videos, settings, threads=threads)["mean"].tolist()


def threaded(paths: list[Path], settings: Settings, out: Path) -> Callable[[], object]:
    return ours(paths, settings, out, threads=CORES)


def peer(paths: list[Path], settings: Settings, out: Path) -> Callable[[], object]:
    """What a user would write: one loop, OpenCV's own threads, the mean magnitude of every pair."""
    cv2.setNumThreads(CORES)
    os.environ["OMP_NUM_THREADS"] = str(CORES)
    compute = settings.function()

    def mean(path: Path) -> float:
        capture, means = cv2.VideoCapture(str(path)), []
        ok, frame = capture.read()
        previous = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        while True:
            ok, frame = capture.read()
            if not ok:
                return float(np.mean(means))
            grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
            field = compute(previous, grey)
            magnitude, _ = cv2.cartToPolar(field[..., 0], field[..., 1])
            means.append(magnitude.mean())
            previous = grey

    return lambda: [mean(path) for path in paths]


CONTENDERS = {
    f"floor: the flow calls, {CORES} processes": (floor, CORES),
    "floor, freed memory kept": (kept, CORES),
    f"ours: a job, {CORES} threads": (threaded, 1),
    f"ours: {CORES} jobs, 1 thread each": (ours, CORES),
    "peer: a plain OpenCV loop": (peer, 1),
}
FLOOR, KEPT, THREADED, JOBS, PEER = CONTENDERS


def race(contender: str, paths: list[Path], settings: Settings) -> tuple[float, float, list[float]]:
    """Seconds from the first start to the last end, CPU seconds, and the videos' means (if the contender has any)."""
    prepare, processes = CONTENDERS[contender]
    with tempfile.TemporaryDirectory() as folder:
        start, done = SPAWN.Barrier(processes), SPAWN.SimpleQueue()
        shares = [paths[number::processes] for number in range(processes)]
        workers = [
            SPAWN.Process(target=_run, args=(prepare, share, settings, Path(folder, str(number)), start, done, number))
            for number, share in enumerate(shares)
        ]
        for worker in workers:
            worker.start()
        told = dict(sorted(done.get() for _ in workers))
        for worker in workers:
            worker.join()
    begins, ends, cpu, means = zip(*told.values(), strict=True)
    by_path = {path: mean for number in told for path, mean in zip(shares[number], means[number] or [], strict=False)}
    return max(ends) - min(begins), sum(cpu), [by_path[path] for path in paths] if by_path else []


def _run(prepare, share, settings, out, start, done, number) -> None:
    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # torch's, if it is a network
    work = prepare(share, settings, out)
    start.wait()
    begin, cpu = time.monotonic(), time.process_time()
    means = work()
    done.put((number, (begin, time.monotonic(), time.process_time() - cpu, means)))


# Where the time goes, and how much memory it takes


def breakdown(paths: list[Path], settings: Settings) -> list[dict[str, object]]:
    """CPU milliseconds a pair of each stage, on one thread: the least of three rounds."""
    flow.keep_freed_memory()
    compute, measure = settings.function(), flow.FrameStatistics(HEIGHT, WIDTH)
    frames = [list(video.grey_frames(path)) for path in paths]
    colour = [cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR) for each in frames for frame in each]
    fields = [compute(*pair) for pair in pairwise(frames[0])]
    pairs, known = sum(len(each) - 1 for each in frames), {path: video.info(path) for path in paths}

    def decode() -> None:
        for path in paths:
            for _ in video.read_bgr(path, range(known[path].frames), known[path]):
                pass

    def everything() -> None:
        with tempfile.TemporaryDirectory() as folder:
            for path in paths:
                flow.write_video_flow(path, Path(folder, f"{path.stem}.parquet"), settings)

    stages = {
        "decode to BGR": (decode, pairs),
        "convert to grey": (lambda: [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in colour], pairs),
        "flow": (lambda: [compute(*pair) for each in frames for pair in pairwise(each)], pairs),
        "statistics": (lambda: [measure(field) for field in fields], len(fields)),
        "all": (everything, pairs),
    }
    best = {}
    for _ in range(3):
        for name, (stage, count) in stages.items():
            begin = time.thread_time()
            stage()
            spent = 1000 * (time.thread_time() - begin) / count
            best[name] = min(spent, best.get(name, spent))
    whole = best.pop("all")
    best |= {"parquet and the rest": whole - sum(best.values()), "all": whole}
    return [
        {"stage": name, "ms a pair": round(spent, 2), "of flow": f"{spent / best['flow']:.1%}"}
        for name, spent in best.items()
    ]


def peak(path: Path, settings: Settings) -> float:
    """The most memory that a fresh process holds for one video's flow, in MB."""
    answer = SPAWN.SimpleQueue()
    worker = SPAWN.Process(target=_peak, args=(path, settings, answer))
    worker.start()
    megabytes = answer.get()
    worker.join()
    return megabytes


def _peak(path: Path, settings: Settings, answer) -> None:
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        flow.write_video_flow(path, Path(folder, "out.parquet"), settings)
    status = Path("/proc/self/status").read_text(encoding="utf-8")  # getrusage would also count the parent's
    answer.put(int(status.split("VmHWM:")[1].split()[0]) / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=104)
    parser.add_argument("--frames", type=int, default=12, help="of each video")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--algorithm", default="farneback", choices=algorithms.names())
    parser.add_argument("--weights", help="of a network")
    given = parser.parse_args()
    settings = Settings(given.algorithm, weights=given.weights)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number:04d}.avi") for number in range(given.videos)]
        for seed, path in enumerate(paths):
            write_video(path, given.frames, seed)
        lengths = {count * given.frames: Path(folder, f"long{count}.avi") for count in (1, 10)}
        for seed, (count, path) in enumerate(lengths.items()):
            write_video(path, count, seed)
        memory = [{"frames": count, "peak MB": round(peak(path, settings))} for count, path in lengths.items()]

        turns = {name: [] for name in CONTENDERS}
        for turn in range(given.repeats):
            for name in CONTENDERS:
                turns[name].append(race(name, paths, settings))
                print(f"turn {turn + 1}: {name}: {turns[name][-1][0]:.2f} s", flush=True)
        stages = breakdown(paths[:6], settings)

    pairs = given.videos * (given.frames - 1)

    def ratio(name: str, other: str, value: int = 0) -> str:
        return f"{statistics.median(a[value] / b[value] for a, b in zip(turns[name], turns[other], strict=True)):.3f}"

    rows = [
        {
            "what": name,
            "seconds": round(statistics.median(each[0] for each in turns[name]), 2),
            "CPU ms a pair": round(statistics.median(1000 * each[1] / pairs for each in turns[name]), 2),
            "÷ floor": ratio(name, FLOOR),
            "÷ floor, CPU": ratio(name, FLOOR, 1),
            "÷ floor with memory kept": ratio(name, KEPT),
            "peer ÷ this": ratio(PEER, name),
        }
        for name in CONTENDERS
    ]
    apart = max(abs(a - b) for a, b in zip(turns[JOBS][0][2], turns[PEER][0][2], strict=True))
    report.write(
        "flow",
        rows,
        f"{given.algorithm}, {given.videos} videos of {given.frames} frames, {WIDTH}×{HEIGHT}, {given.repeats} turns; "
        f"the videos' means by ours and by the peer differ by {apart:.1e} px at most",
    )
    report.write("flow_stages", stages, f"{given.algorithm}: CPU time of the stages of ours on one thread")
    report.write("flow_memory", memory, f"{given.algorithm}: peak memory of one video's flow in a process of its own")


if __name__ == "__main__":
    main()
