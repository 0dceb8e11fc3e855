"""Ctrl-C and errors end commands in one line, and Snakemake too."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dtkd.common.command import command
from dtkd.common.errors import DtkdError

SCRIPTS = Path(__file__).parents[2] / "workflow_scripts"
LINE = "Interrupted; the same command goes on\n"


def python(code, *words, before=None):
    return subprocess.run(
        [sys.executable, "-c", code, *words], env=os.environ | {"PYTHONPATH": str(SCRIPTS)}, capture_output=True,
        text=True, preexec_fn=before,
    )  # fmt: skip


@pytest.mark.parametrize(("goes_on", "line"), [(True, LINE), (False, "Interrupted; the same command starts over\n")])
def test_an_interrupt_is_one_line(capsys, goes_on, line):
    with pytest.raises(SystemExit) as end, command(goes_on):
        raise KeyboardInterrupt
    assert end.value.code == 130
    assert capsys.readouterr() == ("", line)


def test_what_the_user_can_mend_is_one_line_and_the_rest_a_traceback():
    with pytest.raises(SystemExit, match=r"^error: no such folder$"), command():
        raise DtkdError("no such folder")
    with pytest.raises(SystemExit, match=r"(?s)^Traceback.*ValueError: odd$"), command():
        raise ValueError("odd")


def test_who_has_seen_enough_is_told_nothing():
    code = "from dtkd.common.command import command\nwith command():\n    print('many lines ' * 100_000)"
    done = subprocess.run(f"{sys.executable} -c \"$CODE\" | head -c 4", shell=True, text=True, capture_output=True,
                          env=os.environ | {"CODE": code, "PYTHONPATH": str(SCRIPTS)})  # fmt: skip
    assert (done.stdout, done.stderr) == ("many", "")


def test_an_interrupt_while_modules_are_imported_is_one_line(tmp_path):
    """Those of a command take seconds; a module that another one imports is not asked."""
    (tmp_path / "torch.py").write_text("raise KeyboardInterrupt")
    places = os.pathsep.join([str(tmp_path), str(SCRIPTS)])
    done = subprocess.run(
        [sys.executable, "-m", "dtkd.predict"], env=os.environ | {"PYTHONPATH": places}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "Interrupted\n")  # 130 in a shell
    assert python("import sys, dtkd; print(sys.excepthook is sys.__excepthook__)").stdout == "True\n"


SNAKEMAKE = """
import logging, os, signal, sys
import snakemake.cli, snakemake_command
def run(arguments):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        print("went on")
    except KeyboardInterrupt:  # as its scheduler does
        logging.getLogger("snakemake").error("Error in rule train_student: ...")
        sys.exit(1)
snakemake.cli.main = run
snakemake_command.main()
"""


def test_an_interrupted_workflow_ends_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # the tests themselves may run where it is ignored
    done = python(SNAKEMAKE, before=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", LINE)


def test_where_an_interrupt_is_ignored_it_stays_so(tmp_path, monkeypatch):
    """As in the background of a shell script."""
    monkeypatch.chdir(tmp_path)
    done = python(SNAKEMAKE, before=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert (done.returncode, done.stdout, done.stderr) == (0, "went on\n", "")


def test_another_end_of_the_workflow_is_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = python(SNAKEMAKE.replace("os.kill(os.getpid(), signal.SIGINT)", "sys.exit(1)"))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
