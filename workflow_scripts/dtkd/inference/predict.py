"""Ask a trained network about any video: python -m dtkd.predict .../checkpoint.pt my_video.mp4 my_folder"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

from dtkd.common import plugins
from dtkd.common.command import command
from dtkd.common.errors import DtkdError
from dtkd.common.files import atomic, check_writable
from dtkd.common.progress import progress
from dtkd.config import Evaluation
from dtkd.data.datasets import SUFFIXES, Videos
from dtkd.data.formats.features import SUFFIX as FEATURES
from dtkd.data.video import VideoError
from dtkd.inference import exported
from dtkd.inference.trained import THREADS, Trained, of_checkpoint
from dtkd.training.evaluation import of_views
from dtkd.training.hardware import Hardware, autocast, choose_hardware
from dtkd.training.sampling import loader
from dtkd.training.views import views_to_test


def load(file: str | Path, part: str = "model") -> Trained:
    """The network of a run's ``checkpoint.pt`` (or its folder), or of a file that `dtkd.export` made of one.

    ``part`` of a checkpoint is `model`, the selected epoch, or `last`, the last one.

    Raises DtkdError as `trained.of_checkpoint` and `exported.read` do.
    """
    return exported.read(file) if Path(file).suffix in exported.FORMATS else of_checkpoint(file, part)


@torch.no_grad()
def predict(
    trained: Trained, paths: Sequence[str | Path], evaluation: Evaluation | None = None,
    hardware: Hardware | None = None,
) -> Iterator[Tensor | VideoError]:  # fmt: skip
    """What ``trained`` says to each of ``paths``, in their order: logits (C,), float32, on the CPU.

    A video that cannot be used gives its error in place of logits, and the rest goes on. ``evaluation`` is the protocol
    (default: one centre crop of one centre clip, as the tables have it); its averaged probabilities come as logarithms.
    Frames are cropped, squashed or letterboxed as in its training. On a CPU the network computes in float32, whatever
    it was trained in.

    Videos are decoded in this process (on a GPU in loader processes): those of doubtful origin, which may crash a
    decoder, `inspection.inspect` tries out beforehand.
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    evaluation, hardware = evaluation or Evaluation(), hardware or choose_hardware("auto", THREADS)
    device = hardware.device
    classifier, normalise = trained.classifier.to(device).eval(), trained.normalise.to(device)
    cast, _ = autocast(trained.train.precision if device.type == "cuda" else "fp32", device)
    most = trained.train.micro_batch or trained.train.batch_size

    def logits_of(videos: Sequence[Tensor | VideoError]) -> Iterator[Tensor | VideoError]:
        """A batch of videos' views and of errors, which stay as they are."""
        sound = [views for views in videos if isinstance(views, Tensor)]
        logits = iter(())
        if sound:
            with cast:
                logits = iter(of_views(classifier, normalise, torch.stack(sound), most, device,
                                              evaluation.average).cpu())  # fmt: skip
        for views in videos:
            yield next(logits) if isinstance(views, Tensor) else views

    workers = min(hardware.workers, len(paths))
    data = loader(_Views(trained, paths, evaluation), batch_size=None, workers=workers, pin=device.type == "cuda")
    size = max(1, most // (evaluation.clips_per_video * evaluation.crops_per_clip))
    videos = iter(data)
    while batch := list(islice(videos, size)):
        yield from logits_of(batch)


class _Views(Dataset):
    """Every video's views, uint8 (V, C, T, H, W), or the error that it cannot be used."""

    def __init__(self, trained: Trained, paths: Sequence[str | Path], evaluation: Evaluation):
        videos = Videos(tuple(map(str, paths)), tuple(map(Path, paths)), (-1,) * len(paths))
        self.clips = views_to_test(videos, trained.clip, trained.augment, evaluation, trained.normalise)

    def __getitem__(self, position: int) -> Tensor | VideoError:
        try:
            return self.clips[position][0]
        except VideoError as error:
            return error

    def __len__(self) -> int:
        return len(self.clips)


def suffixes(trained: Trained) -> tuple[str, ...]:
    """How the names of files end that ``trained`` can be asked about."""
    return SUFFIXES if trained.augment else (FEATURES,)


def videos_in(places: Sequence[str | Path], endings: tuple[str, ...] = SUFFIXES) -> list[Path]:
    """Files as they are, and of folders all videos in them, however deep, by ``endings``; hidden ones are passed over.

    Raises:
        DtkdError: a folder is without videos.
    """
    found: list[Path] = []
    for place in map(Path, places):
        if not place.is_dir():
            found.append(place)
            continue
        inside = []
        for folder, below, files in os.walk(place, followlinks=True):
            below[:] = [name for name in below if not name.startswith(".")]
            inside += [Path(folder, name) for name in files
                       if name.lower().endswith(endings) and not name.startswith(".")]  # fmt: skip
        if not inside:
            raise DtkdError(f"{place}: no videos in this folder ({' '.join(endings)})")
        found += sorted(inside)
    return found


def ranked(classes: Sequence[str], logits: Tensor, most: int) -> list[tuple[str, float]]:
    """The ``most`` likeliest classes with their probabilities (0 to 1); classes that cannot be answered are none."""
    found = logits.softmax(0).topk(min(most, int(logits.isfinite().sum())))
    return [(classes[c], p) for p, c in zip(found.values.tolist(), found.indices.tolist(), strict=True)]


def main() -> None:
    what = __doc__.partition(":")[0]
    parser = argparse.ArgumentParser("python -m dtkd.predict", description=what, allow_abbrev=False)
    parser.add_argument("checkpoint", help="checkpoint.pt of a run, or its folder, or an exported file")
    parser.add_argument("videos", nargs="+",
                        help="video files (.npy files, if it was trained on such), and folders of them")  # fmt: skip
    parser.add_argument("--csv", metavar="FILE", help="write video, rank, class, probability, error")
    parser.add_argument("--top", type=int, default=3, help="how many classes (default: %(default)s)")
    parser.add_argument("--clips", type=int, default=1, help="clips a video, spread over it (default: %(default)s)")
    parser.add_argument("--crops", type=int, choices=(1, 3), default=1, help="crops a clip (default: %(default)s)")
    parser.add_argument("--average", choices=("logits", "softmax"), default="softmax", help="of clips and crops")
    parser.add_argument("--last", action="store_true", help="the last epoch's weights, not the selected epoch's")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--plugins", nargs="+", default=[], metavar="FILE", help="as in the config of its training")
    parser.add_argument("--threads", type=int, default=THREADS, help="CPU cores (default: %(default)s)")
    given = parser.parse_intermixed_args()
    for name in ("top", "clips", "threads"):
        if getattr(given, name) < 1:
            parser.error(f"--{name}: at least 1")
    if given.csv:
        given.csv = Path(given.csv).resolve()
        if given.csv.exists() and not given.csv.is_file():
            parser.error(f"--csv: {given.csv} is no file; name one that is, or is not there yet")
        inputs = {Path(place).resolve() for place in (given.checkpoint, *given.videos)}
        within = given.csv.is_file() and given.csv.suffix != ".csv" and not inputs.isdisjoint(given.csv.parents)
        if given.csv in inputs or within:
            parser.error(f"--csv: {given.csv} is what is to be read; name another file")
    with command():
        sys.exit(1 if _run(given) else 0)


def _run(given: argparse.Namespace) -> int:
    """Print and write what was asked for; returns how many videos could not be used."""
    if given.csv:
        check_writable(given.csv.parent)  # before the work, not after
    for plugin in given.plugins:
        plugins.load(plugin)
    trained = load(given.checkpoint, "last" if given.last else "model")
    try:
        if trained.augment:
            trained.augment.check_crops(given.crops)
        elif given.crops > 1:
            raise DtkdError("the network was trained on features, which have no crops; leave it out")
    except DtkdError as error:
        raise DtkdError(f"--crops: {error}") from None
    paths = videos_in(given.videos, suffixes(trained))
    evaluation = Evaluation(clips_per_video=given.clips, crops_per_clip=given.crops, average=given.average)
    predictions = predict(trained, paths, evaluation, choose_hardware(given.device, given.threads))
    rows, failed = [], 0
    try:
        with progress(total=len(paths), desc="predict", unit="video") as bar:
            for path, prediction in zip(paths, predictions, strict=True):
                name = os.fsencode(path).decode("utf-8", "backslashreplace")
                if isinstance(prediction, VideoError):
                    failed += 1
                    rows.append({"video": name, "error": str(prediction).removeprefix(f"{name}: ")})
                    bar.write(f"error: {prediction}", file=sys.stderr)
                else:
                    best = ranked(trained.classes, prediction, given.top)
                    rows += [{"video": name, "rank": rank, "class": label, "probability": probability}
                             for rank, (label, probability) in enumerate(best, 1)]  # fmt: skip
                    bar.write(f"{name}: " + ", ".join(f"{label} {100 * share:.1f} %" for label, share in best))
                bar.update()
    finally:  # of a long call that is interrupted, what there is
        if given.csv:
            table = pd.DataFrame(rows, columns=["video", "rank", "class", "probability", "error"])
            with atomic(given.csv) as file:
                table.astype({"rank": "Int64"}).to_csv(file, index=False)
            done = len(table["video"].unique())
            print(f"{done} of {len(paths)} videos are in {given.csv}", file=sys.stderr)
    return failed
