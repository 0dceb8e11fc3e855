"""The project's `snakemake` in a fork of a process that has imported it: a call takes what the workflow takes, without
the second of CPU that Python's start and Snakemake's imports are. Nothing else is shared between calls."""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([
    "snakemake_command", "snakemake.cli", "snakemake.report.html_reporter", "snakemake.profiles", "snakemake.storage",
    "nbformat.v4", "requests", "smart_open",  # which Snakemake imports when it runs
    "dtkd.config", "dtkd.analysis.contents", "dtkd.analysis.shown_runs", "dtkd.operations.recorded_settings",
])  # fmt: skip


def run(arguments: list[str], cwd: Path, environment: Mapping[str, str], timeout: float) -> CompletedProcess:
    """`snakemake` with ``arguments`` in the folder ``cwd``: its exit status and what it printed.

    Raises TimeoutExpired after ``timeout`` seconds; the process is then killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        printed = [Path(folder, name) for name in ("stdout", "stderr")]
        process = FORKS.Process(target=_snakemake, args=(arguments, cwd, dict(environment), printed))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            raise TimeoutExpired(["snakemake", *arguments], timeout, *(file.read_bytes() for file in printed))
        return CompletedProcess(["snakemake", *arguments], process.exitcode, *(file.read_text() for file in printed))


def _snakemake(arguments: list[str], cwd: Path, environment: Mapping[str, str], printed: list[Path]) -> None:
    for number, file in zip((1, 2), printed, strict=True):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [str(Path(sys.executable).with_name("snakemake")), *arguments]

    import snakemake_command

    snakemake_command.main()
