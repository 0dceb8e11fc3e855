"""A small study through profiles/slurm on a real SLURM: what its jobs hold, and what becomes of those that are killed.

As root: `make test-slurm`, or `pytest tests/slurm/on_slurm.py` (the name keeps it out of `pytest` without arguments).
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

PROJECT = Path(__file__).parents[2]
SETUP = Path(__file__).with_name("setup.sh")
NODE = socket.gethostname().partition(".")[0]
TABLE5 = "results/tables/table5.csv"
BASELINE = "results/small/list1/baseline/slowfast_small-seed0"
STUDENT = "results/small/list1/student/dtkd-S0.3-T2-A0.4-LT-FT-seed0"
TRAININGS = {"train_baseline", "frozen_features", "train_teacher", "teacher_logits", "train_student"}
EPOCHS = 80  # of the baseline that is killed over and over
STUDY = """
name: small
use: [small]
device: auto
datasets:
  small:
    format: hmdb51
    videos: raw
    annotations: raw/lists
    render: {vocabulary: demo_hmdb, groups: 4, clips_per_group: 1, width: 48, height: 48, frames: 12}
model: {backbone: slowfast_small, weights: none}
clip: {frames: 8, rate: 1}
augment: {short_side: [32, 36], crop: 32, test_short_side: 32}
train: {epochs: 1, batch_size: 8, lr: 0.05}
baselines: {small: {H1: {list: 1}}}
students: {small: {A: {S_alpha: 0.3, KD_T: 2, KD_alpha: 0.4, LT: true, FT: true}}}
"""
NETWORK = """\
from dtkd import models


def without_batch_norms(num_classes, dropout):
    from torch import nn

    features = nn.Conv3d(3, 16, 3, stride=2), nn.GroupNorm(4, 16), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten()
    return nn.Sequential(*features, nn.Dropout(dropout), nn.Linear(16, num_classes))


models.register("without_batch_norms", models.Network(without_batch_norms, models.Head("6", "6"), models.Input()))
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A folder with a SLURM of this machine alone, and with the shipped profile as its site would edit it."""
    folder = tmp_path_factory.mktemp("slurm")
    subprocess.run([SETUP, "start", folder], check=True, timeout=180)
    profile = (PROJECT / "profiles" / "slurm" / "config.yaml").read_text(encoding="utf-8")
    for shipped, edited in {
        "# slurm_partition: main": "slurm_partition: main",
        "# set-resources:": "set-resources:",
        "{slurm_partition: gpu, gpu_model: a100}": "{slurm_partition: accelerated}",
        "\n#   ": "\n  ",
        "# slurm-status-command: squeue": "slurm-status-command: squeue",
    }.items():
        assert shipped in profile
        profile = profile.replace(shipped, edited)
    write_profile(folder / "site", profile)
    yield folder
    subprocess.run(["scancel", "--user", "root"], check=True)
    subprocess.run([SETUP, "stop", folder], check=True, timeout=60)


def write_profile(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def finished(cluster):
    """The study's folder, with Table 5 made on the cluster."""
    root = cluster / "small"
    root.mkdir()
    (root / "config.yaml").write_text(STUDY, encoding="utf-8")
    finish(submit(root, cluster / "site", TABLE5), root)
    return root


