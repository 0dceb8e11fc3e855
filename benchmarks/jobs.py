"""What a job costs beside its own work: trainings of a moment, which import for themselves or are forks of a process.

Baselines of several seeds on features at random, on one core, by the project's own workflow; the two ways take turns.

    python benchmarks/jobs.py
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

from dtkd.common.job_server import ADDRESS
from report import write

PROJECT = Path(__file__).parents[1]
SNAKEMAKE = str(Path(sys.executable).with_name("snakemake"))
CLASSES, VIDEOS = ("a", "b", "c", "d"), 6
ALONE, FORKED = "each imports for itself", "forks of one process"


def study(root: Path, seeds: int) -> None:
    """Features of a few videos, and a baseline on them."""
    random = np.random.default_rng(0)
    rows = ["video,class,split"]
    for name in CLASSES:
        for number in range(VIDEOS):
            path = Path(root, "features", name, f"{number}.npy")
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, random.normal(size=(8, 16)).astype(np.float32))
            rows.append(f"{name}/{number}.npy,{name},{'test' if number % 3 == 2 else 'train'}")
    Path(root, "lists.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    config = {
        "name": "jobs", "use": ["data"], "seeds": list(range(seeds)),
        "datasets": {"data": {"format": "features", "videos": "features", "annotations": "lists.csv"}},
        "model": {"backbone": "linear", "weights": "none"}, "clip": {"frames": 8, "rate": 1},
        "augment": {"short_side": [64, 64], "crop": 64, "test_short_side": 64},
        "train": {"epochs": 1, "batch_size": 8, "lr": 0.01}, "split": {"measure": "feature_change"},
        "baselines": {"data": {"U1": {"list": 1}}}, "students": {},
    }  # fmt: skip
    Path(root, "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def seconds(root: Path, targets: list[str], how: str) -> float:
    """Of a call that makes the targets."""
    environment = {name: value for name, value in os.environ.items() if name != ADDRESS}
    environment |= {ADDRESS: ""} if how == ALONE else {}
    command = [SNAKEMAKE, "--snakefile", str(PROJECT / "Snakefile"), "--cores", "1", *targets]
    started = time.perf_counter()
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=12)
    arguments = parser.parse_args()
    spent: dict[str, list[float]] = {ALONE: [], FORKED: []}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        study(root, arguments.jobs)
        runs = [f"results/data/list1/baseline/linear-seed{seed}/run.json" for seed in range(arguments.jobs)]
        seconds(root, ["results/data/list1/pixels.json"], FORKED)
        for _ in range(arguments.rounds):
            for how in spent:
                some, every = (seconds(root, targets, how) for targets in (runs[:1], runs))
                spent[how].append((every - some) / (len(runs) - 1))
                for run in runs:
                    Path(root, run).unlink()
    least = {how: min(each) for how, each in spent.items()}
    write(
        "jobs",
        [{"jobs": how, "s a job": f"{each:.2f}", "÷ alone": f"{each / least[ALONE]:.2f}"}
         for how, each in least.items()],
        f"Seconds of a training of {len(CLASSES) * VIDEOS} files, one after another on one core: the difference of "
        f"{len(runs)} and 1, the least of {arguments.rounds} rounds.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
