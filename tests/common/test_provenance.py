"""run.json: what made an artefact, wherever the code lies."""

import hashlib
import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from dtkd.common import provenance
from dtkd.common.errors import DtkdError
from dtkd.common.files import write_json
from dtkd.common.workflow_job import job
from dtkd.operations import verify


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
    (tmp_path / "answers.csv").touch()  # a file of the user's own
    assert provenance.record({}, {}, "cpu")["git"] == {"commit": git("rev-parse", "HEAD"), "changed": False}
    (tmp_path / "code.py").write_text("2\n")
    assert provenance.record({}, {}, "cpu")["git"]["changed"] is True


# A job's record


@pytest.mark.parametrize(("outputs", "file"), [
    (["r/tables/table5.csv", "r/tables/table5.md", "r/tables/table5.tex"], "r/tables/table5.run.json"),
    (["r/a/split.json"], "r/a/split.run.json"),
    (["r/a/flow/Tai Chi.parquet"], "r/a/flow/Tai Chi.run.json"),
    (["r/a/targets/x.pt"], "r/a/targets/x.run.json"),
    (["r/a/teacher/x/checkpoint.pt", "r/a/teacher/x/run.json"], "r/a/teacher/x/run.json"),
    (["raw/Diving/a.avi", "raw/Run/b.avi", "raw/lists/a.txt"], "raw/run.json"),
])  # fmt: skip
def test_a_record_lies_beside_what_it_tells_of(outputs, file):
    assert str(provenance.place(outputs)) == file