def start(root: Path, *command) -> subprocess.Popen:
    """Start a Snakemake in the folder ``root``; what it says goes to said.txt there."""
    command = [sys.executable, *command, "--snakefile", PROJECT / "Snakefile"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SNAKEMAKE_", "SLURM_"))}
    environment["PYTHONPATH"] = f"{PROJECT}/workflow_scripts:{environment.get('PYTHONPATH', '')}"
    with open(root / "said.txt", "a") as said:
        return subprocess.Popen(command, cwd=root, env=environment, stdout=said, stderr=said, start_new_session=True,
                                preexec_fn=hear_interrupts)  # fmt: skip


def hear_interrupts() -> None:
    """Where this test runs in a shell's background, SIGINT is ignored, and its children would inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def submit(root: Path, profile: Path, target: str, *options: str) -> subprocess.Popen:
    impatient = Path(__file__).with_name("impatient.py")
    return start(root, impatient, target, "--workflow-profile", profile, "--slurm-keep-successful-logs", *options)


def finish(process: subprocess.Popen, root: Path, seconds: float = 1200) -> None:
    try:
        assert process.wait(seconds) == 0, (root / "said.txt").read_text()[-5000:]
    finally:
        process.kill()


def records(root: Path) -> list[dict[str, str]]:
    """The scheduler's own records of a folder's jobs, in the order of their submission, each with its `rule`."""
    command = ["scontrol", "--detail", "--oneliner", "show", "job"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    found = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in lines]
    found = [record for record in found if record.get("WorkDir") == str(root)]
    for record in found:
        record["rule"] = re.sub(r"^rule_|_wildcards_.*", "", record["Comment"])
    return sorted(found, key=lambda record: int(record["JobId"]))


def megabytes(size: str) -> float:
    return float(size[:-1]) * {"M": 1, "G": 1024}[size[-1]]


def until(what: str, condition, seconds: float = 300):
    """What ``condition`` returns, once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.5)
    pytest.fail(f"not within {seconds} s: {what}")


def test_training_jobs_hold_the_gpu_and_others_do_not(finished):
    jobs = records(finished)
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert Counter(job["rule"] for job in jobs) == {
        "render_render_small": 2, "prepare_index_pixel_statistics": 1, "flow_flow": 2, "split": 1,  # groups, rules
        "train_baseline": 1, "frozen_features": 1, "train_teacher": 2, "teacher_logits": 1, "train_student": 1,
    }  # fmt: skip
    for job in jobs:
        trains = job["rule"] in TRAININGS
        assert job["JOB_GRES"] == ("gpu:1" if trains else "(null)")
        assert job["Partition"] == ("accelerated" if trains else "main")
        if trains:
            assert (job["NumCPUs"], job["TimeLimit"]) == ("8", "1-00:00:00")
    spans = sorted((job["StartTime"], job["EndTime"]) for job in jobs if job["rule"] in TRAININGS)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans)), "there is one GPU"


def test_table_5_is_made_of_what_the_jobs_wrote(finished):
    table = pd.read_csv(finished / TABLE5)
    assert list(table["model"]) == ["H1", "A"]
    for top1, run in zip(table["top1"], (BASELINE, STUDENT), strict=True):
        predictions = pd.read_parquet(finished / run / "predictions.parquet")
        correct = np.stack(predictions["logits"]).argmax(1) == predictions["label"]
        assert top1 == pytest.approx(100 * correct.mean(), abs=0.01)


@pytest.fixture(scope="module")
def pair(cluster):
    """The profile with both nodes for trainings."""
    site = (cluster / "site" / "config.yaml").read_text(encoding="utf-8")
    return write_profile(cluster / "pair", site.replace("slurm_partition: accelerated", "slurm_partition: both"))


def without_baseline(finished: Path, name: str, config: str) -> Path:
    """A copy of the finished study whose baseline is to be trained as ``config`` says."""
    root = finished.with_name(name)
    shutil.copytree(finished, root, ignore=shutil.ignore_patterns("said.txt"))
    shutil.rmtree(root / BASELINE)
    (root / "config.yaml").write_text(config, encoding="utf-8")
    return root


def test_two_nodes_train_as_one(finished, pair):
    """`train: {nodes: 2}`: one job on both nodes, a process on each through srun, and one computer's result.

    The network has no batch norms: those would be each process's own.
    """
    (finished.parent / "network.py").write_text(NETWORK, encoding="utf-8")
    model = "{backbone: without_batch_norms, weights: none, dropout: 0}\nplugins: [../network.py]"
    config = STUDY.replace("device: auto", "device: cpu").replace("{backbone: slowfast_small, weights: none}", model)
    alone, together = (
        without_baseline(finished, name, config.replace("lr: 0.05", f"lr: 0.05{computing}"))
        for name, computing in (("alone", ""), ("together", ", nodes: 2"))
    )
    baseline = BASELINE.replace("slowfast_small", "without_batch_norms")
    target = f"{baseline}/predictions.parquet"
    workflow = submit(together, pair, target)
    finish(start(alone, "-m", "snakemake", target, "--cores", "1"), alone)
    finish(workflow, together)

    (job,) = records(together)
    assert (job["rule"], job["JobState"]) == ("train_baseline", "COMPLETED")
    assert (job["NumNodes"], job["JOB_GRES"]) == ("2", "(null)")
    recorded = json.loads((together / baseline / "run.json").read_text(encoding="utf-8"))
    assert recorded["computing"]["nodes"] == 2
    one, other = (np.stack(pd.read_parquet(root / target)["logits"]) for root in (alone, together))
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)
    assert np.abs(one).max() > 0.05


