"""Print what a study will cost, before anything runs: make plan ARGS="--configfile studies/paper.yaml --gpus 8"."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tabulate import tabulate

from dtkd.errors import DtkdError
from dtkd.gpus import count
from dtkd.overlays import study_of
from dtkd.study import Study

if TYPE_CHECKING:
    from dtkd.plan import Plan

CORES_A_GPU = 8  # threads of a training on a GPU: seven decode


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--configfile", nargs="+", default=[], metavar="FILE", help="overlays of config.yaml")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="single keys, as for snakemake")
    parser.add_argument("--gpus", type=int, help="plan for so many GPUs (default: those of this machine, or its cores)")
    parser.add_argument("--tflops", type=float, default=71.0,
                        help="a GPU's peak in mixed precision (default: %(default)s, of an RTX 3090)")  # fmt: skip
    parser.add_argument("--utilisation", type=float, default=0.15,
                        help="the share of the peak that 3-D convolutions sustain (default: %(default)s)")  # fmt: skip
    parser.add_argument("--cores", type=int, help=f"CPU cores (default: {CORES_A_GPU} a GPU, or those of this machine)")
    given = parser.parse_args(words)
    for name, least in (("gpus", 0), ("tflops", 0.001), ("utilisation", 0.001), ("cores", 1)):
        if (value := getattr(given, name)) is not None and value < least:
            parser.error(f"--{name}: at least {least}, not {value}")
    return given


def estimate(study: Study, given: argparse.Namespace) -> "tuple[Plan, list[str]]":
    """The plan, and what it takes for granted."""
    from dtkd import plan

    sizes = {name: plan.size(study, name) for name in study.used_datasets()}
    measured = {name: plan.measure(study, own) for name, own in sizes.items()}
    tasks = plan.tasks(study, sizes, measured)
    gpus = given.gpus
    if gpus is None:
        gpus = 0 if study.device == "cpu" else count()
    rate, runs = plan.finished_rate(study, tasks, "cuda" if gpus else "cpu")
    if runs:
        source = f"as in {runs} finished runs of this study"
    elif gpus:
        rate = given.tflops * given.utilisation * 1e12
        source = f"assumed: {given.utilisation:.0%} of a peak of {given.tflops:g}"
    else:
        rate = plan.cpu_rate(study)
        source = "measured here"
    if gpus:
        cores = given.cores or CORES_A_GPU * gpus
        decoders = max(1, min(CORES_A_GPU, cores // gpus) - 1)
        name = f"{gpus} GPU{'s' * (gpus > 1)} at {rate / 1e12:.3g} TFLOP/s each ({source}), {cores} CPU cores"
        machine = plan.Machine(name, gpus, rate, cores, decoders)
    else:
        cores = given.cores or len(os.sched_getaffinity(0))
        machine = plan.Machine(f"{cores} CPU cores at {rate / 1e9:.3g} GFLOP/s each ({source})", cores, rate, cores, 0)
    return plan.plan(study, tasks, machine, measured), plan.notes(study, sizes, measured, machine)


def rounded(rows: Sequence[dict]) -> list[dict]:
    """For the eye: three digits of what is not counted one by one."""

    def shown(value: object) -> object:
        if isinstance(value, float):
            return f"{float(f'{value:.3g}'):,.10g}"
        return f"{value:,}" if isinstance(value, int) else value

    return [{name: shown(value) for name, value in row.items()} for row in rows]


def planned(study: Study, given: argparse.Namespace) -> str:
    """The plan as Markdown."""
    result, notes = estimate(study, given)
    shown = [
        f"**{study.name}**: {result.hours:.2g} hours from start to end; {result.rows[-1]['disk GB']:.2g} GB of results "
        f"in the end, and {result.passing_bytes / 1e9:.2g} GB more while trainings run.",
        *(tabulate(rounded(rows), headers="keys", tablefmt="pipe", disable_numparse=True)
          for rows in (result.rows, result.networks)),
        "\n".join(f"- {note}" for note in notes),
    ]  # fmt: skip
    return "\n\n".join(shown)


def main(words: Sequence[str] | None = None) -> None:
    given = arguments(words)
    try:
        print(planned(study_of(given.configfile, pairs=given.config), given))
    except DtkdError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
