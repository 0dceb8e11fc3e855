"""Check a data set before anything trains on it: python -m dtkd.check my_videos --configfile studies/own_videos.yaml

DATASET is the name of one in the config, or a folder with one folder of videos per class. The findings are printed;
`results/<dataset>/check.html` (a page), `check.json` and `check.csv` hold them. The exit status is 0 whatever is found,
but 1 where some videos cannot be used or nothing can be checked.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
import textwrap
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
from tqdm import tqdm

from dtkd.checks import findings
from dtkd.checks.card import Card, Progress, Settings
from dtkd.common.command import command
from dtkd.common.errors import DtkdError
from dtkd.common.files import check_writable
from dtkd.config import Dataset, Study
from dtkd.config.overlays import study_of
from dtkd.data import datasets, inspection
from dtkd.reports import check_page

THREADS = min(8, len(os.sched_getaffinity(0)))


def card_of(study: Study, given: str, threads: int = 1, progress: Callable[[str], Progress] | None = None) -> Card:
    """The card of a data set of the study or of a folder of class folders; inspects what was not inspected before.

    Raises DtkdError if there is no such data set, its lists cannot be read, or none of its videos can be used.
    """
    name, dataset = named(study, given)
    folder = Path(study.results, name)
    check_writable(folder)
    source = dataset.source()
    if source.of_features:
        raise DtkdError(f"{name}: checks look at videos; files of features are looked at as the index is made")
    index = datasets.index(source)
    known = folder / "inspection.parquet"
    sound, reasons = inspection.inspect(source.videos, index["path"], known, threads, progress and progress("inspect"))
    problems, usable = inspection.problems(index, reasons), inspection.described(index, sound)
    if usable.empty:
        some = "; ".join(f"{path}: {reason}" for path, reason in list(reasons.items())[:3])
        raise DtkdError(
            f"{source.videos}: none of its {len(index)} videos can be used ({some}): copy or download them again"
        )
    settings = Settings.of(study.checked(name, dataset))
    return Card(name, settings, usable, problems, folder, threads, progress, in_config=name in study.datasets)


def named(study: Study, given: str) -> tuple[str, Dataset]:
    """The data set that a word of the command line means: one of the config, or a folder with folders of videos."""
    if given in study.datasets:
        dataset = study.datasets[given]
        if dataset.render and not Path(dataset.videos).exists():
            raise DtkdError(
                f"{given}: the project has not rendered its videos yet; snakemake --cores {THREADS} "
                f"{study.results}/{given}/check.html does so and checks them"
            )
        return given, dataset
    folder = Path(given)
    if not folder.is_dir():
        raise DtkdError(
            f"{given}: is no folder, and no data set of the config, which has {', '.join(study.datasets)}; name one, "
            "or the folder of your videos"
        )
    for name, dataset in study.datasets.items():
        if Path(dataset.videos).resolve() == folder.resolve():
            return name, dataset
    name = re.sub(r"[^A-Za-z0-9_.+-]+", "_", folder.resolve().name).lstrip("_.+-") or "videos"
    if name in study.datasets:
        raise DtkdError(
            f"{given}: the config has a data set {name} elsewhere ({study.datasets[name].videos}), and both would have "
            f"the folder {study.results}/{name}; say --config 'datasets={{{name}: {{videos: {given}}}}}', or "
            "--config results=FOLDER"
        )
    return name, Dataset(format="folders", videos=given)


def printed(found: Sequence[findings.Finding], width: int = 100) -> str:
    """Findings for a terminal, the most serious last, where the eye is."""
    wrap = partial(
        textwrap.wrap, width=width, subsequent_indent=" " * 9, break_long_words=False, break_on_hyphens=False
    )
    lines = []
    for finding in reversed(found):
        lines += wrap(f"{finding.level.upper():8} {finding.what}")
        lines += wrap(finding.why, initial_indent=" " * 9)
        lines += wrap(finding.remedy, initial_indent=" " * 9)
        lines += [f"{' ' * 11}{line}" for line in finding.config.splitlines()] + [""]
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> None:
    summary = __doc__.partition(":")[0]
    usage = "python -m dtkd.check DATASET [--configfile FILE ...] [--config KEY=VALUE ...] [--threads N]"
    parser = argparse.ArgumentParser(usage=usage, description=summary, allow_abbrev=False)
    parser.add_argument("dataset", metavar="DATASET", help="a data set of the config, or a folder of class folders")
    parser.add_argument("--configfile", nargs="+", default=[], metavar="FILE", help="overlays of config.yaml")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="single keys, as for snakemake")
    parser.add_argument("--threads", type=int, metavar="N", default=THREADS, help="CPU cores (default: %(default)s)")
    given = parser.parse_args(words)
    if given.threads < 1:
        parser.error("--threads: at least 1")
    cv2.setNumThreads(1)
    with command(goes_on=True):
        sys.exit(_run(given))


def _run(given: argparse.Namespace) -> int:
    study = study_of(given.configfile, pairs=given.config)
    card = card_of(study, given.dataset, given.threads, _bar)
    found = check_page.write(card, commands(card, given))
    print(printed(found))
    print(f"{card.name}: {findings.counted(found)}; {card.folder / 'check.html'} shows them.")
    if any(finding.config for finding in found):
        print("Indented lines are config: they go into a file for --configfile, or as KEY=VALUE behind --config.")
    return 1 if len(card.problems) else 0


def commands(card: Card, given: argparse.Namespace) -> list[str]:
    """What makes the flow tables of a data set, and what checks it again then."""
    pairs = list(given.config)
    if not card.in_config:
        pairs.append(card.entry().replace(": ", "=", 1))
    more = ["--configfile", *given.configfile] if given.configfile else []
    more += ["--config", *pairs] if pairs else []
    return [shlex.join(["snakemake", "--cores", str(THREADS), f"{card.folder}/split.json", *more]),
            shlex.join(["python", "-m", "dtkd.check", card.name, *more])]  # fmt: skip


def _bar(what: str) -> Progress:
    quiet = 0.5 if os.isatty(2) else 30  # where no terminal shows it, a line every half minute
    return partial(tqdm, desc=what, unit="video", dynamic_ncols=True, mininterval=quiet, delay=2)
