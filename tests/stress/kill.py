"""Kill a running study with SIGKILL, again and again, and hold what it gives in the end against an undisturbed run.

    python tests/stress/kill.py --kills 50 --seed 0

A small study is started with the project's `snakemake` command. At random moments a random victim is killed: Snakemake
alone, its whole process group, Snakemake while jobs are at work, a flow job, a training, or a training that has
finished an epoch. After every kill each file below `results/` has to be whole. Whenever Snakemake has ended, the same
command starts it again, without any cleaning up in between, until the study is complete: then its tables have to be the
undisturbed run's byte for byte, and so have its predictions, splits and flow; the weights of its checkpoints and the
losses of its histories have to be equal bit for bit. Then the study is removed and the next begins, until all kills are
done.
"""

from __future__ import annotations

import argparse
import collections
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import small
import tiny

VICTIMS = {  # what is killed -> the script of a job that has to be at work; None: at any moment
    "snakemake": None,
    "process group": None,
    "snakemake at work": b".snakemake/scripts",
    "flow": b".flow.py",
    "training": b".train.py",
    "training after an epoch": b".train.py",
}
WHOLE = ("snakemake", "process group", "snakemake at work")
SAME_BYTES = (
    "tables/*.csv",
    "tables/*.md",
    "tables/*.tex",
    "**/predictions.parquet",
    "**/split.json",
    "**/flow/*.parquet",
    "**/targets/*.pt",
)
CLOCKS = ["train_seconds", "wait_seconds", "test_seconds"]


def start(root: Path, *targets: str) -> subprocess.Popen:
    """The project's `snakemake`, as a user would type it, in a process group of its own; Table 5 unless told."""
    command = [Path(sys.executable).with_name("snakemake"), "--snakefile", tiny.PROJECT / "Snakefile", "--cores", "2"]
    with (root / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [*command, "--resources", "gpu=1", *(targets or [tiny.TABLE5])],
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


def started(pid: int) -> float:
    """When a process was started, as a file's time; infinite where it has ended."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    except OSError:
        return math.inf
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")


def living(snakemake: subprocess.Popen, root: Path, victim: str) -> list[int]:
    """The processes that are such a victim now."""
    jobs = children(snakemake.pid, VICTIMS[victim]) if VICTIMS[victim] else []
    if victim == "training after an epoch":  # one that was there already when a state was last saved
        saved = max((path.stat().st_mtime for path in root.glob("results/*/list*/*/*/resume.pt")), default=0)
        jobs = [job for job in jobs if started(job) < saved]
    if victim in WHOLE:
        return [snakemake.pid] if jobs or not VICTIMS[victim] else []
    return jobs


def kill(snakemake: subprocess.Popen, root: Path, victim: str, chance: random.Random) -> bool:
    """Kill a victim of this kind; False if there is none any more."""
    if VICTIMS[victim]:
        time.sleep(chance.uniform(0, 2 if "training" in victim else 0.5))  # a script takes a second to begin its work
    found = living(snakemake, root, victim)
    if snakemake.poll() is not None or not found:
        return False
    try:
        if victim == "process group":
            os.killpg(snakemake.pid, signal.SIGKILL)
        else:
            os.kill(chance.choice(found), signal.SIGKILL)
    except ProcessLookupError:  # it has ended this very moment
        return False
    if victim in WHOLE:
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


def finish(root: Path, *targets: str) -> float:
    """The undisturbed run; gives its seconds."""
    began = time.monotonic()
    if start(root, *targets).wait() != 0:
        raise SystemExit(f"the undisturbed run failed:\n{(root / 'log.txt').read_text()[-3000:]}")
    return time.monotonic() - began


def disturb(
    root: Path, undisturbed: Path, victims: Iterable[str], seed: int, patience: float, targets: Iterable[str] = ()
) -> int:
    """Run the study of ``undisturbed`` in ``root`` until all ``victims`` are killed; gives the number of studies run.

    Between two kills up to ``patience`` seconds pass, or more until there is a victim.

    Raises AssertionError for a file that is not whole and for a finished study that is not as the undisturbed one.
    """
    chance, waiting, studies, kills = random.Random(seed), list(victims), 0, 0
    while waiting or not studies:
        shutil.copy(undisturbed / "config.yaml", root / "config.yaml")
        disturbed = True
        while disturbed:
            snakemake, disturbed = start(root, *targets), False
            while waiting and snakemake.poll() is None:
                time.sleep(chance.uniform(0, patience))
                victim = waiting[0]
                if VICTIMS[victim]:  # or the first for which the moment has come
                    victim = next((one for one in waiting if VICTIMS[one] and living(snakemake, root, one)), None)
                if victim and kill(snakemake, root, victim, chance):
                    waiting.remove(victim)
                    kills, disturbed = kills + 1, True
                    print(f"{kills:4d} {victim}", flush=True)
                    assert not (bad := broken(root)), f"after {kills} kills: {bad}"
            if snakemake.wait() == 0:
                break
            assert disturbed, f"fails though nothing was killed:\n{(root / 'log.txt').read_text()[-3000:]}"
        studies += 1
        assert not (bad := broken(root)), bad
        assert not (found := differences(root, undisturbed)), f"not as undisturbed: {found}"
        for folder in ("results", "raw", ".snakemake"):
            shutil.rmtree(root / folder)
    return studies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patience", type=float, help="most seconds between two kills (default: a study's eighth)")
    parser.add_argument("--undisturbed", type=Path, help="folder of the undisturbed run; made, if it is not there")
    arguments = parser.parse_args()
    victims = random.Random(arguments.seed).choices(list(VICTIMS), k=arguments.kills)
    with tempfile.TemporaryDirectory() as folder:
        undisturbed, patience = arguments.undisturbed or Path(folder) / "undisturbed", arguments.patience
        if not undisturbed.exists():
            seconds = finish(small.write(undisturbed, "AB", epochs=4, lr=0.02))
            patience = patience or seconds / 8
            print(f"undisturbed: {seconds:.0f} s", flush=True)
        began = time.monotonic()
        root = Path(folder) / "disturbed"
        root.mkdir()
        studies = disturb(root, undisturbed, victims, arguments.seed, patience or 5)
        resumed = (root / "log.txt").read_text().count("goes on after epoch")
    each = ", ".join(f"{count} {victim}" for victim, count in sorted(collections.Counter(victims).items()))
    print(f"{len(victims)} kills ({each}) over {studies} studies in {time.monotonic() - began:.0f} s")
    print(f"{resumed} trainings went on after a finished epoch; no file was ever cut; all ended as the undisturbed one")


if __name__ == "__main__":
    main()
