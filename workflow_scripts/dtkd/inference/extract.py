"""Features of videos by a trained network: python -m dtkd.extract .../checkpoint.pt my_videos my_features

Each video becomes a file ``.npy``, (T, D) float32: what the network's last layer is given, averaged over what is left
of time and space, of T windows that are spread evenly over the video. Beside these lie `lists.csv`, the lists of the
videos, and `features.json`, what made them. A data set of `format: features` reads both as they are. The same command,
given again, goes on where it was interrupted, and makes again nothing that is there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

from dtkd.common import plugins, provenance
from dtkd.common.command import command
from dtkd.common.errors import DtkdError
from dtkd.common.files import atomic, check_writable, read_parquet, write_json
from dtkd.common.progress import progress
from dtkd.config import Augment, Clip, Evaluation, Train
from dtkd.data import datasets, features
from dtkd.data.datasets import Videos
from dtkd.data.formats.features import file_of
from dtkd.data.video import VideoError
from dtkd.inference.predict import THREADS, Trained, load
from dtkd.models import backbones, entries, weights
from dtkd.training.classifier import Classifier
from dtkd.training.hardware import Hardware, autocast, choose_hardware
from dtkd.training.normalise import Normalise
from dtkd.training.sampling import TestClips, loader
from dtkd.training.views import views_to_test

RECORD, LISTS = "features.json", "lists.csv"


def published(name: str, file: str | Path, train: Train) -> Trained:
    """A network of `model.backbone` with the weights in a file, as it was published: its clip, crop and pixels.

    Raises DtkdError for an unknown name, weights of another network, and one that nobody has published.
    """
    takes = entries.NETWORKS[name].input
    if takes.frames is None or takes.rate is None or takes.crop is None or takes.mean is None or takes.std is None:
        raise DtkdError(f"{name}: has no published clip to take features of; give the checkpoint.pt of a run")
    state = weights.load_state_dict(file)
    projection = state.get(f"{entries.NETWORKS[name].head.projection}.weight")
    model = backbones.build(name, 1 if projection is None else len(projection), 0.0)
    backbones.load_weights(model, state, source=str(file))
    side = takes.crop
    return Trained(
        Classifier(model), Normalise(list(takes.mean), list(takes.std)), [], Clip(frames=takes.frames, rate=takes.rate),
        Augment(short_side=(side, side), crop=side, test_short_side=side), train, {},
    )  # fmt: skip


class _Windows(Dataset):
    """Every video's windows, uint8 (T, C, frames, H, W), or the error that it cannot be used."""

    def __init__(self, views: TestClips):
        self.views = views

    def __getitem__(self, position: int) -> Tensor | VideoError:
        try:
            return self.views[position][0]
        except VideoError as error:
            return error

    def __len__(self) -> int:
        return len(self.views)


@torch.inference_mode()
def extracted(
    trained: Trained, videos: Videos, windows: int, batch: int, hardware: Hardware
) -> Iterator[np.ndarray | VideoError]:  # fmt: skip
    """The features of each video, float32 (windows, D), or why it has none; ``batch`` windows pass at a time."""
    device = hardware.device
    model, normalise = trained.classifier.model.to(device).eval(), trained.normalise.to(device)
    cast, _ = autocast(trained.train.precision if device.type == "cuda" else "fp32", device)
    pooled = backbones.PooledFeatures(model)
    views = views_to_test(videos, trained.clip, trained.augment, Evaluation(clips_per_video=windows), normalise)
    for found in loader(_Windows(views), batch_size=None, workers=min(hardware.workers, len(videos))):
        if isinstance(found, VideoError):
            yield found
            continue
        parts = []
        for part in found.split(batch):
            with cast:
                model(normalise(part.to(device)))
            parts.append(pooled.take().cpu())
        yield torch.cat(parts).numpy()


def listed(index: pd.DataFrame) -> pd.DataFrame:
    """The rows of `lists.csv` for an index of videos: video, class, split, split2 ... and, where it has some, group."""
    columns = [name for name in index.columns if name.startswith("list")]
    table = pd.DataFrame({"video": index["path"].map(file_of), "class": index["class"]})
    for number, column in enumerate(columns, 1):
        table["split" if number == 1 else f"split{number}"] = index[column]
    return table.assign(group=index["group"]) if "group" in index else table


def _is_made(file: Path, windows: int) -> bool:
    try:
        return len(features.read(file)) == windows
    except VideoError:
        return False