def test_gpus_of_two_nodes_are_asked_for_by_the_node(finished, pair):
    """The stand-ins are no CUDA devices, and `device: cuda` refuses: once the job was started with one on each node."""
    root = without_baseline(
        finished, "gpus", STUDY.replace("device: auto", "device: cuda").replace("lr: 0.05", "lr: 0.05, nodes: 2")
    )
    workflow = submit(root, pair, f"{BASELINE}/predictions.parquet", "--retries", "0")
    assert workflow.wait(300) == 1
    (job,) = records(root)
    assert (job["NumNodes"], job["TresPerNode"], job["JOB_GRES"]) == ("2", "gres:gpu:1", "gpu:2")
    (log,) = (root / "results/logs/baseline").glob("*.log")
    assert "sees no CUDA device here" in log.read_text(encoding="utf-8")


class Training:
    """The baseline of a copy of the study, with more epochs, as a job that something happens to."""

    def __init__(self, finished: Path, name: str):
        self.root = finished.with_name(name)
        shutil.copytree(finished, self.root, ignore=shutil.ignore_patterns("said.txt"))
        shutil.rmtree(self.root / BASELINE)
        config = STUDY.replace("epochs: 1", f"epochs: {EPOCHS}")
        (self.root / "config.yaml").write_text(config, encoding="utf-8")
        self.attempt, self.left_off = 0, 0

    def epochs(self) -> int:
        """How many epochs the file to resume from holds."""
        file = self.root / BASELINE / "resume.pt"
        return len(torch.load(file, weights_only=True)["history"]) if file.exists() else 0

    def job(self) -> dict[str, str]:
        """The scheduler's record of the attempt that the test is at; the workflow may be at the next one already."""
        return records(self.root)[self.attempt - 1]

    def output(self) -> str:
        """What the attempt has printed; a job that waits has no such file yet."""
        file = Path(self.job()["StdOut"])
        return file.read_text() if file.exists() else ""

    def submitted(self) -> None:
        """Go on to the next attempt."""
        self.attempt += 1
        until(f"attempt {self.attempt} is submitted", lambda: len(records(self.root)) >= self.attempt)

    def under_way(self) -> None:
        """Go on to the next attempt, and wait until it has two epochs more than the one before."""
        self.submitted()
        if self.left_off:
            self.went_on()
        until("two epochs are done", lambda: self.epochs() >= self.left_off + 2)
        self.left_off = self.epochs()
        assert self.job()["JobState"] == "RUNNING"

    def stall(self) -> None:
        """Stop the training's process, so that it does not get done within its minute on any machine."""
        for pid in self.pids():
            with suppress(FileNotFoundError, ProcessLookupError):
                if b"train.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGSTOP)

    def keepers(self) -> list[int]:
        """The scheduler's own processes that watch over the job: they would report its processes' end."""
        title, found = f"slurmstepd: [{self.job()['JobId']}.".encode(), []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(FileNotFoundError, ProcessLookupError):
                if file.read_bytes().startswith(title):
                    found.append(int(file.parent.name))
        return found

    def pids(self) -> list[int]:
        command = ["scontrol", "listpids", self.job()["JobId"]]  # fails for a job that does not run
        listed = subprocess.run(command, capture_output=True, text=True).stdout
        return [int(line.split()[0]) for line in listed.splitlines()[1:]]

    def ended(self, state: str) -> None:
        """The attempt came to that end and left whole files."""
        until(state, lambda: self.job()["JobState"] == state)
        assert {file.name for file in (self.root / BASELINE).glob("[!.]*")} == {"resume.pt"}
        for file in self.root.glob("results/**/[!.]*.parquet"):
            pd.read_parquet(file)
        for file in self.root.glob("results/**/[!.]*.json"):
            json.loads(file.read_text(encoding="utf-8"))

    def went_on(self) -> None:
        """The attempt began where the one before it left off: no epoch that was seen done is done again."""
        said = rf"goes on after epoch (\d+) of {EPOCHS}"
        after = until(said, lambda: re.findall(said, self.output()))
        assert int(after[-1]) >= self.left_off
        self.left_off = int(after[-1])


