"""Clips per second of one core: ours, pytorchvideo's LabeledVideoDataset, and plain OpenCV and PyAV loaders.

All decode, sample and augment alike on the same files, which the benchmark makes: 320×240 pixels like UCF101's for the
paper's clips (64 of 128 frames, crop 256), and the demo's own. Then: the share of a training that waits for data with
the demo's network, and how many cores feed one GPU.

    python benchmarks/input.py
"""

import argparse
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, count, cycle, islice
from pathlib import Path

import av
import cv2
import numpy as np
import torch
import yaml
from pytorchvideo.data import LabeledVideoDataset, make_clip_sampler
from torch.utils.data import SequentialSampler
from torchvision.transforms import v2

from dtkd.config import Augment, Clip, read
from dtkd.data import synthetic, video
from dtkd.data.datasets import Videos
from dtkd.models import backbones
from dtkd.training import loop, sampling
from dtkd.training.classifier import Classifier
from dtkd.training.hardware import choose_hardware
from dtkd.training.normalise import Normalise
from dtkd.training.objectives import CrossEntropy
from report import write

FPS = 25
PAPER = Clip(frames=64, rate=2), Augment(short_side=(256, 320), crop=256, test_short_side=256)
CONFIG = read(yaml.safe_load((Path(__file__).parents[1] / "config.yaml").read_text(encoding="utf-8")))
DEMO = CONFIG.clip, CONFIG.augment
KEPT = "ours, decoded frames kept"  # as shipped, where the videos fit in `cache_mb`


# Files