def extract(
    trained: Trained, index: pd.DataFrame, root: Path, out: Path, *, windows: int, batch: int, hardware: Hardware,
    made_by: dict[str, Any],
) -> dict[str, str]:  # fmt: skip
    """Write the features of an index's videos below ``root`` into ``out``, with lists and record; path -> what failed.

    Files that are there, made in the same way, stay. Raises DtkdError where those in ``out`` were made in another way.
    """
    check_writable(out)
    record = out / RECORD
    if record.exists() and (before := json.loads(record.read_text(encoding="utf-8"))["settings"]) != made_by:
        differing = sorted(key for key in made_by if made_by[key] != before.get(key))
        raise DtkdError(f"{record}: the features there differ in {', '.join(differing)}; name another folder")
    write_json(record, provenance.record(made_by, {}, str(hardware.device)))
    if not (paths := [path for path in index["path"] if not _is_made(out / file_of(path), windows)]):
        print(f"{out}: all {len(index)} videos have their features", file=sys.stderr)
    failed = {}
    videos = Videos(tuple(paths), tuple(root / path for path in paths), (-1,) * len(paths))
    found: Iterable[np.ndarray | VideoError] = extracted(trained, videos, windows, batch, hardware) if paths else ()
    for path, each in zip(paths, progress(found, total=len(paths), desc="extract", unit="video"), strict=True):
        if isinstance(each, VideoError):
            failed[path] = str(each)
            continue
        file = out / file_of(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic(file) as temporary, open(temporary, "wb") as opened:
            np.save(opened, each, allow_pickle=False)
    with atomic(out / LISTS) as temporary:
        listed(index[~index["path"].isin(failed)]).to_csv(temporary, index=False)
    return failed


def index_of(given: argparse.Namespace) -> pd.DataFrame:
    """The videos: of an index, or of a folder of class folders, whose lists are drawn."""
    if given.index:
        return read_parquet(given.index)
    source = datasets.Source("folders", given.videos, group_pattern=given.group_pattern)
    index = datasets.index(source)
    if given.group_pattern is None:
        datasets.check_scenes(given.videos, index["path"])
    return index


def main() -> None:
    what = __doc__.partition(":")[0]
    parser = argparse.ArgumentParser("python -m dtkd.extract", description=what, allow_abbrev=False)
    parser.add_argument("network", help="checkpoint.pt of a run, or its folder; or a backbone's name, with --weights")
    parser.add_argument("videos", type=Path, help="folder of the videos; without --index with a folder per class")
    parser.add_argument("features", type=Path, help="folder to write them to")
    parser.add_argument("--weights", metavar="FILE", help="parameters of the named backbone, such as published ones")
    parser.add_argument("--index", metavar="FILE", help="videos.parquet of a study's data set: its videos and lists")
    parser.add_argument("--group-pattern", help="without --index: as in the config, what lists keep on one side")
    parser.add_argument("--windows", type=int, default=16, help="T, windows of a video (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=8, help="windows that pass at a time (default: %(default)s)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--plugins", nargs="+", default=[], metavar="FILE", help="as in the config of its training")
    parser.add_argument("--threads", type=int, default=THREADS, help="CPU cores (default: %(default)s)")
    given = parser.parse_args()
    if given.windows < 2:
        parser.error("--windows: at least 2")
    if min(given.batch, given.threads) < 1:
        parser.error("--batch, --threads: at least 1")
    with command(goes_on=True):
        sys.exit(1 if _run(given) else 0)


def _run(given: argparse.Namespace) -> int:
    """Extract what was asked for; returns how many videos could not be used."""
    for plugin in given.plugins:
        plugins.load(plugin)
    if given.weights:
        trained = published(given.network, given.weights, Train(epochs=1, batch_size=1, lr=1.0))
        file = Path(given.weights)
    else:
        trained, file = load(given.network), Path(given.network)
        file = file / "checkpoint.pt" if file.is_dir() else file
    if trained.augment is None:
        raise DtkdError(f"{file}: takes features itself; name a network that takes videos")
    made_by = {
        "network": provenance.sha256(file), "windows": given.windows,
        "clip": trained.clip.model_dump(exclude_none=True), "augment": trained.augment.settings,
    }  # fmt: skip
    index = index_of(given)
    failed = extract(trained, index, given.videos, given.features, windows=given.windows, batch=given.batch,
                     hardware=choose_hardware(given.device, given.threads), made_by=made_by)  # fmt: skip
    for said in failed.values():
        print(f"error: {said}", file=sys.stderr)
    print(f"{len(index) - len(failed)} of {len(index)} videos have features in {given.features}", file=sys.stderr)
    return len(failed)
