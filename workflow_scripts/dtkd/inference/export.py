"""Write a trained network as a file that runs without this project: python -m dtkd.export .../checkpoint.pt"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from dtkd.common import plugins
from dtkd.common.command import command
from dtkd.common.errors import DtkdError
from dtkd.common.files import atomic, check_writable
from dtkd.common.provenance import sha256
from dtkd.config import Evaluation
from dtkd.data.videos import Videos
from dtkd.inference import exported, predict
from dtkd.inference.trained import THREADS, Trained, noise, of_checkpoint
from dtkd.training import networks
from dtkd.training.hardware import choose_hardware
from dtkd.training.views import views_to_test

CLOSE = {"fp32": 1e-4, "fp16": 2e-2}
"""How far the file's logits may lie from the checkpoint's, as a share of the largest of these (but at least of 1)."""
AGREEING = 0.95
"""Where the file's top-1 class is the checkpoint's on a smaller share of clips, a warning says so."""
NOISE = 3
"""Clips of noise that it is tried on where no videos are given; not one, so that their number is seen to be free."""


class Comparison(NamedTuple):
    """A file's logits beside its checkpoint's."""

    clips: int
    difference: float
    """The largest difference of two logits."""
    largest: float
    """The checkpoint's largest logit, without its sign."""
    agreeing: int
    """On how many clips the top-1 class is the same."""

    def __str__(self) -> str:
        return (
            f"top-1 is the checkpoint's on {self.agreeing} of {self.clips} clips; logits differ by at most "
            f"{self.difference:.1e} (the largest is {self.largest:.1f})"
        )


def export(trained: Trained, path: Path, precision: str, clips: Sequence[Tensor], about: dict) -> Comparison:
    """Write ``trained`` to ``path`` once what was written answers as it does on ``clips``.

    Args:
        clips: uint8 (3, T, H, W); int8 is measured on them.
        about: `exported.description`.

    Raises:
        DtkdError: as of `exported.write`, or answers are not the checkpoint's (nothing is then written).
    """
    with atomic(path) as temporary:
        exported.write(temporary, trained, precision, about, clips)
        found = compare(trained, exported.read(temporary), clips)
        if not found.difference <= CLOSE.get(precision, torch.inf) * max(1.0, found.largest):  # NaN is not, either
            raise DtkdError(
                f"{path} is not written: in {precision}, {found}"
                f"{'; export it in fp32' if precision != 'fp32' else '; please report this network'}"
            )
    return found


@torch.no_grad()
def compare(trained: Trained, written: Trained, clips: Sequence[Tensor]) -> Comparison:
    """Ask both about the clips, the file about all at a time and about one alone."""
    wanted = torch.cat([trained.classifier.eval()(trained.normalise(clip[None])) for clip in clips])
    found = torch.cat([written.classifier(clip[None]) for clip in clips[:1]] + [
        written.classifier(torch.stack(list(clips[1:])))] * (len(clips) > 1))  # fmt: skip
    answered = wanted.isfinite()
    if not torch.equal(answered, found != -torch.inf):
        return Comparison(len(clips), torch.nan, torch.nan, 0)
    return Comparison(
        len(clips),
        float((found - wanted)[answered].abs().max()),
        float(wanted[answered].abs().max()),
        int((found.argmax(1) == wanted.argmax(1)).sum()),
    )


def clips_of(trained: Trained, videos: Sequence[Path]) -> list[Tensor]:
    """The centre clips of videos, as tests see them and before they are normalised; noise where there are none."""
    if not videos:
        return list(noise(trained, NOISE))
    listed = Videos(tuple(map(str, videos)), tuple(videos), (-1,) * len(videos))
    tests = views_to_test(listed, trained.clip, trained.augment, Evaluation(), trained.normalise)
    return [tests[position][0][0] for position in range(len(videos))]


def main() -> None:
    parser = argparse.ArgumentParser("python -m dtkd.export", description=__doc__.partition(":")[0], allow_abbrev=False)
    suffixes = {name: suffix for suffix, name in exported.FORMATS.items()}
    parser.add_argument("checkpoint", type=Path, help="checkpoint.pt of a run, or its folder")
    parser.add_argument("--format", choices=suffixes, default="onnx", help="(default: %(default)s)")
    parser.add_argument(
        "--precision", choices=exported.PRECISIONS, default="fp32",
        help="of its arithmetic; int8 (of ONNX) is measured on the clips of --videos (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--videos", nargs="+", default=[], type=Path, metavar="VIDEO",
                        help="files and folders that it is compared on (default: noise)")  # fmt: skip
    parser.add_argument("--to", type=Path, metavar="FILE", help="(default: beside the checkpoint)")
    parser.add_argument("--last", action="store_true", help="the last epoch's weights, not the selected epoch's")
    parser.add_argument("--plugins", nargs="+", default=[], metavar="FILE", help="as in the config of its training")
    parser.add_argument("--threads", type=int, default=THREADS, help="CPU cores (default: %(default)s)")
    given = parser.parse_args()
    if given.checkpoint.is_dir():
        given.checkpoint /= "checkpoint.pt"
    if given.to is None:
        given.to = given.checkpoint.with_name(f"{given.checkpoint.stem}-{given.precision}{suffixes[given.format]}")
    if exported.FORMATS.get(given.to.suffix) != given.format:
        parser.error(f"--to: a file of --format {given.format} ends in {suffixes[given.format]}")
    if given.threads < 1:
        parser.error("--threads: at least 1")
    with command():
        _run(given)


def _run(given: argparse.Namespace) -> None:
    check_writable(given.to.parent)  # before the work, not after
    for plugin in given.plugins:
        plugins.load(plugin)
    choose_hardware("cpu", given.threads)
    trained = of_checkpoint(given.checkpoint, "last" if given.last else "model")
    clips = clips_of(trained, predict.videos_in(given.videos, predict.suffixes(trained)))
    if given.precision == "int8" and not given.videos:
        raise DtkdError("--precision int8: give --videos, like those it will meet, to measure its values on")
    size = networks.size(trained.about["settings"], len(trained.classes), torch.device("cpu"))
    about = exported.description(trained, given.precision, size, sha256(given.checkpoint))
    found = export(trained, given.to, given.precision, clips, about)
    print(f"{given.to}: {given.to.stat().st_size / 2**20:.1f} MiB; {found}")
    if found.agreeing < AGREEING * found.clips:
        print(f"warning: in {given.precision} it often answers otherwise; look at its accuracy before you use it "
              f"(python -m dtkd.predict {given.to} ...)")  # fmt: skip