def scene(path: Path, seed: int, frames: int = 180, width: int = 320, height: int = 240) -> Path:
    """A panned texture with a moving disc and grain: at about 0.5 Mbit/s, as UCF101's files."""
    random = np.random.default_rng(seed)
    cells = random.integers(0, 256, (height // 8, width // 8, 3)).astype(np.uint8)
    texture = cv2.resize(cells, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
    pan = random.uniform(-0.4, 0.4, 2)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"XVID"), float(FPS), (width, height))
    for t in range(frames):
        x, y = (np.array([width, height]) / 2 + pan * t).astype(int)
        frame = texture[y : y + height, x : x + width].copy()
        cv2.circle(frame, (int(width * (0.5 + 0.3 * math.sin(t / 9))), height // 2), height // 6, (0, 0, 255), -1)
        writer.write(cv2.add(frame, random.integers(0, 6, frame.shape).astype(np.uint8)))
    writer.release()
    return path


def demo_videos(folder: Path, classes: int) -> list[list[Path]]:
    """The demo's own videos, by class."""
    render = replace(CONFIG.datasets["demo_ucf"].render, groups=3, clips_per_group=3)
    names = synthetic.class_names("demo_ucf")[:classes]
    return [synthetic.render_class(render, name, folder) for name in names]


def labelled(by_class: list[list[Path]]) -> Videos:
    pairs = [(path, label) for label, paths in enumerate(by_class) for path in paths]
    return Videos(tuple(str(p) for p, _ in pairs), tuple(p for p, _ in pairs), tuple(label for _, label in pairs))


# Loaders: each gives clips (C, T, crop, crop) without end, every video once a round


def ours(paths: list[Path], clip: Clip, augment: Augment, megabytes: int = 0) -> Iterator[torch.Tensor]:
    data = sampling.TrainingClips(labelled([paths]), clip, augment, seed=0, cache=sampling.FrameCache(megabytes))
    for epoch in count():
        for position in range(len(paths)):
            yield data[epoch, position][0]


def ours_kept(paths: list[Path], clip: Clip, augment: Augment) -> Iterator[torch.Tensor]:
    return ours(paths, clip, augment, megabytes=512)


def transform(augment: Augment) -> v2.Transform:
    """On (T, C, H, W)."""
    low, high = augment.short_side
    return v2.Compose([
        v2.RandomShortestSize(list(range(low, high + 1)), antialias=True),
        v2.RandomCrop(augment.crop, pad_if_needed=True),  # RandomShortestSize may round down
        v2.RandomHorizontalFlip(augment.flip),
    ])  # fmt: skip


def pytorchvideo(paths: list[Path], clip: Clip, augment: Augment) -> Iterator[torch.Tensor]:
    change, window = transform(augment), clip.frames * clip.rate
    chosen = torch.linspace(0, window - 1, clip.frames).long()

    def sample(item: dict) -> torch.Tensor:
        video = item["video"]  # float (C, window, H, W); a last clip may be a frame short
        return change(video[:, chosen.clamp(max=video.shape[1] - 1)].transpose(0, 1)).transpose(0, 1).contiguous()

    data = LabeledVideoDataset(
        [(str(path), {}) for path in paths], make_clip_sampler("random", window / FPS), SequentialSampler, sample,
        decode_audio=False,
    )  # fmt: skip
    while True:
        yield from data


def plain(read: Callable[[Path, int, int], list[np.ndarray]]):
    def loader(paths: list[Path], clip: Clip, augment: Augment) -> Iterator[torch.Tensor]:
        """Decode the window in RGB, choose the clip's frames, transform."""
        change, window = transform(augment), clip.frames * clip.rate
        for path in cycle(paths):
            total = video.info(path).frames
            start = int(torch.randint(max(total - window, 0) + 1, ()))
            frames = read(path, start, window)
            chosen = np.linspace(0, len(frames) - 1, clip.frames).astype(int)
            stack = torch.from_numpy(np.stack([frames[index] for index in chosen])).permute(0, 3, 1, 2)
            yield change(stack).transpose(0, 1).contiguous()

    return loader


def by_opencv(path: Path, start: int, window: int) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if start:
        capture.set(cv2.CAP_PROP_POS_FRAMES, start)
    frames = []
    while len(frames) < window:
        ok, frame = capture.read()
        if not ok:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    capture.release()
    return frames


def by_pyav(path: Path, start: int, window: int) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        first = int(start / stream.average_rate / stream.time_base)
        container.seek(first, stream=stream)  # to the key frame before it
        frames = (frame for frame in container.decode(stream) if frame.pts is None or frame.pts >= first)
        return [frame.to_ndarray(format="rgb24") for frame in islice(frames, window)]


def decoding_alone(paths: list[Path], clip: Clip, augment: Augment) -> Iterator[None]:
    """What no loader can do without: FFmpeg's decoding of a window, none of it converted or copied."""
    for path in cycle(paths):
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        for _ in range(clip.frames * clip.rate):
            capture.grab()
        capture.release()
        yield None


def calls_alone(paths: list[Path], clip: Clip, augment: Augment) -> Iterator[None]:
    """The same, and OpenCV's conversion and linear scaling of the clip's frames: what a loader on this library cannot
    do without, cut from a fixed place at the mean scale and put nowhere."""
    for path in cycle(paths):
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        for index in range(clip.frames * clip.rate):
            capture.grab()
            if index % clip.rate == 0:
                _, frame = capture.retrieve()
                side = augment.crop * min(frame.shape[:2]) // int(np.mean(augment.short_side))
                cv2.resize(frame[:side, :side], (augment.crop, augment.crop))
        capture.release()
        yield None


LOADERS = {
    "ours": ours,
    "pytorchvideo LabeledVideoDataset": pytorchvideo,
    "plain OpenCV": plain(by_opencv),
    "plain PyAV": plain(by_pyav),
    "OpenCV's calls alone": calls_alone,
    "decoding alone": decoding_alone,
}


def milliseconds(loaders: dict, paths: list[Path], clip: Clip, augment: Augment, rounds: int) -> dict[str, float]:
    """The least processor time of a clip by each loader; a round asks each in turn for a clip of every video.

    The first round, which opens every file for the first time and fills the frame cache, does not count.
    """
    running = {name: loader(paths, clip, augment) for name, loader in loaders.items()}
    least = dict.fromkeys(loaders, math.inf)
    for turn in range(rounds + 1):
        for name, loader in running.items():
            started = time.process_time()
            for made in islice(loader, len(paths)):
                assert made is None or made.shape == (3, clip.frames, augment.crop, augment.crop), (name, made.shape)
            spent = 1000 * (time.process_time() - started) / len(paths)
            least[name] = min(least[name], spent) if turn else math.inf
    return least


# Waiting


def waiting(by_class: list[list[Path]], folder: Path, epochs: int) -> list[dict[str, object]]:
    """Train the demo's network three ways; a training waits while it asks for a batch."""
    clip, augment = DEMO
    train, test = labelled([paths[1:] for paths in by_class]), labelled([paths[:1] for paths in by_class])
    settings = CONFIG.train.model_copy(update={"epochs": epochs})
    ways = {"decoded by the training itself": (False, 0), "and frames kept": (False, 512),
            "and the next batch prepared in a thread": (True, 512)}  # fmt: skip
    rows = []
    for name, (prefetch, megabytes) in ways.items():
        torch.manual_seed(0)
        learner = Classifier(backbones.build("slowfast_small", len(by_class), 0.2))
        with plain_loader(not prefetch):
            _, history, _ = loop.train(
                learner, CrossEntropy(), Normalise([0.5] * 3, [0.25] * 3), train, test, clip=clip, augment=augment,
                settings=settings, seed=0, hardware=choose_hardware("cpu", 1, megabytes),
                resume=folder / f"{len(rows)}.pt", fingerprint={},
            )  # fmt: skip
        shares = 100 * history["wait_seconds"] / history["train_seconds"]
        later = history.iloc[1:]
        rows.append({
            "clips": name,
            "waiting, first epoch": f"{shares[0]:.1f} %",
            "later epochs": f"{100 * later['wait_seconds'].sum() / later['train_seconds'].sum():.1f} %",
            "whole training": f"{100 * history['wait_seconds'].sum() / history['train_seconds'].sum():.1f} %",
            "seconds an epoch": f"{history['train_seconds'].mean():.2f}",
        })  # fmt: skip
    return rows


@contextmanager
def plain_loader(wanted: bool):
    """Batches made when they are asked for, as without `sampling.PrefetchLoader`."""
    prefetching = sampling.PrefetchLoader
    sampling.PrefetchLoader = (lambda data: data) if wanted else prefetching
    try:
        yield
    finally:
        sampling.PrefetchLoader = prefetching


# The whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=40, help="files of 320×240")
    parser.add_argument("--rounds", type=int, default=3, help="how often each loader reads every file")
    parser.add_argument("--epochs", type=int, default=5, help="of the trainings whose waiting is measured; 0 for none")
    parser.add_argument("--tflops", type=float, default=125, help="what a GPU sustains; 125 is 40 %% of an A100's 312")
    parser.add_argument("--gpu-clips-per-second", type=float, help="in place of what --tflops gives")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large = [scene(folder / f"{seed}.avi", seed) for seed in range(arguments.videos)]
        small = demo_videos(folder / "demo", classes=8)
        paper = milliseconds(LOADERS, large, *PAPER, arguments.rounds)
        demo = milliseconds(LOADERS | {KEPT: ours_kept}, list(chain(*small)), *DEMO, arguments.rounds)
        sets = {"320×240, 64 of 128 frames, crop 256": paper, f"the demo's, 8 of 24 frames, crop {DEMO[1].crop}": demo}
        rows = [
            {"files": files, "loader": loader, "clips/s of one core": f"{1000 / spent:.1f}",
             "ours ÷ it": f"{spent / times['ours']:.2f}",
             "ours kept ÷ it": f"{spent / times[KEPT]:.2f}" if KEPT in times else None}
            for files, times in sets.items() for loader, spent in times.items()
        ]  # fmt: skip
        write("input", rows, "Clips per second of one core's time, decoding and augmentation, best of "
              f"{arguments.rounds} interleaved rounds over the same files.")  # fmt: skip
        if arguments.epochs:
            write(
                "input_waiting",
                waiting(small, folder, arguments.epochs),
                "The share of a training that waits for clips: the demo's network and files, torch on one thread.",
            )

    network = backbones.build("slowfast_r101_16x8", 101)
    clip, augment = PAPER
    operations = 2 * 3 * backbones.flops(network, clip.frames, augment.crop)  # backward costs twice what forward does
    rate = arguments.gpu_clips_per_second or arguments.tflops * 1e12 / operations
    said = "as given" if arguments.gpu_clips_per_second else (
        f"{arguments.tflops:g} TFLOP/s sustained ÷ {operations / 1e12:.2f} TFLOP a clip (2 × 3 × multiply-adds)"
    )  # fmt: skip
    rows = [
        {"loader": loader, "clips/s of one core": f"{1000 / spent:.1f}",
         "cores that feed the GPU": f"{rate * spent / 1000:.1f}"}
        for loader, spent in paper.items()
    ]  # fmt: skip
    write("input_cores", rows, f"Cores that feed one GPU which trains R101 16×8 at {rate:.1f} clips/s ({said}).")


if __name__ == "__main__":
    main()
