"""Tiny drawn videos that tests share, and one thread for every test."""

import cv2
import numpy as np
import pytest
import torch

from dtkd.data.datasets import Videos

torch.set_num_threads(1)
cv2.setNumThreads(1)

pytest_plugins = ["listed"]  # the fixtures of small data sets

LONG = ("workflow", "training")  # folders whose files take minutes


def pytest_collection_modifyitems(items):
    """Long files first, so that none is left to one worker at the end (`make test` keeps this order)."""
    items.sort(key=lambda item: item.path.parent.name not in LONG)


COLOURS = np.array([[220, 40, 40], [40, 220, 40], [40, 40, 220], [200, 200, 40]])  # RGB, one a class


def write_video(path, frames):
    """RGB frames (T, H, W, 3) as Motion JPEG."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (width, height))
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


def draw(path, seed=0, label=0, frames=12, width=48, height=40):
    """A square in its class's colour that moves over noise; even labels go right, odd ones left."""
    random = np.random.default_rng(seed)
    image = random.integers(90, 130, (frames, height, width, 3)).astype(np.uint8)
    top, left = random.integers(0, [height - 24, width - 24])
    for t in range(frames):
        x = (left + 2 * t * (1 - 2 * (label % 2))) % (width - 23)
        image[t, top : top + 24, x : x + 24] = COLOURS[label]
    return write_video(path, image)


def make_videos(folder, name, per_class):
    folder.mkdir(exist_ok=True)
    names, paths, labels = [], [], []
    for label in range(len(COLOURS)):
        for number in range(per_class):
            names.append(f"class{label}/{name}{number}.avi")
            paths.append(draw(folder / f"{label}-{name}{number}.avi", seed=hash_of(name, label, number), label=label))
            labels.append(label)
    return Videos(tuple(names), tuple(paths), tuple(labels))


def hash_of(name, label, number):
    return 1000 * sum(name.encode()) + 100 * label + number


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    """Training and test videos of four classes that a small network learns in a few steps."""
    folder = tmp_path_factory.mktemp("toy")
    return make_videos(folder, "train", 3), make_videos(folder, "test", 2)
