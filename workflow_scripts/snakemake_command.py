"""The `snakemake` command of this project's environment: Snakemake itself, with some additions.

Targets are allowed after --resources.

Snakemake's own parser takes every word after ``--resources`` or ``--config`` for a NAME=VALUE pair, and every word
after ``--configfile`` for a file, so that ``snakemake --cores 8 --resources gpu=1 results/tables/table5.csv`` ends in a
traceback. A word without ``=`` is never such a pair, a second configuration file of this project ends in .yaml, and
``--quiet`` has few values; other words are targets again. Everything else is passed on untouched.

These options may be given twice: Snakemake itself keeps the values of the last one alone, without a word.

Config files are read strictly, before Snakemake reads them: what it says of one that is not UTF-8 is a traceback.

It runs where the home folder cannot be written or is not known, and under a locale that is not UTF-8.

And a lock that a killed Snakemake has left behind is removed, where it is certain that its owner is no more: Snakemake
itself, killed with SIGKILL or by a power cut, asks for ``--unlock`` first.

And when all is done it ends: Snakemake itself waits until its timers have run out, which are to look for jobs again
(`max-jobs-per-timespan` of the profiles says after how long).

It starts and ends sooner: by itself, Python looks for garbage in all that is imported and planned, though there is
hardly any.

And it looks up the size of each input once: Snakemake itself asks for that of every input of every job that could run,
several times a second, which takes half a core from the jobs where they read thousands of videos.

Ctrl-C ends it in one line, with exit status 130: Snakemake itself prints an error of every job that it has ended.

And an interrupted one cancels all its jobs on a cluster: Snakemake itself forgets those whose state it is asking for at
that moment or which it is submitting, and they would go on, on their GPUs, without anyone who waits for them.
"""

from __future__ import annotations

import getpass
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from itertools import takewhile
from pathlib import Path

from dtkd.common.command import workflow
from dtkd.common.errors import DtkdError
from dtkd.common.workflow_job import little_garbage
from dtkd.config import yaml_files
from dtkd.config.places import names_in_utf8

PAIRS = ("--resources", "--res", "--config", "-C")
FILES = ("--configfile", "--configfiles")
ONE_OPTION = {"--res": "--resources", "-C": "--config", "--configfiles": "--configfile"}
QUIET, QUIETNESS = ("--quiet", "-q"), ("all", "host", "none", "progress", "reason", "rules")
ELSEWHERE = ("--executor", "-e", "--profile", "--workflow-profile")
WORDS_ONLY = {"--help", "-h", "--version", "-v"}


def targets_first(arguments: list[str]) -> list[str]:
    """Move targets among the values of ``--resources``, ``--config``, ``--configfile`` and ``--quiet`` to the front.

    >>> targets_first(["--cores", "8", "--resources", "gpu=1", "results/tables/table5.csv"])
    ['results/tables/table5.csv', '--cores', '8', '--resources', 'gpu=1']
    """
    targets, rest, option = [], [], None
    for position, word in enumerate(arguments):
        if word == "--":
            return targets + rest + arguments[position:]
        if word.startswith("-"):
            option = word
        elif (
            (option in PAIRS and "=" not in word)
            or (option in FILES and arguments[position - 1] != option and not word.endswith((".yaml", ".yml")))
            or (option in QUIET and word not in QUIETNESS)
        ):
            targets.append(word)
            continue
        rest.append(word)
    return targets + rest


