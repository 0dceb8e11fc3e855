"""Files that appear whole or not at all, and jobs that end with one clear line."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

import dtkd
from dtkd.common import files
from dtkd.common.errors import DtkdError, UnwritableError
from dtkd.common.files import atomic, write_json
from dtkd.common.workflow_job import job
from dtkd.models.weights import save_tensors


def test_atomic_writes_into_new_folders_and_replaces(tmp_path):
    path = tmp_path / "a" / "b" / "table.tar.gz"
    for text in ("old", "new"):
        with atomic(path) as temporary:
            assert temporary.parent == path.parent
            assert temporary.suffix == path.suffix
            temporary.write_text(text)
            assert not path.exists() if text == "old" else path.read_text() == "old"
        assert path.read_text() == text
    assert os.listdir(path.parent) == ["table.tar.gz"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("existed", [True, False])
def test_atomic_keeps_the_old_content_when_the_block_raises(tmp_path, error, existed):
    path = tmp_path / "a.json"
    if existed:
        path.write_text("old")

    def half():
        with atomic(path) as temporary:
            temporary.write_text("ha")
            raise error

    with pytest.raises(error):
        half()
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == ({"a.json": "old"} if existed else {})


def test_atomic_says_when_nothing_was_written(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), atomic(path):
        pass
    assert path.read_text() == "old"


def test_write_json_round_trips_and_survives_a_bad_value(tmp_path):
    path = tmp_path / "a.json"
    value = {"name": "Größe", "numbers": [1, 2.5, None, True]}
    write_json(path, value)
    assert json.loads(path.read_text(encoding="utf-8")) == value
    assert "Größe" in path.read_text(encoding="utf-8")
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text(encoding="utf-8")) == value
    assert os.listdir(tmp_path) == ["a.json"]


# Disks that refuse


@pytest.mark.parametrize("name", ["a.pt", "a.parquet", "a.json"])
def test_a_file_that_does_not_fit_leaves_the_old_one(tmp_path, name):
    """A limit on a file's size stands in for a full disk, which only root can mount."""
    values = np.random.default_rng(0).random(100_000)
    writers = {
        "a.pt": lambda path: save_tensors(path, {"values": torch.from_numpy(values)}),
        "a.parquet": lambda path: pd.DataFrame({"values": values}).to_parquet(path),
        "a.json": lambda path: write_json(path, values.tolist()),
    }
    path = tmp_path / name
    path.write_bytes(b"old")

    def write():
        if name == "a.parquet":
            with atomic(path) as temporary:
                writers[name](temporary)
        else:
            writers[name](path)

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(UnwritableError) as said:
            write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(said.value) == (
        f"{path} cannot be written (File too large): raise the limit on a file's size (ulimit -f), and run the same "
        "command again"
    )
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {name: b"old"}
    write()
    assert path.stat().st_size > 100_000


@pytest.mark.parametrize(("number", "remedy"), [
    (errno.ENOSPC, "free space on that disk"), (errno.EDQUOT, "your quota"), (errno.EROFS, "make that disk writable"),
    (errno.EACCES, "give yourself the right"),
])  # fmt: skip
def test_each_refusal_has_its_remedy(tmp_path, number, remedy):
    with pytest.raises(UnwritableError) as said, atomic(tmp_path / "a"):
        raise OSError(number, os.strerror(number))
    assert str(said.value).startswith(f"{tmp_path / 'a'} cannot be written ({os.strerror(number)}): ")
    assert remedy in str(said.value)
    done, log = run_job(tmp_path, f"raise OSError({number}, 'no', 'b.csv')")
    assert done.stderr == log
    assert log.startswith("error: b.csv cannot be read or written (")
    assert log.count("\n") == 1


def test_other_errors_of_a_block_are_not_the_disks(tmp_path):
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "a"):
        (tmp_path / "none").read_bytes()
    refused = DtkdError("no network")
    refused.__cause__ = PermissionError(errno.EACCES, "connect")
    with pytest.raises(DtkdError, match="no network"), atomic(tmp_path / "a"):
        raise refused


