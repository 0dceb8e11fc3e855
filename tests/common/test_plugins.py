"""Plug-ins: files and modules that are loaded once, in every process, or refused in one line."""

import json
import os
import subprocess
import sys

import pytest

from dtkd.common import plugins
from dtkd.common.errors import DtkdError
from dtkd.common.registry import Registry


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.setattr(plugins, "_loaded", set())
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    monkeypatch.setenv(plugins.VARIABLE, "[]")  # so that what a test loads is forgotten
    monkeypatch.chdir(tmp_path)


def refused(plugin):
    with pytest.raises(DtkdError) as caught:
        plugins.load(plugin)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_runs_once(tmp_path):
    (tmp_path / "mine.py").write_text("with open('runs', 'a') as file:\n    file.write('x')\n")
    plugins.load("mine.py")
    plugins.load(f"{tmp_path}/mine.py")
    assert (tmp_path / "runs").read_text() == "x"
    assert plugins.being_loaded() is None


def test_two_files_of_one_name_and_dataclasses(tmp_path):
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    a: int\n"
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(text)
        plugins.load(f"{folder}/mine.py")
    assert len([name for name in sys.modules if name.startswith("dtkd_plugin_") and name.endswith("_mine")]) >= 2


def test_a_module(monkeypatch, tmp_path):
    (tmp_path / "some_plugin_module.py").write_text("import os\nos.environ['SEEN'] = 'yes'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SEEN", "no")
    plugins.load("some_plugin_module")
    assert os.environ["SEEN"] == "yes"


def test_what_is_wrong_is_one_line_with_its_place(tmp_path):
    assert refused("absent.py") == (
        f"plugins: absent.py: there is no such file; paths begin in the working folder, {tmp_path}"
    )
    (tmp_path / "bad.py").write_text("import os\n\nimport no_such_module\n")
    assert refused("bad.py") == (
        "plugins: bad.py, line 3: ModuleNotFoundError: No module named 'no_such_module'; mend it, or leave it out"
    )
    (tmp_path / "worse.py").write_text("import os\nif:\n")
    assert refused("worse.py").startswith("plugins: worse.py, line 2: SyntaxError: invalid syntax")
    assert refused("no_such_module").startswith("plugins: no_such_module: ModuleNotFoundError: No module named")


def test_child_processes_load_them_where_they_look_something_up(tmp_path):
    (tmp_path / "mine.py").write_text("print('loaded')\n")
    plugins.load("mine.py")
    assert json.loads(os.environ[plugins.VARIABLE]) == [f"{tmp_path}/mine.py"]
    code = "from dtkd.common.registry import Registry; r = Registry('x'); print('before'); r.names(); r.names()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/", check=True)
    assert done.stdout.split() == ["before", "loaded"]


def test_installed_packages_have_some(monkeypatch):
    registry = Registry("fruit")

    class Point:
        name, value, dist = "mine", "some_package:register", None

        def __init__(self, load):
            self.load = load

    monkeypatch.setattr(plugins.metadata, "entry_points", lambda group: [Point(lambda: registry.add("fig", 1))])
    assert registry.names() == ["fig"]
    assert registry.source("fig") is None, "packages are not looked at for changes"
    monkeypatch.setattr(plugins, "_loaded", set())
    monkeypatch.setattr(plugins.metadata, "entry_points", lambda group: [Point(lambda: 1 / 0)])
    with pytest.raises(DtkdError, match=r"plug-in mine of an installed package: ZeroDivisionError: .*uninstall it"):
        registry.names()
