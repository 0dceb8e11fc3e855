"""What a study will cost, and what it can show: make plan ARGS="--configfile studies/paper.yaml --gpus 8"."""

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tabulate import tabulate

from dtkd.common.command import command
from dtkd.common.gpus import count
from dtkd.config import Study
from dtkd.config.overlays import study_of
from dtkd.config.places import names_in_utf8

if TYPE_CHECKING:
    from dtkd.operations.plan import Plan, Size

CORES_A_GPU = 8  # threads of a training on a GPU: seven decode
GPU, PEAK = "an RTX 3090", 71.0  # assumed where nothing else is said: its peak in mixed precision, TFLOP/s


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--configfile", nargs="+", default=[], metavar="FILE", help="overlays of config.yaml")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="single keys, as for snakemake")
    parser.add_argument("--gpus", type=int, help="plan for so many GPUs (default: those of this machine, or its cores)")
    parser.add_argument("--tflops", type=float, help=f"a GPU's peak in mixed precision (default: {PEAK:g}, of {GPU})")
    parser.add_argument("--utilisation", type=float, default=0.15,
                        help="the share of the peak that 3-D convolutions sustain (default: %(default)s)")  # fmt: skip
    parser.add_argument("--cores", type=int, help=f"CPU cores (default: {CORES_A_GPU} a GPU, or those of this machine)")
    given = parser.parse_args(words)
    for name, least in (("gpus", 0), ("tflops", 0.001), ("utilisation", 0.001), ("cores", 1)):
        if (value := getattr(given, name)) is not None and value < least:
            parser.error(f"--{name}: at least {least}, not {value}")
    return given


def estimate(study: Study, sizes: "dict[str, Size]", given: argparse.Namespace) -> "tuple[Plan, list[str]]":
    """The plan, and what it takes for granted."""
    from dtkd.operations import plan

    measured = {name: plan.measure(study, own) for name, own in sizes.items()}
    tasks = plan.tasks(study, sizes, measured)
    gpus = given.gpus
    if gpus is None:
        gpus = 0 if study.device == "cpu" else count()
    rate, runs = plan.finished_rate(study, tasks, "cuda" if gpus else "cpu")
    if runs:
        source = f"as in {runs} finished run{'s' * (runs > 1)} of this study"
    elif gpus:
        rate = (given.tflops or PEAK) * given.utilisation * 1e12
        which = f"a GPU whose peak is {given.tflops:g}" if given.tflops else f"{GPU}, whose peak is {PEAK:g}"
        source = f"assumed: {which} TFLOP/s, of which 3-D convolutions sustain {given.utilisation:.0%}"
        source += "" if given.tflops else "; for another, --tflops"
    else:
        rate = plan.cpu_rate(study)
        source = "measured here"
    if gpus:
        cores = given.cores or CORES_A_GPU * gpus
        decoders = max(1, min(CORES_A_GPU, cores // gpus) - 1)
        each = f"{plan.digits(rate / 1e12)} TFLOP/s{' each' * (gpus > 1)}"
        name = f"{gpus} GPU{'s' * (gpus > 1)} at {each} ({source}), {cores} CPU cores"
        machine = plan.Machine(name, gpus, rate, cores, decoders)
    else:
        cores = given.cores or len(os.sched_getaffinity(0))
        name = f"{cores} CPU cores at {plan.digits(rate / 1e9)} GFLOP/s each ({source})"
        machine = plan.Machine(name, cores, rate, cores, 0)
    return plan.plan(study, sizes, tasks, machine, measured), plan.notes(study, sizes, measured, machine)


def rounded(rows: Sequence[dict]) -> list[dict]:
    """For the eye: three digits of what is not counted one by one."""
    from dtkd.operations.plan import digits

    def shown(value: object) -> object:
        return digits(value) if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value

    return [{name: shown(value) for name, value in row.items()} for row in rows]


def planned(study: Study, given: argparse.Namespace) -> str:
    """The plan as Markdown: jobs that would run, and what they take."""
    from dtkd.operations import plan, power
    from dtkd.operations.plan import digits

    sizes = {name: plan.size(study, name) for name in study.used_datasets()}
    result, notes = estimate(study, sizes, given)
    shows = tabulate(power.rows(study, sizes), headers="keys", tablefmt="pipe", disable_numparse=True)
    shows = f"Gains over the baseline, in points of top-1, that its test videos are likely (80 %) to show:\n\n{shows}"
    total = result.rows[-1]
    if not total["jobs"]:
        return f"**{study.name}**: nothing is left to compute, all {result.done} jobs are done.\n\n{shows}"
    done = f" ({result.done} more are done)" if result.done else ""
    shown = [
        f"**{study.name}**: {total['jobs']} jobs{done}, {digits(result.hours, 2)} hours from start to end; "
        f"{digits(total['disk GB'], 2)} GB of results, and {digits(result.passing_bytes / 1e9, 2)} GB more while "
        f"trainings run.\n\n{notes[0]}",
        *(tabulate(rounded(rows), headers="keys", tablefmt="pipe", disable_numparse=True)
          for rows in (result.rows, result.networks) if rows),
        shows,
        "\n".join(f"- {note}" for note in notes[1:]),
    ]  # fmt: skip
    return "\n\n".join(shown)


def main(words: Sequence[str] | None = None) -> None:
    given = arguments(words)
    with command():
        print(planned(study_of(given.configfile, pairs=given.config), given))


if __name__ == "__main__":
    names_in_utf8()
    main()
