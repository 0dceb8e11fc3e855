"""What it saves that a frozen backbone's features are computed once for a baseline and two locked teachers.

Before: each passes its clips through the backbone in every epoch, and its test videos after it. Rendered videos and a
network of the demo's kind, in processor time of one thread; decoding is part of it.

    python benchmarks/frozen.py
"""

import argparse
import copy
import tempfile
import time
from pathlib import Path

import cv2
import torch
from input import DEMO, demo_videos, labelled

from dtkd.config import Train
from dtkd.data.datasets import Videos
from dtkd.models import backbones
from dtkd.training import frozen_features, loop
from dtkd.training.classifier import Classifier
from dtkd.training.hardware import Hardware
from dtkd.training.normalise import Normalise
from dtkd.training.objectives import CrossEntropy
from report import write

CPU = Hardware(torch.device("cpu"), 1)
CLASSES, STATIC = 8, 2
CLIP, AUGMENT = DEMO


def of_classes(videos: Videos, labels: range, test: bool) -> Videos:
    """Of each class every third video, which is there to test on, or the others."""
    rows = [row for row, label in enumerate(videos.labels) if label in labels and (row % 3 == 2) == test]
    return Videos(*(tuple(each[row] for row in rows) for each in (videos.names, videos.paths, videos.labels)))


def heads(videos: Videos, epochs: int, shared: bool) -> dict[str, float]:
    """Seconds of the features where heads share them, and of each head."""
    settings, normalise = Train(epochs=epochs, batch_size=8, lr=0.01), Normalise([0.5] * 3, [0.25] * 3)
    torch.manual_seed(0)
    network = backbones.freeze_backbone(backbones.build("slowfast_small", CLASSES, 0.2))
    spent, every, features = {}, range(CLASSES), None
    given = {"clip": CLIP, "augment": AUGMENT, "settings": settings, "seed": 0, "hardware": CPU}
    if shared:
        started = time.process_time()
        features = frozen_features.compute(copy.deepcopy(network), normalise, of_classes(videos, every, False),
                                           of_classes(videos, every, True), clips=epochs, **given)  # fmt: skip
        spent["features"] = time.process_time() - started
    for name, own in {"baseline": every, "static": range(STATIC), "dynamic": range(STATIC, CLASSES)}.items():
        with tempfile.TemporaryDirectory() as folder:
            model = copy.deepcopy(network)
            started = time.process_time()
            loop.train(
                Classifier(backbones.on_features(model) if features else model), CrossEntropy(), normalise,
                of_classes(videos, own, False), of_classes(videos, own, True), resume=Path(folder, "resume.pt"),
                fingerprint={}, features=features, **given,
            )  # fmt: skip
            spent[name] = time.process_time() - started
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        videos = labelled(demo_videos(Path(folder), CLASSES))
        for epochs in (2, 8, 30):
            rounds = []
            for _ in range(arguments.rounds):
                rounds += [{how: heads(videos, epochs, how == "shared") for how in ("each alone", "shared")}]
            sums = {how: min(sum(each[how].values()) for each in rounds) for how in rounds[0]}
            rows += [
                {"epochs": epochs, "each alone s": f"{sums['each alone']:.2f}", "shared s": f"{sums['shared']:.2f}",
                 "of which features s": f"{min(each['shared']['features'] for each in rounds):.2f}",
                 "÷ each alone": f"{sums['shared'] / sums['each alone']:.2f}"}
            ]  # fmt: skip
    train, test = (len(of_classes(videos, range(CLASSES), side)) for side in (False, True))
    what = f"{train} training and {test} test videos, their classes parted {STATIC} to {CLASSES - STATIC}"
    write("frozen", rows, f"A frozen baseline and two locked teachers: {what}; the least of {arguments.rounds} rounds.")


if __name__ == "__main__":
    main()
