"""run.json: what made an artefact, wherever the code lies."""

import hashlib
import json
import subprocess
import sys
from importlib import metadata

import torch

from dtkd import provenance


def test_record_has_hashes_versions_and_settings_as_plain_values(tmp_path):
    index, empty = tmp_path / "index.parquet", tmp_path / "empty"
    index.write_bytes(b"videos" * 100_000)
    empty.write_bytes(b"")
    settings = {"seed": 3, "train": {"lr": 0.1}, "augment": {"short_side": [32, 40]}}
    record = provenance.record(settings, {"index": str(index), "start": empty}, "cpu")
    assert list(record) == ["settings", "inputs", "versions", "git", "device"]
    assert record["settings"] == settings
    assert record["inputs"]["index"] == {"path": str(index), "sha256": hashlib.sha256(index.read_bytes()).hexdigest()}
    assert record["inputs"]["start"]["sha256"] == hashlib.sha256(b"").hexdigest()
    assert record["versions"]["torch"] == metadata.version("torch") == torch.__version__.split("+")[0]
    assert record["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(record["versions"]) == {"python", *provenance.PACKAGES}
    assert record["device"] == "cpu"
    assert json.loads(json.dumps(record)) == record


def test_a_changed_byte_changes_the_hash(tmp_path):
    path = tmp_path / "a"
    hashes = set()
    for content in (b"abc", b"abd"):
        path.write_bytes(content)
        hashes.add(provenance.record({}, {"a": path}, "cpu")["inputs"]["a"]["sha256"])
    assert len(hashes) == 2


def test_outside_a_git_checkout_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.record({}, {}, "cpu")["git"] is None


def test_without_git_there_is_no_commit(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.record({}, {}, "cpu")["git"] is None


def test_in_a_checkout_the_commit_and_whether_it_was_changed(tmp_path, monkeypatch):
    def git(*words):
        run = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "--quiet")
    (tmp_path / "code.py").write_text("1\n")
    git("add", "code.py")
    git("commit", "--quiet", "-m", "first")
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    assert provenance.record({}, {}, "cpu")["git"] == {"commit": git("rev-parse", "HEAD"), "changed": False}
    (tmp_path / "code.py").write_text("2\n")
    assert provenance.record({}, {}, "cpu")["git"]["changed"] is True
