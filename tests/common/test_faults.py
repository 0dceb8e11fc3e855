"""What memory and loader processes say when they fail, in one line that says what to do."""

import os
import resource
import signal

import numpy as np
import pytest
import torch

from dtkd.common.errors import UnwritableError
from dtkd.common.faults import explained
from dtkd.data import synthetic

SETTINGS = {
    "train": {"batch_size": 8, "precision": "auto"}, "clip": {"frames": 64, "rate": 2}, "augment": {"crop": 256},
}  # fmt: skip
BATCH = "(train.batch_size: 8, clip.frames: 64, augment.crop: 256, train.precision: auto)"
TOO_MUCH = 10**15


def caught(function, kind=Exception):
    with pytest.raises(kind) as error:
        function()
    return error.value


def test_too_little_memory_for_a_batch():
    """The machine's own words, asked for what it cannot have."""
    line = str(explained(caught(lambda: torch.empty(TOO_MUCH)), SETTINGS))
    assert line == (
        f"not enough memory for {4 * TOO_MUCH} bytes more {BATCH}: set train.micro_batch to a part of the batch, or "
        "lower train.batch_size, clip.frames or augment.crop"
    )


def test_too_little_memory_on_a_gpu():
    words = (
        "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 23.64 GiB of which 1.02 GiB is "
        "free.\nIf reserved but unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF"
    )
    line = str(explained(torch.OutOfMemoryError(words), SETTINGS))
    assert line.startswith(f"not enough memory on the GPU for 2.50 GiB more {BATCH}: set train.micro_batch")
    assert "\n" not in line
    for words in ("cuDNN error: CUDNN_STATUS_ALLOC_FAILED", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"):
        assert str(explained(RuntimeError(words), SETTINGS)).startswith(f"not enough memory on the GPU {BATCH}: ")


def test_too_little_memory_for_other_jobs():
    line = str(explained(caught(lambda: np.empty(TOO_MUCH), MemoryError), {"frames_per_video": 4}))
    assert line == "not enough memory for 7.11 PiB more: run fewer jobs at a time (--cores), or free memory"
    assert str(explained(MemoryError())) == "not enough memory: run fewer jobs at a time (--cores), or free memory"


class Killed(torch.utils.data.Dataset):
    """Its process is killed, as by a system that is out of memory."""

    def __len__(self):
        return 2

    def __getitem__(self, position):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_loader_process():
    loader = torch.utils.data.DataLoader(Killed(), num_workers=1)
    error = caught(lambda: list(loader), RuntimeError)
    assert "is killed by signal" in str(error) or "exited unexpectedly" in str(error)
    line = str(explained(error, SETTINGS))
    assert line.startswith("loader process ")
    assert f"was killed, most likely for lack of memory {BATCH}: give the job fewer threads" in line
    assert "--shm-size" in line
    assert "\n" not in line


@pytest.mark.parametrize("error", [ValueError("no"), RuntimeError("shape mismatch"), FileNotFoundError(2, "no", "a")])
def test_an_error_of_the_programs_is_not_the_machines(error):
    assert explained(error, SETTINGS) is None


def test_a_rendered_video_that_does_not_fit_is_not_kept(tmp_path):
    """OpenCV's writer says nothing. A limit on a file's size stands in for a full disk."""
    render = synthetic.Render("demo_hmdb", groups=4, clips_per_group=1, width=48, height=48, frames=40)
    name = synthetic.class_names("demo_hmdb")[0]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    try:
        with pytest.raises(UnwritableError, match=r"\.avi cannot be written .\d+ of 40 frames are in it.: free space"):
            synthetic.render_class(render, name, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(synthetic.render_class(render, name, tmp_path)) == 4
