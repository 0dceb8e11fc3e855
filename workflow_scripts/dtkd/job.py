"""What every workflow script does around its own work: bounded threads, a log, and errors in one line."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from dtkd.errors import DtkdError


@contextmanager
def job(snakemake) -> Iterator[None]:
    """Run a script's body; ``snakemake`` is the object that the workflow hands to scripts (log, threads).

    A `DtkdError` becomes one line on stderr and in the log, any other error its traceback; both end the process with
    exit status 1.
    """
    threads = max(1, min(snakemake.threads, len(os.sched_getaffinity(0))))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    log = snakemake.log[0] if snakemake.log else os.devnull
    try:
        yield
    except DtkdError as error:
        _fail(log, f"error: {_last_line(error)}\n")
    except Exception:
        _fail(log, traceback.format_exc())
    else:
        with open(log, "a", encoding="utf-8") as file:
            file.write("done\n")


def note(snakemake, text: str) -> None:
    """Tell the user something that is no error: a line on stderr and in the job's log."""
    with open(snakemake.log[0], "a", encoding="utf-8") as file:
        file.write(f"{text}\n")
    print(text, file=sys.stderr, flush=True)


def _last_line(error: DtkdError) -> str:
    """The message; of an error that a loader process hands on with its traceback, the traceback's last line."""
    text = str(error)
    return text.rstrip().rsplit("Error: ", 1)[-1] if text.startswith("Caught ") else text


def _fail(log: str, text: str) -> None:
    with open(log, "a", encoding="utf-8") as file:
        file.write(text)
    print(text, end="", file=sys.stderr, flush=True)
    sys.exit(1)
