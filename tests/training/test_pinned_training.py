"""What one short training of each role and method ends in, on drawn videos: logits of the test videos.

Where a change of them is meant, `make pins` accepts it; look at the difference before you commit it.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import make_videos

from dtkd.common.files import write_json
from dtkd.config import Augment, Clip, Train
from dtkd.data.datasets import Videos
from dtkd.data.groups import SUBSETS
from dtkd.training import networks, targets, trainer
from dtkd.training.classifier import Classifier
from dtkd.training.hardware import Hardware

PROJECT = Path(__file__).parents[2]
FILE = PROJECT / "tests" / "golden" / "logits.json"
CPU = Hardware(torch.device("cpu"), 1)
CLASSES = [f"class{label}" for label in range(4)]
TRAIN = Train(epochs=2, batch_size=6, lr=0.02)
CLIP, AUGMENT = Clip(frames=8, rate=1), Augment(short_side=(32, 36), crop=32, test_short_side=32)
ALONE = {"devices": 1, "nodes": 1}
COMMON = {
    "backbone": "slowfast_tiny", "dropout": 0.2, "frozen": False, "seed": 0, "teacher_outputs": "full",
    "clip": CLIP.model_dump(), "augment": AUGMENT.model_dump(mode="json"), "train": TRAIN.learning(),
}  # fmt: skip
STUDENTS = {
    "gated": {"S_alpha": 0.3},
    "gated, scores zero outside": {"S_alpha": 0.3, "outside": "zero"},
    "blend": {"S_alpha": 0.3, "weighting": "blend"},
    "teachers go on learning": {"S_alpha": 0.3, "FT": False},
    "BSKD": {"method": "bskd"},
    "plain KD": {"method": "kd"},
}
# what draws nothing depends on no order of draws: these were made with teachers and student in one run
WITHOUT_DROPOUT = {
    "teachers go on learning, no dropout": {"S_alpha": 0.3, "FT": False},
    "teachers go on learning, no dropout, blend": {"S_alpha": 0.3, "FT": False, "weighting": "blend"},
    "teachers go on learning, no dropout, BSKD": {"method": "bskd", "FT": False},
}


def write_data(folder: Path) -> None:
    """Videos, and the index, the pixel statistics and the split that every training reads."""
    sides = {"train": make_videos(folder / "raw", "train", 3), "test": make_videos(folder / "raw", "test", 1)}
    rows = [
        {"video": name, "class": CLASSES[label], "path": path.name, "label": label, "list1": side}
        for side, videos in sides.items()
        for name, path, label in zip(videos.names, videos.paths, videos.labels, strict=True)
    ]
    pd.DataFrame(rows).to_parquet(folder / "videos.parquet")
    write_json(folder / "pixels.json", {"mean": [0.45] * 3, "std": [0.2] * 3})
    subsets = {name: {"subset": SUBSETS[label % 2]} for label, name in enumerate(CLASSES)}
    write_json(folder / "split.json", {"classes": subsets})


def train(folder: Path, name: str, inputs: dict[str, str], **settings) -> list[list[float]]:
    """Train one run into ``folder/name``; its logits of the test videos at the end."""
    given = {"index": "videos.parquet", "pixels": "pixels.json", "split": "split.json"} | inputs
    out = folder / name
    out.mkdir()
    files = {"checkpoint": "checkpoint.pt", "history": "history.parquet", "predictions": "predictions.parquet"}
    plan = trainer.Plan(
        settings=COMMON | settings, computing=ALONE, root=str(folder / "raw"), column="list1", device="cpu", threads=1,
        cache_mb=16, sha256=None, inputs={key: str(folder / file) for key, file in given.items() if file},
        outputs={key: str(out / file) for key, file in (files | {"record": "run.json"}).items()},
    )  # fmt: skip
    trainer.run(plan, CPU)
    last = np.stack(pd.read_parquet(out / "predictions.parquet")["logits_last"])
    return [[round(float(value), 6) for value in row] for row in last]


def targets_of(folder: Path, name: str, teachers: dict[str, str], learn: bool = False, **settings) -> dict[str, str]:
    """What trained networks say to every training clip, in a file of this name."""
    settings = COMMON | settings
    videos = Videos.of(pd.read_parquet(folder / "videos.parquet"), folder / "raw", "list1", "train")
    models = {key: networks.trained_model(settings, 4, folder / run / "checkpoint.pt") for key, run in teachers.items()}
    clips = {"clip": CLIP, "augment": AUGMENT, "settings": TRAIN, "seed": 0, "hardware": CPU}
    normalise = networks.normaliser({}, folder / "pixels.json")
    if learn:
        groups = networks.class_groups(networks.read_json(folder / "split.json"), CLASSES)
        classifiers = {key: Classifier(model) for key, model in models.items()}
        said, _ = targets.continued(classifiers, groups, normalise, videos, resume=folder / "resume.pt",
                                    fingerprint=settings, **clips)  # fmt: skip
    else:
        said = targets.frozen(models, normalise, videos, **clips)
    said.save(folder / name, videos)
    return {"targets": name}


def pinned(folder: Path) -> dict[str, list[list[float]]]:
    """Every kind of run, in the order of the pipeline -> its logits (V, C) of the test videos."""
    write_data(folder)
    start = {"start": "baseline/checkpoint.pt"}
    found = {"baseline": train(folder, "baseline", {})}
    found["frozen baseline"] = train(folder, "frozen", start, frozen=True)
    for subset in SUBSETS:
        found[f"{subset} teacher"] = train(folder, subset, start, subset=subset)
    found["masked static teacher"] = train(folder, "masked", start, subset="static", teacher_outputs="masked")
    pair = {subset: subset for subset in SUBSETS}
    taught = {
        "frozen": targets_of(folder, "pair.pt", pair),
        "one": targets_of(folder, "one.pt", {"teacher": "baseline"}) | {"split": None},
        "learning": targets_of(folder, "learning.pt", pair, learn=True),
        "no dropout": targets_of(folder, "no-dropout.pt", pair, learn=True, dropout=0.0),
    }
    for name, changes in (STUDENTS | WITHOUT_DROPOUT).items():
        student = {"method": "dtkd", "KD_T": 2, "KD_alpha": 0.4, "FT": True} | changes
        kind = "one" if student["method"] == "kd" else "frozen" if student["FT"] else "learning"
        kind, dropout = ("no dropout", 0.0) if name in WITHOUT_DROPOUT else (kind, COMMON["dropout"])
        found[name] = train(folder, name, start | taught[kind], student=student, dropout=dropout)
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return pinned(tmp_path_factory.mktemp("pinned"))


@pytest.mark.parametrize("run", json.loads(FILE.read_text(encoding="utf-8")))
def test_trainings_keep_their_logits(run, found):
    """CPUs round differently, and what they round adds up over the steps."""
    wanted = json.loads(FILE.read_text(encoding="utf-8"))[run]
    np.testing.assert_allclose(found[run], wanted, rtol=1e-4, atol=1e-4)


def test_runs_differ(found):
    """Else a setting that nothing reads would pass for one that is pinned."""
    assert len({json.dumps(logits) for logits in found.values()}) == len(found)
    assert found.keys() == json.loads(FILE.read_text(encoding="utf-8")).keys()


def renew() -> None:
    with TemporaryDirectory() as folder:
        pins = pinned(Path(folder))
    lines = ",\n".join(f" {json.dumps(run)}: {json.dumps(logits)}" for run, logits in pins.items())
    FILE.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    renew()
