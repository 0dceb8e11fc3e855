"""Files that appear whole or not at all, and jobs that end with one clear line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import dtkd
from dtkd.errors import DtkdError
from dtkd.files import atomic, write_json
from dtkd.job import job


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
from dtkd.errors import DtkdError
from dtkd.job import job
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


def test_a_job_without_a_log_still_says_what_is_wrong(tmp_path):
    done, log = run_job(tmp_path, "raise DtkdError('no')", log=False)
    assert (done.returncode, done.stderr, log) == (1, "error: no\n", None)


def test_threads_are_bounded_by_the_machine_and_at_least_one(tmp_path):
    show = "print(*(os.environ[n] for n in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')))"
    machine = len(os.sched_getaffinity(0))
    for threads, expected in ((1, 1), (0, 1), (10**6, machine)):
        done, _ = run_job(tmp_path, show, threads=threads)
        assert done.stdout.split() == [str(expected)] * 3 + ["after"]


def test_an_interrupt_is_not_swallowed(tmp_path, monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    log = tmp_path / "log.txt"
    output = [str(tmp_path / "a.txt")]
    snakemake = SimpleNamespace(rule="a", input={}, output=output, params={}, threads=1, log=[str(log)])
    with pytest.raises(KeyboardInterrupt), job(snakemake):
        raise KeyboardInterrupt
    assert not log.exists()
    with pytest.raises(SystemExit) as end, job(snakemake):
        raise DtkdError("stop")
    assert end.value.code == 1
