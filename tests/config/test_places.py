"""Paths: one spelling for each place, whatever a user writes; and no folder is ever called like a shell's word."""

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtkd.common.errors import DtkdError
from dtkd.config.places import spelled, within


@pytest.fixture
def here(tmp_path, monkeypatch):
    """<tmp>/home/work, with a link to <tmp>/disk/store in it; HOME is <tmp>/home."""
    for folder in ("home/work/a", "disk/store"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "home/work/link").symlink_to(tmp_path / "disk/store")
    monkeypatch.chdir(tmp_path / "home/work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.mark.parametrize(("written", "spelling"), [
    ("results", "results"), ("results/demo_ucf/raw", "results/demo_ucf/raw"), ("/", "/"), (".", "."),
    ("./results", "results"), ("results/", "results"), ("results//paper///", "results/paper"),
    ("results/./paper/.", "results/paper"), ("results/x/../paper", "results/paper"), ("x/../../data", "../data"),
    ("../data/", "../data"), ("../work/results", "results"), ("../work", "."), ("../../home/work/a/..", "."),
    ("//data", "/data"), ("/data/../../data/x/", "/data/x"), ("/..", "/"), ("a b/ü", "a b/ü"), (" a", " a"),
    ("US$5", "US$5"), ("$5/$(x)", "$5/$(x)"), ("a~b/c~", "a~b/c~"), ("/data/~old", "/data/~old"),
])  # fmt: skip
def test_every_spelling_becomes_one(here, written, spelling):
    assert spelled(written) == spelling


def test_absolute_paths_and_homes(here):
    """What lies in the working directory is relative, however it was written; the rest stays absolute."""
    assert spelled("~/data/") == f"{here}/home/data"
    assert spelled("~") == f"{here}/home"
    assert spelled("~/work/./results") == spelled(f"{here}/home//work/results/") == "results"
    assert spelled(f"{here}/home/work") == "."
    assert spelled(f"{here}/home/workshop") == f"{here}/home/workshop"
    assert spelled("~root/x") == os.path.expanduser("~root/x") != "~root/x"


def test_a_link_is_followed_before_what_is_above_it(here):
    assert spelled("link/x") == "link/x", "it may lead elsewhere one day"
    assert spelled("link/../x") == f"{here}/disk/x"
    assert spelled(f"{here}/home/work/link/../../home/work/y") == "y"


@pytest.mark.parametrize("written", ["~nobody-at-all/x", "./~", "./~x", "a/~/b", "/data/~", "$HOME/x", "/data/$HOME"])
def test_what_a_shell_should_have_replaced(here, written):
    with pytest.raises(DtkdError, match=r"(there is no home folder ~|a folder would be called [~$]).*; write the path"):
        spelled(written)


@given(parts=st.lists(st.sampled_from(["a", "b", "..", ".", "", "link", "~", "x y"]), max_size=7), root=st.booleans())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_the_same_place_and_the_spelling_is_its_own(here, parts, root):
    written = "/" * root + "/".join(parts)
    try:
        found = spelled(written)
    except DtkdError:
        assert "~" in parts
        return
    assert os.path.realpath(found) == os.path.realpath(os.path.expanduser(written))
    assert spelled(found) == found
    assert "//" not in found
    assert "/./" not in found


def test_within(here):
    for target in ("results/t.csv", "./results//t.csv", "~/work/results/t.csv", "../work/results/x/../t.csv"):
        assert within(target, "results") == "results/t.csv"
    assert within("../../disk/store/t.csv", "link") == "link/t.csv", "through the link, as a shell may have it"
    assert within("link/t.csv", f"{here}/disk/store") == f"{here}/disk/store/t.csv"
    assert within("results", "results") == "results"
    assert within("results2/t.csv", "results") is None
    assert within("~nobody-at-all/t.csv", "results") is None


def test_names_are_utf8_whatever_the_locale_says(here):
    """A program begins again, once, with its words as they were; those that it starts have it from the environment."""
    code = (
        "import os, sys; from dtkd.config.places import names_in_utf8; names_in_utf8();"
        "print(sys.getfilesystemencoding(), os.environ['PYTHONUTF8'], *sys.argv[1:], *os.listdir('a'))"
    )
    (here / "home/work/a/größe 漢").touch()
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    words = [sys.executable, "-c", code, "größe", "-n"]
    done = subprocess.run(words, env=environment, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "utf-8 1 größe -n größe 漢\n"