@pytest.fixture
def here(tmp_path, monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")  # which a job sets
    monkeypatch.setattr("dtkd.common.workflow_job.end_with_parent", lambda: None)  # the tests' process outlives it
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(rule, inputs, outputs, work=None, unread=(), **params):
    """A job that writes its rule's name, or what ``work`` does."""
    given = SimpleNamespace(rule=rule, input=inputs, output=outputs, params=params, threads=1, log=[])
    with job(given, unread):
        for output in outputs:
            Path(output).parent.mkdir(parents=True, exist_ok=True)
            Path(output).write_text(rule)
        if work:
            work()


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_job_records_what_it_made_from_what(here):
    for name in ("a", "b", "c"):
        Path(name).write_text(name)
    inputs = {"index": "a", "flow": ["b", "c"], "logits": [], "videos": ["none"]}
    run("split", inputs, ["results/split.json"], lambda: Path("a").write_text("A"), {"videos"}, settings={"q": 0.25})
    record = json.loads(Path("results/split.run.json").read_text())
    assert record["rule"] == "split"
    assert record["settings"] == {"settings": {"q": 0.25}}
    assert record["inputs"] == {
        "index": {"path": "a", "sha256": digest("a")},  # as it was when the job began
        "flow": [{"path": "b", "sha256": digest("b")}, {"path": "c", "sha256": digest("c")}],
    }
    assert record["outputs"] == [{"path": "results/split.json", "sha256": digest("split")}]
    assert record["versions"]["numpy"] == metadata.version("numpy")
    assert {"git", "device", "started", "seconds"} < set(record)
    assert sorted(os.listdir("results")) == ["split.json", "split.run.json"]


def test_a_failed_job_records_nothing(here):
    def fail():
        raise DtkdError("no")

    with pytest.raises(SystemExit):
        run("split", {}, ["results/split.json"], fail)
    assert not Path("results/split.run.json").exists()


def test_a_training_writes_its_own_record_which_then_knows_its_outputs(here):
    def train():
        write_json("r/run.json", provenance.record({"seed": 3}, {}, "cuda") | {"network": {"all": 7}})

    run("train_teacher", {"index": "none"}, ["r/checkpoint.pt", "r/run.json"], train, settings={})
    record = json.loads(Path("r/run.json").read_text())
    assert (record["settings"], record["device"], record["network"]) == ({"seed": 3}, "cuda", {"all": 7})
    assert record["outputs"] == [{"path": "r/checkpoint.pt", "sha256": digest("train_teacher")}]
    assert record["rule"] == "train_teacher"


def test_an_environment_without_torch_records_what_it_has(monkeypatch):
    def version(name):
        if name == "torch":
            raise metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(provenance.metadata, "version", version)
    versions = provenance.record({}, {}, "cpu")["versions"]
    assert "torch" not in versions
    assert versions["numpy"] == "1"


# make verify


@pytest.fixture
def study(here):
    """video -> flow -> split -> two trainings"""
    Path("a.avi").write_text("video")
    run("flow", {"videos": ["a.avi"]}, ["results/flow/A.parquet"])
    run("split", {"flow": ["results/flow/A.parquet"]}, ["results/split.json"])
    for name in ("one", "two"):
        run("train", {"split": "results/split.json"}, [f"results/{name}/checkpoint.pt", f"results/{name}/history"])
    return here


def changed():
    return verify.verify("results").changed


def test_a_study_that_matches_its_records(study):
    found = verify.verify("results")
    assert found.changed == []
    assert (found.files, found.records) == (7, 4)
    assert sum(found.commits.values()) == 4


def test_a_changed_file_is_named_with_all_that_it_went_into(study):
    Path("results/split.json").write_text("another")
    assert changed() == [
        "results/split.json has changed since split made it",
        "results/split.json has changed since results/one, results/two were made",
    ]
    Path("a.avi").write_text("another")
    assert changed()[0] == "a.avi has changed since results/flow/A was made"


def test_what_was_made_again_leaves_what_was_made_from_it_before_behind(study):
    run("split", {"flow": ["results/flow/A.parquet"]}, ["results/split.json"],
        lambda: Path("results/split.json").write_text("another"))  # fmt: skip
    run("train", {"split": "results/split.json"}, ["results/two/checkpoint.pt", "results/two/history"])
    assert changed() == ["results/split.json has changed since results/one was made"]


def test_missing_files_and_broken_records(study):
    Path("results/one/checkpoint.pt").unlink()
    Path("a.avi").unlink()
    assert changed() == [
        "a.avi, from which results/flow/A was made, cannot be read (No such file or directory)",
        "results/one/checkpoint.pt, that train made, cannot be read (No such file or directory)",
    ]
    Path("results/one/run.json").write_text("{")
    assert "results/one/run.json is no record (JSONDecodeError" in changed()[0]
    with pytest.raises(DtkdError, match="elsewhere: holds no record"):
        verify.verify("elsewhere")


def test_other_settings_than_the_studys_are_named_with_both_values(study):
    run("train", {}, ["results/three/checkpoint.pt"], settings={"train": {"lr": 0.1, "epochs": 2}, "seed": 0})
    expected = {"path": "results/three", "record": "results/three/checkpoint.run.json",
                "settings": {"settings": {"seed": 0}}, "names": {"settings": ""}}  # fmt: skip

    def said(**train):
        expected["settings"]["settings"]["train"] = train
        write_json("results/settings.json", [expected])
        command = [sys.executable, "-m", "dtkd.verify"]
        environment = os.environ | {"PYTHONPATH": str(Path(provenance.__file__).parents[2])}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        return done.returncode, done.stdout.splitlines()[1:]

    assert said(lr=0.1, epochs=2) == (0, ["8 files of 5 artefacts: all match; settings: all match"])
    assert said(lr=0.2, epochs=None) == (1, [
        "results/three: made with train.lr 0.1 (the study has 0.2), train.epochs 2 (the study has null)",
        "8 files of 5 artefacts: all match; settings: 1 differs from the study's",
    ])  # fmt: skip
    os.mkdir("results/own")  # a study with a folder of its own
    os.rename("results/settings.json", "results/own/settings.json")
    assert len(verify.other_settings("results")) == 1
    for broken in ("{", "[1]", '[{"path": 1}]'):
        Path("results/settings.json").write_text(broken)
        with pytest.raises(DtkdError, match=r"^results/settings.json cannot be read \("):
            verify.other_settings("results")


def test_the_command_says_so_and_ends_accordingly(study):
    command = [sys.executable, "-m", "dtkd.verify"]
    environment = os.environ | {"PYTHONPATH": str(Path(provenance.__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0
    assert done.stdout.endswith(
        "7 files of 4 artefacts: all match; settings are not compared: there is no results/settings.json, which "
        "snakemake writes when it starts\n"
    )
    assert "verify: 100%" in done.stderr
    Path("results/two/history").write_text("?")
    done = subprocess.run([*command, "results"], capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert (
        "results/two/history has changed since train made it\n7 files of 4 artefacts: 1 does not match; " in done.stdout
    )
    done = subprocess.run([*command, "none"], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: none: holds no record")
