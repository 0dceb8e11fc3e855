"""Kill a running study with SIGKILL, again and again, and hold what it gives in the end against an undisturbed run.

    python tests/stress/kill.py --kills 50 --seed 0

A small study is started with the project's `snakemake` command. At random moments a random victim is killed: Snakemake
alone, its whole process group, a training or a flow job. After every kill each file below `results/` has to be whole.
Whenever Snakemake has ended, the same command starts it again, without any cleaning up in between, until the study is
complete: then its tables have to be the undisturbed run's byte for byte, and so have its predictions, splits and
flow; the weights of its checkpoints and the losses of its histories have to be equal bit for bit. Then the study is
removed and the next begins, until all kills are done.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import small
import tiny

VICTIMS = {"snakemake": None, "process group": None, "training": b".train.py", "flow": b".flow.py"}
SAME_BYTES = ("*/table5.*", "**/predictions.parquet", "**/split.json", "**/flow/*.parquet", "**/*.logits.pt")
CLOCKS = ["train_seconds", "wait_seconds", "test_seconds"]


def start(root: Path) -> subprocess.Popen:
    """The project's `snakemake`, as a user would type it, in a process group of its own."""
    command = [Path(sys.executable).with_name("snakemake"), "--snakefile", tiny.PROJECT / "Snakefile", "--cores", "2"]
    with (root / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [*command, "--resources", "gpu=1", tiny.TABLE5],
            cwd=root, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def children(pid: int, script: bytes) -> list[int]:
    """The processes below ``pid`` that run a script of this name."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == pid and script in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def kill(snakemake: subprocess.Popen, victim: str, chance: random.Random) -> bool:
    """Kill a victim of this kind, a job after some time of its own; False if Snakemake has ended before."""
    script = VICTIMS[victim]
    while script and not children(snakemake.pid, script):
        if snakemake.poll() is not None:
            return False
        time.sleep(0.05)
    if script:  # of a training's seconds most are the start; some pass before there is anything to lose
        time.sleep(chance.uniform(0, 6 if victim == "training" else 1.5))
    targets = children(snakemake.pid, script) if script else [snakemake.pid]
    if snakemake.poll() is not None or not targets:
        return False
    if victim == "process group":
        os.killpg(snakemake.pid, signal.SIGKILL)
    else:
        os.kill(chance.choice(targets), signal.SIGKILL)
    if not script:
        snakemake.wait()
    return True


def broken(root: Path) -> list[str]:
    """The files below ``root`` that are not whole; temporary ones (``.*.partial.*``) do not count."""
    import cv2
    import pyarrow.parquet as pq

    def read_video(path: Path) -> None:
        video = cv2.VideoCapture(str(path))
        if sum(iter(lambda: video.read()[0], False)) != 12:
            raise ValueError("frames are missing")

    def read_text(path: Path) -> None:
        if not path.read_text(encoding="utf-8").endswith("\n"):
            raise ValueError("the end is missing")

    readers = {
        ".parquet": pq.read_table, ".avi": read_video, ".csv": read_text, ".md": read_text, ".tex": read_text,
        ".pt": lambda path: torch.load(path, weights_only=True), ".json": lambda path: json.loads(path.read_text()),
    }  # fmt: skip
    bad = []
    for path in sorted(root.rglob("*")):
        if path.suffix in readers and not temporary(path):
            try:
                readers[path.suffix](path)
            except Exception as error:  # whatever a reader of half a file may raise
                if path.exists():  # else it was Snakemake's to remove meanwhile
                    bad.append(f"{path.relative_to(root)}: {error}")
    return bad


def temporary(path: Path) -> bool:
    return path.name.startswith(".") and ".partial" in path.name


def differences(root: Path, undisturbed: Path) -> list[str]:
    """What of the finished study in ``root`` is not as in ``undisturbed``."""
    different = []
    for pattern in SAME_BYTES:
        for path in undisturbed.glob(f"results/{pattern}"):
            name = path.relative_to(undisturbed)
            if not (root / name).exists() or (root / name).read_bytes() != path.read_bytes():
                different.append(str(name))
    for path in undisturbed.rglob("checkpoint.pt"):
        name = path.relative_to(undisturbed)
        one, two = (torch.load(folder / name, weights_only=True) for folder in (undisturbed, root))
        for part in ("model", "last"):
            if any(not torch.equal(one[part][key], two[part][key]) for key in one[part]):
                different.append(f"{name}: {part}")
    for path in undisturbed.rglob("history.parquet"):
        name = path.relative_to(undisturbed)
        one, two = (pd.read_parquet(folder / name).drop(columns=CLOCKS) for folder in (undisturbed, root))
        if not one.equals(two):
            different.append(str(name))
    left = [str(path.relative_to(root)) for path in (root / "results").rglob("*") if temporary(path)]
    return different + left + [str(path.relative_to(root)) for path in root.rglob("resume.pt")]


def finish(root: Path) -> None:
    if start(root).wait() != 0:
        raise SystemExit(f"the undisturbed run failed:\n{(root / 'log.txt').read_text()[-3000:]}")


def disturb(
    root: Path, undisturbed: Path, kills: int, seed: int, victims: tuple[str, ...] = tuple(VICTIMS), patience: float = 9
) -> tuple[collections.Counter, int]:
    """Run the study of ``undisturbed`` in ``root`` and kill it so often; gives the kills by victim and the studies run.

    ``patience``: at most so many seconds between two kills. Raises AssertionError for a file that is not whole and for
    a finished study that is not as the undisturbed one.
    """
    chance, done, studies = random.Random(seed), collections.Counter(), 0
    while done.total() < kills or studies == 0:
        shutil.copy(undisturbed / "config.yaml", root / "config.yaml")
        failures = 0
        while True:
            snakemake = start(root)
            killed = False
            while snakemake.poll() is None and done.total() < kills:
                time.sleep(chance.uniform(0.5, patience))
                victim = chance.choice(victims)
                if snakemake.poll() is None and kill(snakemake, victim, chance):
                    killed = True
                    done[victim] += 1
                    assert not (bad := broken(root)), f"after {done.total()} kills (the last: {victim}): {bad}"
                    print(f"{done.total():4d} {victim}", flush=True)
            if snakemake.wait() == 0:
                break
            failures = 0 if killed else failures + 1
            assert failures < 2, f"fails undisturbed:\n{(root / 'log.txt').read_text()[-3000:]}"
        studies += 1
        assert not (bad := broken(root)), bad
        assert not (found := differences(root, undisturbed)), f"not as undisturbed: {found}"
        for folder in ("results", "raw", ".snakemake"):
            shutil.rmtree(root / folder)
    return done, studies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        undisturbed = small.write(Path(folder) / "undisturbed", "AB", epochs=4, lr=0.02)
        finish(undisturbed)
        print(f"undisturbed: {time.monotonic() - began:.0f} s", flush=True)
        root = Path(folder) / "disturbed"
        root.mkdir()
        done, studies = disturb(root, undisturbed, arguments.kills, arguments.seed)
        resumed = (root / "log.txt").read_text().count("goes on after epoch")
    each = ", ".join(f"{count} {victim}" for victim, count in done.items())
    print(f"{done.total()} kills ({each}) over {studies} studies in {time.monotonic() - began:.0f} s")
    print(f"{resumed} trainings went on after a finished epoch; no file was ever cut; all ended as the undisturbed one")


if __name__ == "__main__":
    main()
