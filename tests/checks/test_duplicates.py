"""Copies are found, whatever was done to them; other moments of the same scene are not."""

import shutil

import av
import cv2
import numpy as np
import pytest

from dtkd.checks.duplicates import Pair, same_files, same_recordings
from dtkd.data import thumbnails, video

FRAMES, HEIGHT, WIDTH = 49, 96, 128


def scene(seed, frames=FRAMES):
    """Two figures that wander before a background, BGR (T, H, W, 3); another seed, others who wander elsewhere."""
    random = np.random.default_rng(seed)
    background = cv2.resize(random.integers(0, 255, (6, 8, 3)).astype(np.uint8), (WIDTH, HEIGHT))
    return acted(background, seed, frames)


def acted(background, seed, frames=FRAMES):
    random = np.random.default_rng(seed + 1000)
    phase, speed, colour = random.random(4) * 6, random.uniform(0.03, 0.1, 4), random.integers(0, 255, (2, 3))
    images = []
    for t in range(frames):
        image = background.copy()
        x, y = (0.5 + 0.4 * np.sin(phase + speed * t)).reshape(2, 2)
        for k in range(2):
            centre = (int(WIDTH * x[k]), int(HEIGHT * y[k]))
            cv2.ellipse(image, centre, (10, 22), 0, 0, 360, colour[k].tolist(), -1)
        images.append(image)
    return np.stack(images)


def encoded(path, frames, crf=20, size=None):
    """H.264 at 25 frames a second."""
    width, height = size or frames.shape[2:0:-1]
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = width, height, "yuv420p", {"crf": str(crf)}
        for frame in frames:
            image = cv2.resize(np.ascontiguousarray(frame), (width, height), interpolation=cv2.INTER_AREA)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        file.mux(stream.encode())
    return path


def found(paths):
    infos = [video.info(path) for path in paths]
    pictures = np.stack([thumbnails.of_video(path, info) for path, info in zip(paths, infos, strict=True)])
    return same_recordings(pictures, thumbnails.seconds(infos))


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Videos of other scenes, and of the first one's place with others who act there."""
    folder = tmp_path_factory.mktemp("others")
    background = scene(0)[0] * 0 + cv2.resize(np.random.default_rng(0).integers(0, 255, (6, 8, 3)).astype(np.uint8),
                                             (WIDTH, HEIGHT))  # fmt: skip
    paths = [encoded(folder / f"scene{seed}.mp4", scene(seed)) for seed in range(1, 9)]
    return paths + [encoded(folder / f"place{seed}.mp4", acted(background, seed)) for seed in range(20, 40)]


@pytest.mark.parametrize(("change", "kind", "mirrored"), [
    (lambda frames: dict(frames=frames, crf=35), "copy", False),
    (lambda frames: dict(frames=frames, size=(64, 48)), "copy", False),
    (lambda frames: dict(frames=np.clip(frames.astype(int) + 12, 0, 255).astype(np.uint8)), "copy", False),
    (lambda frames: dict(frames=frames[:, :, ::-1]), "copy", True),
    (lambda frames: dict(frames=frames[12:]), "part", False),
    (lambda frames: dict(frames=frames[12:, :, ::-1]), "part", True),
], ids=["compressed", "smaller", "brighter", "mirrored", "cut", "cut and mirrored"])  # fmt: skip
def test_what_was_done_to_it_does_not_hide_it(tmp_path, others, change, kind, mirrored):
    original = encoded(tmp_path / "original.mp4", scene(0))
    copy = encoded(tmp_path / "copy.mp4", **change(scene(0)))
    assert found([original, *others, copy]) == [Pair(0, len(others) + 1, kind, mirrored)]


def test_other_moments_of_one_place_are_no_copies(others):
    assert found(others) == []


def test_what_does_not_move_or_shows_nothing_is_not_known_again(tmp_path):
    """Two stills of one wall, and two videos that begin and end in black, are no copies of each other."""
    still = np.repeat(scene(0)[:1], FRAMES, axis=0)
    black = np.zeros_like(still[:16])
    fades = [np.concatenate([black, scene(seed, 16), black]) for seed in (1, 2)]
    paths = [encoded(tmp_path / f"{number}.mp4", frames) for number, frames in enumerate((still, still, *fades))]
    assert found(paths) == []


def test_same_files(tmp_path):
    for name, content in (("a", b"12"), ("b", b"34"), ("c", b"12"), ("d", b"123"), ("e", b"12")):
        (tmp_path / name).write_bytes(content)
    shutil.copy(tmp_path / "a", tmp_path / "f")
    names = ["a", "b", "c", "d", "e", "f"]
    sizes = [(tmp_path / name).stat().st_size for name in names]
    assert same_files(tmp_path, names, sizes) == [Pair(0, 2, "file"), Pair(0, 4, "file"), Pair(0, 5, "file")]
