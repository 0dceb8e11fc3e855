"""Jobs of one computer share its GPUs out among themselves (there is none here: torch is told that there are three)."""

import os
import subprocess
import sys
from contextlib import ExitStack

import pytest
import torch

from dtkd import gpus
from dtkd.errors import DtkdError

JOB = """
import os, sys, torch
from dtkd import gpus
torch.cuda.device_count = lambda: 3
gpus.claim(int(sys.argv[1]))
print(os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Start a job that takes so many GPUs and holds them until it is ended; what it got, and the job."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with ExitStack() as jobs:

        def start(count, **environment):
            process = jobs.enter_context(subprocess.Popen(
                [sys.executable, "-c", JOB, str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env=os.environ | {"TMPDIR": str(tmp_path)} | environment,
            ))  # fmt: skip
            return process.stdout.readline().strip(), process

        yield start


def test_every_job_takes_gpus_of_its_own(job):
    first, process = job(1)
    assert first == "0"
    assert job(1)[0] == "1"
    assert job(2)[0] == "None"  # one is left: nothing is chosen, and none is held for it
    process.kill()
    process.wait()
    assert job(2)[0] == "0,2"


def test_of_the_gpus_that_are_visible(job):
    assert job(1, CUDA_VISIBLE_DEVICES="2,1")[0] == "2"
    assert job(1, CUDA_VISIBLE_DEVICES="2,1")[0] == "1"
    assert job(1, CUDA_VISIBLE_DEVICES="1")[0] == "1"  # no choice
    assert job(1)[0] == "0"


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without a GPU")
def test_without_a_gpu():
    assert gpus.choose("auto").type == gpus.choose("cpu").type == "cpu"
    with pytest.raises(DtkdError, match=r"torch \S+ \(for CUDA .*\) sees no CUDA device here"):
        gpus.choose("cuda")
