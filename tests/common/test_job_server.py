"""The process that forks for each job: to whoever starts a script, the fork is the script."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from imports import LIBRARY, SCRIPTS

from dtkd.common import job_server

SCRIPT = """\
from dtkd.common.job_server import hand_over
hand_over()
import os, signal, sys, time
"""
OWN = "print('server' if os.getppid() == {server} else 'alone')\n"


@pytest.fixture(scope="module")
def server():
    """The environment of scripts that a server runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(job_server.ADDRESS, "")
        patch.delenv(job_server.ADDRESS)
        patch.setenv("PYTHONPATH", str(SCRIPTS))
        ends = []
        patch.setattr(job_server.atexit, "register", ends.append)
        job_server.start()
        folder = Path(os.environ[job_server.ADDRESS]).parent
        yield dict(os.environ)
        ends[0]()
        until(lambda: not folder.exists())


def until(true):
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def begun(folder, body, environment, **options):
    script = folder / "script.py"
    script.write_text(SCRIPT + body)
    return subprocess.Popen([sys.executable, script], cwd=folder, env=environment, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **options)  # fmt: skip


def run(folder, body, environment):
    process = begun(folder, body, environment)
    printed = process.communicate(timeout=30)
    return process.returncode, *printed


def test_a_script_is_run_by_the_server_where_it_was_started(tmp_path, server):
    """In its folder, with its environment, arguments and streams; no second server is asked for."""
    body = """
print(os.getcwd(), sys.argv, os.environ["OWN"], os.environ.get("DTKD_JOB_SERVER"), __name__, __file__)
print(open(f"/proc/{os.getppid()}/cmdline").read().split("\\0")[2], file=sys.stderr)
"""
    status, out, err = run(tmp_path, body, server | {"OWN": "value é"})
    script = str(tmp_path / "script.py")
    assert (status, out) == (0, f"{tmp_path} {[script]} value é None __main__ {script}\n")
    assert err == "dtkd.common.job_server\n"


@pytest.mark.parametrize(("body", "status", "said"), [
    ("sys.exit(3)", 3, ""), ("sys.exit('no')", 1, "no\n"), ("raise ValueError('this')", 1, "ValueError: this\n"),
    ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""), ("import nothing_there", 1, "'nothing_there'\n"),
    ("this is no Python", 1, "SyntaxError: invalid syntax\n"),
])  # fmt: skip
def test_a_script_ends_as_its_job_does(tmp_path, server, body, status, said):
    ended, out, err = run(tmp_path, body, server)
    assert (ended, out) == (status, "")
    assert err.endswith(said)


def test_several_run_at_once(tmp_path, server):
    folders = [tmp_path / name for name in "ab"]
    for folder, other in zip(folders, folders[::-1], strict=True):
        folder.mkdir()
        (folder / "other").symlink_to(other)
    body = "open('here', 'w').close()\nwhile not os.path.exists('other/here'): time.sleep(0.01)\n"
    both = [begun(folder, body, server) for folder in folders]
    assert [process.wait(30) for process in both] == [0, 0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_ends_with_its_script(tmp_path, server, number):
    process = begun(tmp_path, "open('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)\n", server)
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    pid = (tmp_path / "pid").read_text()
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == -number
    until(lambda: not Path("/proc", pid).exists())


def test_an_interrupt_is_the_jobs(tmp_path, server):
    """Ctrl-C is for the whole group of processes: the script waits for what the job makes of it."""
    body = """
open("pid", "w").write(str(os.getpid()))
try:
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(7)
"""
    process = begun(tmp_path, body, server, restore_signals=True,
                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))  # fmt: skip
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    for pid in (process.pid, int((tmp_path / "pid").read_text())):
        os.kill(pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 7


@pytest.mark.parametrize("address", ["", "{}/nobody"])
def test_without_a_server_a_script_runs_by_itself(tmp_path, server, address):
    environment = server | {job_server.ADDRESS: address.format(tmp_path)}
    body = f"print(os.getppid() == {os.getpid()}, os.environ.get('DTKD_JOB_SERVER'))"
    assert run(tmp_path, body, environment) == (0, "True None\n", "")


def test_code_that_has_changed_is_not_run_as_it_was(tmp_path):
    """From then on, scripts import for themselves."""
    library = tmp_path / "library"
    shutil.copytree(
        LIBRARY, library / "dtkd", ignore=shutil.ignore_patterns("__pycache__", "[!_ce]*"), dirs_exist_ok=True
    )
    shutil.copytree(LIBRARY / "common", library / "dtkd" / "common", dirs_exist_ok=True)
    (tmp_path / "script.py").write_text(SCRIPT + "from dtkd.common import errors\nprint(os.getppid(), errors.__doc__)")
    driver = f"""
import os, subprocess, sys
from dtkd.common import job_server
job_server.start()
def run():
    pid, said = subprocess.run([sys.executable, "script.py"], text=True, stdout=subprocess.PIPE).stdout.split(" ", 1)
    print("alone" if int(pid) == os.getpid() else "server", said.strip(), flush=True)
run()
file = {str(library / "dtkd" / "common" / "errors.py")!r}
open(file, "a").write("__doc__ = 'new'\\n")
run()
run()
"""
    environment = {name: value for name, value in os.environ.items() if name != job_server.ADDRESS}
    done = subprocess.run([sys.executable, "-c", driver], cwd=tmp_path, env=environment | {"PYTHONPATH": str(library)},
                          text=True, capture_output=True, timeout=60)  # fmt: skip
    doc = (library / "dtkd" / "common" / "errors.py").read_text().split('"""')[1]
    assert done.stdout == f"server {doc}\nalone new\nalone new\n", done.stderr


def test_what_scripts_import_starts_no_thread(server, tmp_path):
    """A fork has one thread: what another one held locked would stay so for ever."""
    body = "".join(f"from {module} import x\n" for module in ("dtkd.training.trainer", "cv2", "pyarrow.parquet"))
    body = "print([line for line in open(f'/proc/{os.getppid()}/status') if 'Threads' in line])\nsys.exit()\n" + body
    assert run(tmp_path, body, server)[:2] == (0, "['Threads:\\t1\\n']\n")