def test_where_nothing_can_be_written_a_job_does_not_begin(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    (tmp_path / "there").mkdir()
    files.check_writable(tmp_path / "there" / "yet")
    for folder in (tmp_path, tmp_path / "not" / "there"):
        with pytest.raises(UnwritableError, match=f"{tmp_path}/ cannot be written .Permission denied."):
            files.check_writable(folder)


def test_what_a_killed_process_left_is_removed(tmp_path):
    """Not what a living one writes, nor what is of another file."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    kept = [
        f".a.{os.getppid()}.partial.pt",
        f".a.b.{ended.pid}.partial.pt",
        f".a.{ended.pid}.partial.json",
        ".a.partial.pt",
    ]
    for name in (*kept, f".a.{ended.pid}.partial.pt"):
        (tmp_path / name).touch()
    with atomic(tmp_path / "a.pt") as temporary:
        temporary.touch()
    assert sorted(os.listdir(tmp_path)) == sorted([*kept, "a.pt"])


# Jobs


def run_job(tmp_path, body, threads=1, log=True, params=None):
    """A process that runs ``body`` as a workflow script's; gives the process and the log's text."""
    path, output = tmp_path / "log.txt", tmp_path / "a.txt"
    output.touch()
    script = f"""
from types import SimpleNamespace
snakemake = SimpleNamespace(
    rule="a", input={{}}, output={[str(output)]}, params={params or {}}, threads={threads},
    log={[str(path)] if log else []},
)
from dtkd.common.errors import DtkdError
from dtkd.common.workflow_job import job
import os
with job(snakemake):
    {body}
print("after")
"""
    environment = os.environ | {"PYTHONPATH": str(Path(dtkd.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    return done, path.read_text() if path.exists() else None


def test_a_users_problem_is_one_line_and_status_1(tmp_path):
    done, log = run_job(tmp_path, "raise DtkdError('config: device: cuda; use cpu')")
    assert done.returncode == 1
    assert done.stderr == log == "error: config: device: cuda; use cpu\n"
    assert done.stdout == ""


def test_any_other_error_is_a_traceback_and_status_1(tmp_path):
    done, log = run_job(tmp_path, "{}['missing']")
    assert done.returncode == 1
    assert done.stderr == log
    assert done.stderr.startswith("Traceback (most recent call last)")
    assert done.stderr.endswith("KeyError: 'missing'\n")


def test_a_good_end_is_logged_and_the_script_goes_on(tmp_path):
    done, log = run_job(tmp_path, "pass")
    assert (done.returncode, done.stdout, done.stderr, log) == (0, "after\n", "", "done\n")


def test_a_warning_for_the_user_is_one_line_too_and_others_are_pythons(tmp_path):
    warn = "import warnings; from dtkd.common.errors import DtkdWarning; "
    for _ in range(2):  # said by each job
        done, log = run_job(tmp_path, f"{warn}warnings.warn('warning: no font', DtkdWarning); warnings.warn('other')")
        assert done.returncode == 0
        assert done.stderr.startswith("warning: no font\n<string>:")
        assert "UserWarning: other" in done.stderr
    assert log == "warning: no font\ndone\n" * 2
    done, _ = run_job(tmp_path, f"{warn}warnings.warn('warning: no font', DtkdWarning)", log=False)
    assert done.stderr == "warning: no font\n"


def test_a_job_without_a_log_still_says_what_is_wrong(tmp_path):
    done, log = run_job(tmp_path, "raise DtkdError('no')", log=False)
    assert (done.returncode, done.stderr, log) == (1, "error: no\n", None)


def test_threads_are_bounded_by_the_machine_and_at_least_one(tmp_path):
    show = "print(*(os.environ[n] for n in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')))"
    machine = len(os.sched_getaffinity(0))
    for threads, expected in ((1, 1), (0, 1), (10**6, machine)):
        done, _ = run_job(tmp_path, show, threads=threads)
        assert done.stdout.split() == [str(expected)] * 3 + ["after"]


def test_an_interrupt_is_a_word_in_the_log(tmp_path, monkeypatch, capsys):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr("dtkd.common.workflow_job.end_with_parent", lambda: None)  # the tests' process outlives the job
    log = tmp_path / "log.txt"
    output = [str(tmp_path / "a.txt")]
    snakemake = SimpleNamespace(rule="a", input={}, output=output, params={}, threads=1, log=[str(log)])
    with pytest.raises(SystemExit) as end, job(snakemake):
        raise KeyboardInterrupt
    assert end.value.code == 130
    assert log.read_text() == "interrupted\n"
    assert capsys.readouterr() == ("", "")
    with pytest.raises(SystemExit) as end, job(snakemake):
        raise DtkdError("stop")
    assert end.value.code == 1


def test_a_job_ends_with_its_parent(tmp_path):
    """Snakemake, killed, cannot end its jobs; nothing would take their results."""
    library = Path(dtkd.__file__).parents[1]
    body = f"""
import os, time
from types import SimpleNamespace
from dtkd.common.workflow_job import job
with job(SimpleNamespace(rule="a", input={{}}, output=["{tmp_path}/a.txt"], params={{}}, threads=1, log=[])):
    print(os.getpid(), flush=True)
    time.sleep(60)
"""
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {body!r}])"
    environment = os.environ | {"PYTHONPATH": str(library)}
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, env=environment)
    job_id = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    end = time.monotonic() + 10
    while _runs(job_id):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_job_whose_snakemake_has_gone_does_not_begin(tmp_path, monkeypatch):
    gone = subprocess.Popen(["true"])
    gone.wait()
    monkeypatch.setenv("DTKD_SNAKEMAKE", str(gone.pid))
    done, log = run_job(tmp_path, "print('work')")
    assert (done.returncode, done.stdout, log) == (1, "", None)
    assert done.stderr.startswith("error: Snakemake was killed while this job began")
    monkeypatch.setenv("DTKD_SNAKEMAKE", str(os.getpid()))
    assert run_job(tmp_path, "print('work')")[0].returncode == 0


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
