"""Killed, full, read-only, twice at once, a clock that jumps: the study ends as if undisturbed, or says why not."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import small
import tiny

sys.path.insert(0, str(Path(__file__).parents[1] / "stress"))

import kill

BASELINE = f"{small.LIST}/baseline/slowfast_small-seed0"


@contextlib.contextmanager
def mounted(folder, options):
    """A file system of its own in ``folder``; without the right to mount, the test cannot be."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no right to mount: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def error_lines(output):
    return {line for line in output.splitlines() if line.startswith("error: ")}


# Killed


def test_killed_again_and_again_it_ends_as_if_undisturbed(tmp_path):
    """The short form of tests/stress/kill.py."""
    undisturbed, root = small.write(tmp_path / "undisturbed", epochs=8, lr=0.02), tmp_path / "disturbed"
    targets = ("results/small/flow/clap.parquet", f"{BASELINE}/checkpoint.pt")
    kill.finish(undisturbed, *targets)
    root.mkdir()
    victims = ["flow", "training after an epoch", "snakemake at work", "process group"]
    kill.disturb(root, undisturbed, victims, seed=0, patience=1, targets=targets)
    log = (root / "log.txt").read_text()
    assert "goes on after epoch" in log
    assert "its lock is removed" in log
    assert "cannot be locked" not in log


# Twice at once


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def test_two_at_once(tmp_path):
    root = small.write(tmp_path / "study")
    target = "results/small/videos.parquet"
    first = kill.start(root, target)
    try:
        wait_for(lambda: list((root / ".snakemake/locks").glob("*.lock")))
        os.kill(first.pid, signal.SIGSTOP)
        second = tiny.snakemake(root, target)
        assert second.returncode != 0
        assert "no other Snakemake process" in " ".join(second.stderr.split())
        assert list((root / ".snakemake/locks").glob("*.lock")), "the first's lock stands"
        assert (root / ".snakemake/owner").exists()
    finally:
        os.kill(first.pid, signal.SIGCONT)
        assert first.wait() == 0, (root / "log.txt").read_text()
    assert (root / target).exists()
    assert not (root / ".snakemake/owner").exists()


# Disks


def test_a_read_only_results_folder_ends_a_run_before_its_first_job(tmp_path):
    root = tiny.write(tmp_path / "study")
    with mounted(root / "results", "ro"):
        done = tiny.snakemake(root, tiny.TABLE5)
        assert tiny.snakemake(root, "-n", tiny.TABLE5).returncode == 0, "one may look"
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in output
    assert error_lines(output) == {
        "error: results/ cannot be written (Read-only file system): make that disk writable, or choose another folder "
        "for `results` in the config, and run the same command again"
    }
    assert "\nrule " not in output
    assert "\nlocalrule " not in output


def test_results_on_a_full_disk(tmp_path):
    """And on another file system, by a link. It has room for the statistics, not for a training's state (3 MB)."""
    root = small.write(tmp_path / "study")
    with mounted(tmp_path / "disk", "size=2m") as disk:
        (root / "results").symlink_to(disk)
        done = tiny.snakemake(root, f"{BASELINE}/checkpoint.pt")
        output = done.stdout + done.stderr
        assert done.returncode != 0
        assert "Traceback" not in output
        assert error_lines(output) == {
            f"error: {BASELINE}/resume.pt cannot be written (No space left on device): free space on that disk, and "
            "run the same command again"
        }
        assert not kill.broken(disk)
        assert not list((root / BASELINE).rglob("*"))
        assert (root / small.LIST / "pixels.json").exists()
        assert (root / "results").is_symlink()


# Clocks


def shift(path, hours):
    when = time.time() + 3600 * hours
    os.utime(path, (when, when))


def test_a_clock_that_jumps(tmp_path):
    """A file from the future is looked into; one from the past is not, and it is for `make verify` to find it."""
    root = tiny.write(tmp_path / "study")
    tiny.pretend(root)
    split = root / "results/tiny/split.json"
    shift(split, hours=5)
    assert tiny.pending(root) == set(), "it says what it said"
    split.write_text("{}")
    shift(split, hours=5)
    assert {job.split()[0] for job in tiny.pending(root)} == {
        "train_teacher", "teacher_logits", "continue_teachers", "train_student", "table",
    }  # fmt: skip
    shift(split, hours=-5)
    assert tiny.pending(root) == set()