def test_a_killed_training_goes_on_from_its_last_epoch(cluster, finished):
    """Cancelled with its workflow, past its time limit, cancelled alone, on a node that dies: in the end all is as if
    nothing had happened."""
    undisturbed, killed = Training(finished, "undisturbed"), Training(finished, "killed")
    target = f"{BASELINE}/predictions.parquet"
    as_there = ("--cores", "8", "--set-threads", "train_baseline=8")  # more threads, and sums are rounded otherwise
    alone = start(undisturbed.root, "-m", "snakemake", target, *as_there)
    site = (cluster / "site" / "config.yaml").read_text(encoding="utf-8")
    baselines = "train_baseline: *training"
    assert baselines in site
    minute = "train_baseline: {slurm_partition: accelerated, runtime: 1 if attempt == 1 else 60 * attempt}"
    profile = write_profile(cluster / "minute", site.replace(baselines, minute))

    workflow = submit(killed.root, cluster / "site", target)
    killed.under_way()
    workflow.send_signal(signal.SIGINT)
    assert workflow.wait(60) != 0
    killed.ended("CANCELLED")

    workflow = submit(killed.root, profile, target)
    killed.submitted()
    until("attempt 2 is past its minute", lambda: killed.stall() or killed.job()["JobState"] == "TIMEOUT")
    killed.ended("TIMEOUT")

    killed.under_way()
    subprocess.run(["scancel", killed.job()["JobId"]], check=True)
    killed.ended("CANCELLED")

    killed.under_way()
    processes = killed.pids()
    assert processes
    for pid in [int((cluster / f"{NODE}.pid").read_text()), *killed.keepers(), *processes]:
        with suppress(ProcessLookupError):  # gone with one before it
            os.kill(pid, signal.SIGKILL)
    subprocess.run(["scontrol", "update", f"nodename={NODE}", "state=down", "reason=test"], check=True)
    killed.ended("PENDING")
    subprocess.run(["scontrol", "update", f"nodename={NODE}", "state=resume"], check=True)
    subprocess.run([SETUP, "node", cluster], check=True)
    # SLURM would start the job again in two minutes: orders to end the first start are not to meet the second.
    time.sleep(8)
    subprocess.run(["scontrol", "update", f"jobid={killed.job()['JobId']}", "starttime=now"], check=True)

    finish(workflow, killed.root)
    finish(alone, undisturbed.root)
    killed.went_on()
    assert [job["JobState"] for job in records(killed.root)] == ["CANCELLED", "TIMEOUT", "CANCELLED", "COMPLETED"]
    assert [job["TimeLimit"] for job in records(killed.root)[1:]] == ["00:01:00", "02:00:00", "03:00:00"]
    assert [megabytes(job["MinMemoryNode"]) for job in records(killed.root)[1:]] == [32_000, 64_000, 96_000]
    assert killed.job()["Restarts"] == "1", "the scheduler itself starts a dead node's jobs again"
    one, other = (pd.read_parquet(training.root / target) for training in (undisturbed, killed))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    one, other = (pd.read_parquet(training.root / BASELINE / "history.parquet") for training in (undisturbed, killed))
    pd.testing.assert_frame_equal(*(table.filter(regex="^(?!.*seconds)") for table in (one, other)), check_exact=True)
    assert len(other) == EPOCHS
