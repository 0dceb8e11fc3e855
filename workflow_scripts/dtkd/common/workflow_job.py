"""What every workflow script does around its own work: bounded threads, a log, errors in one line, and a record."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from dtkd.common.errors import DtkdError, DtkdWarning
from dtkd.common.faults import explained
from dtkd.common.files import check_writable
from dtkd.common.job_server import THREADS, hand_over
from dtkd.common.provenance import Making

if TYPE_CHECKING:
    from snakemake.script import Snakemake

INTERRUPTED = 130
"""The exit status of what Ctrl-C has ended, as shells have it."""


@contextmanager
def job(snakemake: Snakemake, unread: Collection[str] = ()) -> Iterator[None]:
    """Run a script's body; ``snakemake`` is the object that the workflow hands to scripts (log, threads).

    What was made, and from what, is recorded beside the outputs (see `provenance`); inputs called one of ``unread``,
    of which the script needs no more than their names, sizes and times, are left out.

    Where a process with all that it imports is there (`job_server`), a fork of that runs the script, and this process
    ends as it does.

    An error that the user can fix (a `DtkdError`, and what `explained` knows: a disk that is full, too little memory,
    a killed loader process) becomes one line on stderr and in the log, any other error its traceback; both end the
    process with exit status 1. An interrupt is a word in the log: the console has it from the workflow, once. The
    process ends when its Snakemake is killed: nothing would take its result.
    """
    end_with_parent()
    threads = max(1, min(snakemake.threads, len(os.sched_getaffinity(0))))
    os.environ.update(dict.fromkeys(THREADS, str(threads)))
    if torch := sys.modules.get("torch"):  # which a job's fork has from its server
        torch.set_num_threads(threads)
    log = snakemake.log[0] if snakemake.log else os.devnull
    try:
        hand_over()
        for folder in {Path(file).parent for file in snakemake.output}:
            check_writable(folder)
        inputs = {name: files for name, files in snakemake.input.items() if name not in unread}
        making = Making(snakemake.rule, dict(snakemake.params.items()), inputs, snakemake.output)
        with little_garbage(), _noted_warnings(log):
            yield
        making.write()
    except KeyboardInterrupt:
        _log(log, "interrupted\n")
        sys.exit(INTERRUPTED)
    except Exception as error:
        text = format_error(error, snakemake.params.get("settings"))
        print(text, end="", file=sys.stderr, flush=True)
        _log(log, text)
        sys.exit(1)
    _log(log, "done\n")


@contextmanager
def little_garbage() -> Iterator[None]:
    """Have Python look for garbage seldom, and in the end, of what is there now, not at all: in all that a program
    imports there is hardly any, and the search is a tenth of a short one."""
    often = gc.get_threshold()
    gc.set_threshold(10_000)
    try:
        yield
    finally:
        gc.set_threshold(*often)
        gc.freeze()


def format_error(error: Exception, settings: Mapping[str, Any] | None = None) -> str:
    """What the user reads of an error: one line if something can be done about it, else the traceback."""
    problem = error if isinstance(error, DtkdError) else explained(error, settings)
    return f"error: {_last_line(problem)}\n" if problem else "".join(traceback.format_exception(error))


def end_with_parent() -> None:
    """Have Linux end this process when its parent does, however that comes about; or now, if it has done so."""
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if not os.path.exists(f"/proc/{os.environ.get('DTKD_SNAKEMAKE', 'self')}"):
            sys.exit("error: Snakemake was killed while this job began; run the same command again")


def note(snakemake: Snakemake, text: str) -> None:
    """Tell the user something that is no error: a line on stderr and in the job's log."""
    with open(snakemake.log[0], "a", encoding="utf-8") as file:
        file.write(f"{text}\n")
    print(text, file=sys.stderr, flush=True)


@contextmanager
def _noted_warnings(log: str) -> Iterator[None]:
    """Have each `DtkdWarning` told as one line on stderr and in the log, without the code that warns."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def noted(
            message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None,
            line: str | None = None,
        ) -> None:  # fmt: skip
            if issubclass(category, DtkdWarning):
                print(message, file=sys.stderr, flush=True)
                _log(log, f"{message}\n")
            else:
                show(message, category, filename, lineno, file, line)

        warnings.simplefilter("always", DtkdWarning)
        warnings.showwarning = noted
        yield


def _last_line(error: DtkdError) -> str:
    """The message; of an error that a loader process hands on with its traceback, the traceback's last line."""
    text = str(error)
    return text.rstrip().rsplit("Error: ", 1)[-1] if text.startswith("Caught ") else text


def _log(log: str, text: str) -> None:
    """Add to the log. A full disk that keeps it from being written must not hide what has happened."""
    try:
        with open(log, "a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        print(f"{log} cannot be written ({error.strerror})", file=sys.stderr, flush=True)
