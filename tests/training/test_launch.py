"""A training of two processes, as its rule starts it: the same result as one process, and one message if one fails."""

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from dtkd.common.errors import DtkdError
from dtkd.common.files import write_json
from dtkd.config import Augment, Clip, Train
from dtkd.data.datasets import Videos
from dtkd.training import evaluation, launch, networks, trainer
from dtkd.training.hardware import Hardware
from dtkd.training.sampling import EpochBatches
from dtkd.training.targets import Targets
from dtkd.training.trainer import Plan

CLASSES = [f"class{label}" for label in range(4)]
SETTINGS = {
    "backbone": "slowfast_tiny", "weights": "none", "dropout": 0.0, "frozen": True, "seed": 0,
    "clip": Clip(frames=8, rate=1).model_dump(),
    "augment": Augment(short_side=(32, 36), crop=32, test_short_side=32).model_dump(mode="json"),
    "train": Train(epochs=2, batch_size=5, lr=0.05).learning(),
}  # fmt: skip
STUDENT = {"method": "dtkd", "LT": True, "FT": True, "S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4}
ONE = {"devices": 1, "nodes": 1}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """The environment that a launch prepares for its processes is taken back."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    yield
    torch.set_num_threads(1)


@pytest.fixture
def study(toy, tmp_path):
    """The files that a run reads: an index of 11 training videos, pixel statistics, a split."""
    frames = []
    for side, videos in zip(("train", "test"), toy, strict=True):
        frames.append(pd.DataFrame({
            "video": videos.names, "class": [CLASSES[label] for label in videos.labels],
            "path": [str(path) for path in videos.paths], "label": videos.labels, "list1": side,
        }))  # fmt: skip
    index = pd.concat(frames, ignore_index=True).drop(3)
    index.to_parquet(tmp_path / "videos.parquet")
    write_json(tmp_path / "pixels.json", {"mean": [0.45] * 3, "std": [0.2] * 3})
    subsets = {name: {"subset": "static" if label % 2 else "dynamic"} for label, name in enumerate(CLASSES)}
    write_json(tmp_path / "split.json", {"classes": subsets})
    return tmp_path


def plan(study, name, computing, **changes):
    """A baseline, with ``student`` settings a student with its teachers' targets."""
    settings = SETTINGS | changes
    files = {"index": "videos.parquet", "pixels": "pixels.json"}
    if "student" in settings:
        videos = Videos.of(pd.read_parquet(study / "videos.parquet"), "/", "list1", "train")
        logits = 2 * torch.randn(2, 2, len(videos), 4, generator=torch.Generator().manual_seed(0))
        Targets(("static", "dynamic"), logits).save(study / "targets.pt", videos)
        files |= {"split": "split.json", "targets": "targets.pt"}
    return Plan(
        settings=settings, computing=computing, root="/", column="list1", device="cpu", threads=2, cache_mb=16,
        sha256=None, inputs={key: str(study / file) for key, file in files.items()},
        outputs={key: str(study / name / file) for key, file in {
            "checkpoint": "checkpoint.pt", "history": "history.parquet", "predictions": "predictions.parquet",
            "record": "run.json"}.items()},
    )  # fmt: skip


def result(plan):
    assert {path.name for path in Path(plan.outputs["checkpoint"]).parent.iterdir()} == {
        "checkpoint.pt", "history.parquet", "predictions.parquet", "run.json"
    }  # fmt: skip
    return torch.load(plan.outputs["checkpoint"]), pd.read_parquet(plan.outputs["history"])


def assert_equal(one, two):
    (a, history_a), (b, history_b) = map(result, (one, two))
    assert a["epoch"] == b["epoch"]
    for name, value in a["last"].items():
        torch.testing.assert_close(value, b["last"][name], rtol=0, atol=1e-6, msg=name)
    seconds = [name for name in history_a if name.endswith("seconds")]
    pd.testing.assert_frame_equal(history_a.drop(columns=seconds), history_b.drop(columns=seconds), rtol=1e-5)
    start = networks.new_model(a["settings"], 4, None).state_dict()
    assert not torch.equal(a["last"]["blocks.6.proj.weight"], start["blocks.6.proj.weight"])


def test_two_processes_go_on_where_one_was_interrupted(study, monkeypatch):
    alone, together = plan(study, "alone", ONE), plan(study, "together", {"devices": 2, "nodes": 1})
    launch.start(alone)
    predict, calls = evaluation.predict, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return predict(*args)

    monkeypatch.setattr(evaluation, "predict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trainer.run(together, Hardware(torch.device("cpu"), 1))
    launch.start(together)
    assert_equal(alone, together)


def test_two_nodes_of_a_slurm_job(study, tmp_path, monkeypatch):
    """A stand-in for srun starts its tasks here, with SLURM's variables."""
    alone, together = (plan(study, name, computing, student=STUDENT)
                       for name, computing in (("alone", ONE), ("together", {"devices": 1, "nodes": 2})))  # fmt: skip
    with pytest.raises(DtkdError, match=r"train\.nodes: 2, but this is no job of SLURM's"):
        launch.start(together)
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "squeue").write_text('#!/bin/sh\n[ "$2" = --jobs=7 ] && echo "node[1-2]"\n')
    (commands / "scontrol").write_text('#!/bin/sh\n[ "$3" = "node[1-2]" ] && echo localhost\n')
    (commands / "srun").write_text(f"""#!/bin/sh
echo "$@" > {tmp_path}/srun
while [ "$1" != {sys.executable} ]; do shift; done
for task in 0 1; do SLURM_PROCID=$task SLURM_LOCALID=0 SLURM_NTASKS=2 "$@" & done
wait
""")
    for command in commands.iterdir():
        command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("DTKD_SNAKEMAKE", "999999999")  # where the other node is, nobody has that number
    monkeypatch.setenv("SLURM_NNODES", "1")  # of the step that the training was started in
    monkeypatch.delenv("RANK", raising=False)
    handler = signal.getsignal(signal.SIGTERM)
    launch.start(together)
    assert signal.getsignal(signal.SIGTERM) == handler
    launch.start(alone)
    assert_equal(alone, together)
    options = set((tmp_path / "srun").read_text().split())
    assert {"--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--cpus-per-task=2", "--kill-on-bad-exit=1"} < options


def test_what_one_process_says_is_the_only_message(study, capfd):
    """The video is the second process's; the first one waits for it."""
    index = pd.read_parquet(study / "videos.parquet")
    given = plan(study, "run", {"devices": 2, "nodes": 1})
    (study / "broken.avi").write_bytes(b"no video")
    train = index["list1"] == "train"
    index.loc[train, "path"] = str(study / "broken.avi")
    good = index.index[train][EpochBatches(0, int(train.sum()), 1, 5).__iter__().__next__()[0][1]]
    index.loc[good, "path"] = pd.read_parquet(study / "videos.parquet").loc[good, "path"]
    index.to_parquet(study / "videos.parquet")
    with pytest.raises(DtkdError, match=r"broken\.avi") as said:
        launch.start(replace(given, settings=SETTINGS | {"train": SETTINGS["train"] | {"batch_size": 2}}))
    assert "\n" not in str(said.value)
    assert "Traceback" not in capfd.readouterr().err
    assert not list(Path(given.outputs["checkpoint"]).parent.iterdir())


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("os.kill(os.getpid(), 9)", "was ended by SIGKILL, most likely for lack of memory: set train.micro_batch to"),
        ("sys.exit(3)", "ended with exit status 3; what it printed above says why"),
        ("sys.exit(255)", "ended with exit status 255; what it printed above says why"),
    ],
)
def test_a_process_that_ends_early_ends_the_others(end, said):
    started = time.monotonic()
    code = f"import os, sys, time; time.sleep(60) if os.environ['RANK'] == '0' else {end}"
    assert launch._here([sys.executable, "-c", code], 2).startswith(f"process 1 of the training {said}")
    assert time.monotonic() - started < 50


def test_a_killed_process_is_told_of_in_one_line(study, monkeypatch):
    given = plan(study, "run", {"devices": 2, "nodes": 1})
    monkeypatch.setattr(launch, "_here", lambda *_: "process 1 of the training was ended by SIGKILL")
    with pytest.raises(DtkdError, match=r"run: process 1 of .* SIGKILL\. The next run goes on after"):
        launch.start(given)
    assert not list(Path(given.outputs["checkpoint"]).parent.iterdir())


def test_more_devices_than_there_are(study, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    given = replace(plan(study, "run", {"devices": 2, "nodes": 1}), device="cuda")
    with pytest.raises(DtkdError, match=r"train\.devices: 2, but torch sees 1 CUDA devices here"):
        launch.start(given)