def joined(arguments: list[str]) -> list[str]:
    """Give every option of pairs or files once, with all values that it was given.

    >>> joined(["--config", "a=1", "-n", "--config", "b=2"])
    ['-n', '--config', 'a=1', 'b=2']
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    values: dict[str, list[str]] = {}
    rest, option = [], None
    for word in arguments[:end]:
        name, equals, value = word.partition("=")
        if name in (*PAIRS, *FILES):
            option = ONE_OPTION.get(name, name)
            values.setdefault(option, []).extend([value] if equals else [])
            option = None if equals else option
        elif word.startswith("-") or option is None:
            rest.append(word)
            option = None
        else:
            values[option].append(word)
    return [*rest, *(word for name, own in values.items() for word in (name, *own)), *arguments[end:]]


def at_home(state: Path = Path(".snakemake")) -> None:
    """Let Snakemake, Matplotlib and torch have their caches in ``state`` where the home folder does not take them.

    It may be read-only, full, missing, or not known, as for a user whom a container has no name for.
    """
    try:
        home = Path("~").expanduser()
        cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache) as file:
            file.write(b"\0")
    except (RuntimeError, OSError):  # RuntimeError: there is no home
        cache = state.absolute() / "cache"
        os.environ["XDG_CACHE_HOME"] = str(cache)
        os.environ.setdefault("MPLCONFIGDIR", str(cache / "matplotlib"))
        os.environ.setdefault("XDG_CONFIG_HOME", str(cache / "config"))
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["USER"] = f"user{os.getuid()}"


@contextmanager
def owned(state: Path = Path(".snakemake")) -> Iterator[None]:
    """Own the working folder while Snakemake runs, and remove the lock of an owner that is no more.

    The owner names itself in the file ``owner`` in ``state`` and removes it in the end, whatever happens short of a
    kill. Where one is left by a Snakemake of this machine, and none runs in this folder now, what is locked was locked
    by one that was killed. In any other case the lock is Snakemake's own business: it refuses to start.
    """
    if others_here():
        yield
        return
    owner = state / "owner"
    name = f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}\n"  # a container sees its own processes only
    if owner.exists() and owner.read_text(encoding="utf-8") == name:
        stale = sorted((state / "locks").glob("*.lock"))
        if stale:
            print("The last Snakemake here was killed: its lock is removed.", file=sys.stderr)
        for lock in stale:
            lock.unlink()
    with suppress(OSError):  # Snakemake says itself that it cannot write here
        state.mkdir(exist_ok=True)
        owner.write_text(name, encoding="utf-8")
    try:
        yield
    finally:
        with suppress(OSError):
            owner.unlink()


def others_here() -> bool:
    """Whether another process on this machine that runs Snakemake has this working folder."""
    here, own = os.getcwd(), {str(os.getpid()), str(os.getppid())}  # the parent may be `timeout snakemake ...`
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            runs = any(os.path.basename(word) == b"snakemake" for word in words)
            if runs and process.name not in own and os.readlink(process / "cwd") == here:
                return True
        except OSError:  # it has ended meanwhile, or is another user's
            continue
    return False


class Jobs(list):
    """An executor's jobs that run; while it asks the cluster about them they are off its list, and in ``polled``."""

    polled: tuple = ()

    def clear(self) -> None:
        self.polled = tuple(self)
        super().clear()

    def extend(self, still_running) -> None:
        super().extend(still_running)
        self.polled = ()


def cancel_all_jobs() -> None:
    """Have executors cancel, when interrupted, what they are asking about too, and what they are just submitting."""
    from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

    def cancel(self) -> None:
        cancelled = []

        def cancel_the_rest() -> None:
            with self.lock:
                jobs = [job for job in (*self.active_jobs, *self.active_jobs.polled) if job not in cancelled]
            cancelled.extend(jobs)
            self.cancel_jobs(jobs)

        try:
            cancel_the_rest()
        finally:
            self.shutdown()  # waits for the submissions under way
            cancel_the_rest()

    RemoteExecutor.active_jobs = property(
        lambda self: self.__dict__["active_jobs"],
        lambda self, jobs: self.__dict__.update(active_jobs=Jobs(jobs)),
    )
    RemoteExecutor.cancel = cancel


def keep_input_sizes() -> None:
    """Have the scheduler, which prefers jobs of much input, remember the sizes that it knows."""
    from snakemake.scheduling.job_scheduler import JobScheduler

    async def update(self, jobs) -> None:
        sizes = self._input_sizes
        for path in {path for job in jobs for path in job.input}:
            if sizes.get(path) is None:
                sizes[path] = await path.size() if await path.exists() else None

    JobScheduler.update_input_sizes = update


def main() -> None:
    with little_garbage(), workflow():
        _run()


def _run() -> None:
    names_in_utf8()
    at_home()
    from snakemake.cli import main as snakemake

    cancel_all_jobs()
    keep_input_sizes()
    arguments = joined(targets_first(sys.argv[1:]))
    files = arguments[arguments.index("--configfile") + 1 :] if "--configfile" in arguments else []
    for file in takewhile(lambda word: not word.startswith("-"), files):
        try:
            yaml_files.read(file)
        except DtkdError as error:
            sys.exit(f"error: {error}")
    # On a cluster, jobs live on without their Snakemake: its lock is for the user to remove.
    elsewhere = any(word.startswith(ELSEWHERE) for word in arguments) or "SNAKEMAKE_PROFILE" in os.environ
    unowned = elsewhere or sys.platform != "linux" or WORDS_ONLY & set(arguments)
    try:
        with nullcontext() if unowned else owned():
            snakemake(arguments)
    finally:
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.cancel()
