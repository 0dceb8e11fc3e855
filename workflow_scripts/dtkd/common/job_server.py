"""A process that has the libraries loaded and forks for each job of this machine: their imports are paid for once.

The imports of torch and pandas take two and a half seconds of a core, longer than a small network trains. So Snakemake
has such a process beside it (`start`). A job's script (`hand_over`) gives it its name, folder, environment, and what it
prints to, waits, and ends as the fork does: to Snakemake it is the job. Where no server is there, or the library's code
has changed since it was loaded, a script runs in its own process as any other.
"""

from __future__ import annotations

import ast
import atexit
import gc
import json
import multiprocessing
import os
import runpy
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

ADDRESS = "DTKD_JOB_SERVER"
"""The environment variable that has the server's socket; where there is none, jobs run by themselves."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_SIZE = struct.Struct("!q")


# Snakemake's side


def start() -> None:
    """Start a server for the jobs of this process; it ends with it, however that comes about.

    Its folder is the user's alone: who can write to the socket has it run code.
    """
    if sys.platform != "linux" or ADDRESS in os.environ:  # elsewhere, what is loaded may not stand a fork
        return
    address = Path(tempfile.mkdtemp(prefix="dtkd-jobs-"), "socket")
    library = str(Path(__file__).parents[2])
    # a fork has one thread: so has the server, whatever numpy and pyarrow would start
    environment = os.environ | dict.fromkeys(THREADS, "1") | {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH")]))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(128)
        command = [sys.executable, "-m", __name__, str(listener.fileno()), str(address.parent)]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, pass_fds=[listener.fileno()])
    os.environ[ADDRESS] = str(address)
    atexit.register(server.stdin.close)  # type: ignore[union-attr]


# A job's side


def hand_over() -> None:
    """Have the server, if there is one, run this process's script, and end as that ends; else return."""
    address = os.environ.pop(ADDRESS, None)
    if not address:
        return
    job = {
        "script": sys.argv[0], "folder": os.getcwd(), "environment": dict(os.environ),
        "ignores_interrupts": signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
    }  # fmt: skip
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(address)
            content = json.dumps(job).encode()
            socket.send_fds(server, [_SIZE.pack(len(content))], [0, 1, 2])
            server.sendall(content)
            taken = server.recv(1)
        except OSError:  # it has ended
            return
        if taken != b"1":
            return
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it, too, is interrupted, and says so
        status = _received(server, _SIZE.size)
    if len(status) < _SIZE.size:
        sys.exit("error: the process that runs jobs was ended; run the same command again")
    (code,) = _SIZE.unpack(status)
    if code < 0:  # of a signal, as lack of memory sends one
        with suppress(OSError):  # SIGKILL has no other way
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


def _received(connection: socket.socket, count: int) -> bytes:
    """So many bytes, or fewer if the other side has ended."""
    parts = b""
    while len(parts) < count and (part := connection.recv(count - len(parts))):
        parts += part
    return parts


# The server


def serve(listener: socket.socket, snakemake: int) -> None:
    """Fork for each job until the pipe ``snakemake`` is closed: Snakemake has ended.

    It has one thread, as a fork has no other: jobs that come at once wait for one another's imports, which both need.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running: dict[int, tuple[BaseProcess, socket.socket]] = {}  # by the descriptor that shows its end
    loaded: dict[str, tuple[int, int]] = {}
    while True:
        scripts = {connection: process for process, connection in running.values()}
        for ready in wait([listener, snakemake, *running, *scripts]):
            if ready == snakemake:
                for process, _ in running.values():
                    process.terminate()
                return
            if ready is listener:
                connection, _ = listener.accept()
                if taken := _taken(connection, loaded):
                    running[taken.sentinel] = taken, connection
                else:
                    connection.close()
            elif ready in scripts:  # its script was ended, and says no more
                scripts[ready].terminate()
            elif ready in running:
                process, connection = running.pop(ready)
                process.join()
                with connection, suppress(OSError):  # its script was ended
                    connection.sendall(_SIZE.pack(process.exitcode or 0))


def _taken(connection: socket.socket, loaded: dict[str, tuple[int, int]]) -> BaseProcess | None:
    """The fork that runs the job of a connection; None if it has to run by itself. ``loaded`` is the library's code."""
    streams: list[int] = []
    try:
        size, streams, _, _ = socket.recv_fds(connection, _SIZE.size, 3)
        job = json.loads(_received(connection, *_SIZE.unpack(size)))
        _import_for(job["script"])
        now = {file: _state(file) for file in _library()}
        if not loaded.items() <= now.items():
            return None
        loaded.update(now)
        connection.sendall(b"1")
        gc.freeze()  # what is loaded is no garbage, and a fork that looks through it copies it
        process = multiprocessing.get_context("fork").Process(target=_run, args=(job, streams))
        process.start()
    except (OSError, ValueError, struct.error):  # its script was ended, or has no file any more
        return None
    else:
        return process
    finally:
        for stream in streams:
            os.close(stream)


def _import_for(script: str) -> None:
    """What a script imports, anywhere in it. What fails here fails in the job, which says so."""
    for node in ast.walk(ast.parse(Path(script).read_bytes())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        package = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        for module in filter(None, [package[:-1], *(package + name for name in names)]):
            with suppress(Exception):
                import_module(module)


def _library() -> list[str]:
    """The files of this library that are loaded."""
    return [str(module.__file__) for name, module in list(sys.modules.items())
            if name.partition(".")[0] == "dtkd" and getattr(module, "__file__", None)]  # fmt: skip


def _state(file: str) -> tuple[int, int]:
    state = os.stat(file)
    return state.st_mtime_ns, state.st_size


def _run(job: dict, streams: list[int]) -> None:
    """A job, in the fork."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    signal.signal(signal.SIGINT, signal.SIG_IGN if job["ignores_interrupts"] else signal.default_int_handler)
    sys.argv = [job["script"]]
    runpy.run_path(job["script"], run_name="__main__")


def main() -> None:
    number, folder = sys.argv[1:]
    try:
        with socket.socket(fileno=int(number)) as listener:
            serve(listener, sys.stdin.fileno())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
