"""How the project's commands end: in one line where something is wrong, or where Ctrl-C interrupts them."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dtkd.common.workflow_job import INTERRUPTED, format_error


@contextmanager
def command(goes_on: bool = False) -> Iterator[None]:
    """Around a command line tool: its errors, and Ctrl-C, become one line and an exit status.

    ``goes_on`` says whether the same command, given again, goes on where it was interrupted.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be anything
    try:
        yield
    except KeyboardInterrupt:
        _interrupted("goes on" if goes_on else "starts over")
    except BrokenPipeError:  # whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        sys.exit(format_error(error).rstrip())


@contextmanager
def workflow() -> Iterator[None]:
    """Around Snakemake: where Ctrl-C interrupts it, nothing of what it says from then on is told but one line.

    It would print an error of every job that ends, as if something were wrong with it. Where Ctrl-C is ignored, as in
    the background of a shell script, it stays so.
    """
    interrupts = []

    def interrupt(*_: object) -> None:
        interrupts.append(True)
        logging.disable()
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if not interrupts:
            raise
        _interrupted("goes on")


def _interrupted(then: str) -> None:
    print(f"Interrupted; the same command {then}", file=sys.stderr)
    sys.exit(INTERRUPTED)
