"""A study that is planned in a second, four classes of one-byte videos in UCF101's form; and `snakemake` on it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forked
import yaml

PROJECT = Path(__file__).parents[2]
CLASSES = ("Archery", "Bowling", "Diving", "JumpRope")
CLIPS = {name: [f"{name}/v_{name}_g{group:02d}_c01.avi" for group in range(1, 5)] for name in CLASSES}
TABLE5 = "results/tables/table5.csv"
TIMEOUT = 600  # seconds


def write(root: Path) -> Path:
    """Write config.yaml, lists/ (one list; group 1 is tested on) and videos/ below ``root``."""
    lists = root / "lists"
    lists.mkdir(parents=True)
    (lists / "classInd.txt").write_text("".join(f"{label} {name}\n" for label, name in enumerate(CLASSES, start=1)))
    train = [f"{clip} {label}" for label, name in enumerate(CLASSES, start=1) for clip in CLIPS[name][1:]]
    (lists / "trainlist01.txt").write_text("\n".join(train) + "\n")
    (lists / "testlist01.txt").write_text("".join(f"{CLIPS[name][0]}\n" for name in CLASSES))
    for name in CLASSES:
        (root / "videos" / name).mkdir(parents=True)
        for clip in CLIPS[name]:
            (root / "videos" / clip).write_bytes(b"\0")
    students = {
        "A": {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "LT": True, "FT": True},
        "B": {"S_alpha": 0.5, "KD_T": 2, "KD_alpha": 0.4, "LT": False, "FT": False},
        "C": {"method": "bskd", "KD_T": 2, "KD_alpha": 0.4, "LT": True, "FT": True},
    }
    config = {
        "name": "tiny",
        "use": ["tiny"],
        "device": "cpu",
        "datasets": {"tiny": {"format": "ucf101", "videos": "videos", "annotations": "lists", "lists": 1}},
        "flow": {"algorithm": "farneback"},
        "split": {"quantile": 0.25},
        "model": {"backbone": "slowfast_small", "weights": "none"},
        "clip": {"frames": 8, "rate": 1},
        "augment": {"short_side": [32, 36], "crop": 32, "test_short_side": 32},
        "train": {"epochs": 1, "batch_size": 2, "lr": 0.01},
        "baselines": {"tiny": {"U1": {"list": 1}}},
        "students": {"tiny": students},
    }
    (root / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return root


def draw_videos(root: Path, frames: int = 8) -> None:
    """Put real videos, drawn by label and seed, in place of the one-byte ones."""
    from conftest import draw  # which tests/stress does without

    for label, name in enumerate(CLASSES):
        for seed, clip in enumerate(CLIPS[name]):
            draw(root / "videos" / clip, seed=seed, label=label, frames=frames)


def configure(root: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change config.yaml in place."""
    file = root / "config.yaml"
    config = yaml.safe_load(file.read_text())
    change(config)
    file.write_text(yaml.safe_dump(config, sort_keys=False))


def snakemake(
    root: Path, *arguments: str, project: Path = PROJECT, cores: int = 2, stock: bool = False, fresh: bool = False
) -> subprocess.CompletedProcess:
    """The project's `snakemake` command in the folder ``root``, or stock Snakemake.

    ``fresh``: as a user starts it, where that matters, as to Python, which reads the locale then; else `forked`.
    """
    words = ["--snakefile", str(project / "Snakefile"), "--cores", str(cores), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SNAKEMAKE_")}
    if not (stock or fresh):
        return forked.run(words, root, environment, TIMEOUT)
    command = [sys.executable, "-m", "snakemake"] if stock else [str(Path(sys.executable).with_name("snakemake"))]
    return subprocess.run(
        [*command, *words], cwd=root, env=environment, capture_output=True, text=True, timeout=TIMEOUT
    )


def summary(root: Path) -> list[dict[str, str]]:
    """One row an output file of Table 5's plan, whether it will be made or not: output_file, rule, plan ..."""
    done = snakemake(root, "--summary", TABLE5)
    assert done.returncode == 0, done.stderr
    head, *lines = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    return [dict(zip(head, line, strict=True)) for line in lines]


def pending(root: Path) -> set[str]:
    """The jobs that Snakemake would run for Table 5, each as '<rule> <the folder or file that it makes>'."""
    return {_job(row) for row in summary(root) if row["plan"] == "update pending"}


def _job(row: dict[str, str]) -> str:
    output = Path(row["output_file"]).relative_to("results")
    shared = {"table": output.stem, "evaluate": output.parent}
    what = output.parent if row["rule"].startswith("train_") else shared.get(row["rule"], output)
    return f"{row['rule']} {what}".strip()


def pretend(root: Path, *arguments: str) -> None:
    """Have Table 5's pending jobs done: placeholders for what they write, parameters and inputs on record."""
    for row in summary(root):
        if row["plan"] == "update pending":
            file = root / row["output_file"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{row['output_file']} {time.time_ns()}")
    done = snakemake(root, "--touch", *arguments, TABLE5)
    assert done.returncode == 0, done.stderr
