"""Jobs of one computer share its GPUs out among themselves (there is none here: torch is told that there are three)."""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack

import pytest
import torch

from dtkd.common import gpus
from dtkd.common.device import choose
from dtkd.common.errors import DtkdError

JOB = """
import os, sys, time
from dtkd.common import gpus
gpus.claim(int(sys.argv[1]), 3)
print(os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
if len(sys.argv) > 2 and os.fork() == 0:
    sys.stdin.close()
    time.sleep(60)  # a loader process, which outlives it
sys.stdin.read()
"""


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Start a job that takes so many GPUs and holds them until it is ended; what it got, and the job."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with ExitStack() as jobs:

        def start(count, *more, **environment):
            process = jobs.enter_context(subprocess.Popen(
                [sys.executable, "-c", JOB, str(count), *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True, env=os.environ | {"TMPDIR": str(tmp_path)} | environment,
            ))  # fmt: skip
            return process.stdout.readline().strip(), process

        yield start


def test_every_job_takes_gpus_of_its_own(job):
    first, process = job(1)
    assert first == "0"
    assert job(1)[0] == "1"
    few, sharing = job(2)  # one is left: nothing is chosen, and none is held for it
    assert few == "warning: 2 of 3 GPUs wanted, 1 free: CUDA's first ones are shared"
    assert sharing.stdout.readline() == "None\n"
    process.kill()
    process.wait()
    assert job(2)[0] == "0,2"


def test_what_a_killed_job_leaves_behind_holds_none(job):
    """Loader processes are forked after the GPU was taken, and notice the end of their training after seconds."""
    taken, killed = job(2, "with a loader process")
    assert taken == "0,1"
    killed.kill()
    killed.wait()
    assert job(1)[0] == "0"


def test_a_process_takes_its_gpus_once(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(gpus, "_held", [])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6")
    gpus.claim(2, 7)
    gpus.claim(1, 7)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,5"
    gpus._let_go()


def test_of_the_gpus_that_are_visible(job):
    assert job(1, CUDA_VISIBLE_DEVICES="2,1")[0] == "2"
    assert job(1, CUDA_VISIBLE_DEVICES="2,1")[0] == "1"
    assert job(1, CUDA_VISIBLE_DEVICES="1")[0] == "1"  # no choice
    assert job(1)[0] == "0"


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without a GPU")
def test_without_a_gpu():
    assert choose("auto").type == choose("cpu").type == "cpu"
    with pytest.raises(DtkdError, match=r"torch \S+ \(for CUDA .*\) sees no CUDA device here"):
        choose("cuda")
