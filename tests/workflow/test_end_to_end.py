"""The whole method on a few rendered videos: real jobs, from rendering to Table 5; again; and with another seed."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import small
import tiny

from dtkd.checks import findings
from dtkd.inference import predict

LIST = small.LIST
STUDENT = "student/dtkd-S0.3-T2-A0.4-LT-FT-seed{}"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study of 4 x 12 drawn videos of 48 px and one epoch, run to its end. One student's teachers are masked."""
    root = small.write(tmp_path_factory.mktemp("small"), "ABCD")
    tiny.configure(root, lambda config: config["students"]["small"]["C"].update(teacher_outputs="masked"))
    run(root, tiny.TABLE5)
    return root


def run(root, *targets):
    done = tiny.snakemake(root, "--resources", "gpu=1", *targets, cores=8)
    assert done.returncode == 0, done.stderr[-5000:]


def table(root):
    return pd.read_csv(root / tiny.TABLE5)


def logits(root, run):
    return np.stack(pd.read_parquet(root / LIST / run / "predictions.parquet")["logits"])


def test_every_row_is_filled_from_its_own_predictions(finished):
    rows = table(finished)
    assert list(rows["model"]) == ["H1", "A", "B", "C", "D"]
    assert rows[["top1", "top5", "top1_last", "top5_last"]].notna().all(axis=None)
    assert rows["gain"].tolist()[1:] == pytest.approx((rows["top1"] - rows["top1"][0]).tolist()[1:], abs=0.011)
    assert logits(finished, STUDENT.format(0)).shape == (12, 12)
    for run_folder in (finished / LIST).glob("*/*/"):
        held = {file.name for file in run_folder.iterdir()}
        assert held == {"checkpoint.pt", "history.parquet", "predictions.parquet", "run.json"}
    assert not list(finished.rglob("*.partial*"))


def test_nothing_is_left_to_do(finished):
    again = tiny.snakemake(finished, tiny.TABLE5)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stderr + again.stdout


def test_every_artefact_has_its_record_and_matches_it(finished):
    check = [sys.executable, "-m", "dtkd.verify", "results"]
    environment = os.environ | {"PYTHONPATH": str(tiny.PROJECT / "workflow_scripts")}
    done = subprocess.run(check, cwd=finished, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(": all match; settings: all match\n")
    records = [json.loads(file.read_text()) for file in finished.rglob("*run.json")]
    recorded = {entry["path"] for record in records for entry in record["outputs"]}
    declared = {row["output_file"] for row in tiny.summary(finished)}
    assert {path for path in declared - recorded if not path.endswith("/run.json")} == set()
    flow = json.loads((finished / "results/small/flow/clap.run.json").read_text())
    videos = sorted(str(path.relative_to(finished)) for path in (finished / "raw/clap").glob("*.avi"))
    assert [video["path"] for video in flow["inputs"]["videos"]] == videos != []

    split = finished / "results/small/split.json"
    before = split.read_text()
    split.write_text(before + " ")
    try:
        done = subprocess.run(check, cwd=finished, env=environment, capture_output=True, text=True)
    finally:
        split.write_text(before)
    assert done.returncode == 1
    assert "results/small/split.json has changed since split made it" in done.stdout
    assert f"results/small/split.json has changed since {LIST}/student/bskd-" in done.stdout


def test_results_that_were_only_touched_are_told_from_the_study(finished, tmp_path):
    root = shutil.copytree(finished, tmp_path / "study", symlinks=True)
    changes = {"train": {"lr": 0.07}, "flow": {"step": 2}, "split": {"value": 1.5}}
    tiny.configure(root, lambda config: [config.setdefault(name, {}).update(new) for name, new in changes.items()])
    assert tiny.snakemake(root, "--touch", tiny.TABLE5).returncode == 0
    environment = os.environ | {"PYTHONPATH": str(tiny.PROJECT / "workflow_scripts")}
    done = subprocess.run(
        [sys.executable, "-m", "dtkd.verify"], cwd=root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    (_, *lines, outcome) = done.stdout.splitlines()
    runs = {str(file.parent.relative_to(root)) for file in (root / LIST).glob("*/*/run.json")}
    logits = {str(file.relative_to(root)) for file in (root / LIST).glob("targets/*.pt")}
    assert {line for line in lines if "train.lr" in line} == {
        f"{made}: made with train.lr 0.05 (the study has 0.07)" for made in runs | logits
    }
    assert [line for line in lines if "train.lr" not in line] == [
        "results/small/flow/clap and 11 more: made with flow.step 1 (the study has 2)",
        "results/small/split.json: made with split.value null (the study has 1.5), "
        "split.quantile 0.25 (the study has null)",
    ]
    assert outcome.endswith(f"all match; settings: {len(runs) + len(logits) + 2} differ from the study's")


def test_a_checkpoint_alone_answers_as_its_run_did(finished, tmp_path):
    """For files given elsewhere; a masked teacher among its own classes, though its run tells of all videos."""
    split = json.loads((finished / "results/small/split.json").read_text())["classes"]
    teachers = (("teacher/static-LT-seed0", None), ("teacher/static-LT-masked-seed0", "static"))
    for run, subset in ((STUDENT.format(0), None), *teachers):
        said = pd.read_parquet(finished / LIST / run / "predictions.parquet")
        moved = shutil.copy(finished / LIST / run / "checkpoint.pt", tmp_path / "moved.pt")
        trained = predict.load(moved)
        found = np.stack(list(predict.predict(trained, [finished / "raw" / video for video in said["video"]])))
        np.testing.assert_allclose(found, np.stack(said["logits"]), rtol=1e-5, atol=1e-5)
        answerable = [name for name, value in zip(trained.classes, found[0], strict=True) if value > -np.inf]
        assert answerable == [name for name, entry in split.items() if subset in (None, entry["subset"])]


def test_a_teacher_of_all_classes_learns_to_answer_its_own(finished):
    """It has seen no other: its cross-entropy over all classes pushes the others' logits down."""
    split = json.loads((finished / "results/small/split.json").read_text())["classes"]
    index = pd.read_parquet(finished / "results/small/videos.parquet").drop_duplicates("label").set_index("label")
    static = np.array([split[name]["subset"] == "static" for name in index.sort_index()["class"]])
    said = logits(finished, "teacher/static-LT-seed0")
    assert np.isfinite(said).all()
    assert said[:, static].mean() > said[:, ~static].mean()
    masked = logits(finished, "teacher/static-LT-masked-seed0")
    assert np.isneginf(masked[:, ~static]).all()
    assert np.isfinite(masked[:, static]).all()


def test_checks_of_the_data_and_what_makes_them_anew(finished):
    """The page is that of `python -m dtkd.check`; a setting that no check reads makes nothing run."""
    files = [f"results/small/{name}" for name in ("check.html", "check_groups.json")]
    done = tiny.snakemake(finished, *files)
    assert done.returncode == 0, done.stderr[-3000:]
    dataset, settings, found = findings.read(finished / "results/small/check.json")
    assert {"test_size", "few_and_many"} <= {finding.check for finding in found}
    assert "unsteady_groups" not in {finding.check for finding in found}
    groups = findings.read(finished / files[1])
    assert groups[:2] == (dataset, settings)
    assert {finding.check for finding in groups[2]} <= {"unsteady_groups"}

    def planned(**changes):
        pairs = [f"{name}={json.dumps(value)}" for name, value in changes.items()]
        done = tiny.snakemake(finished, "--dry-run", "--quiet", "rules", *files, "--config", *pairs)
        return set(re.findall(r"^(check\w*) +1$", done.stdout, re.MULTILINE))

    assert planned(train={"lr": 0.02}) == set()
    assert planned(augment={"flip": 0.25}) == {"check", "check_groups"}


def test_same_seed_same_logits_another_seed_others(finished):
    """Of a baseline, of teachers that stay as they are and that go on learning, and of both kinds' students."""
    runs = ["baseline/slowfast_small-seed0", STUDENT.format(0), "student/dtkd-S0.5-T2-A0.4-LT-seed0"]
    said = [logits(finished, run) for run in runs]
    for gone in ("baseline", "teacher", "targets", "student"):
        shutil.rmtree(finished / LIST / gone)
    run(finished, *(f"{LIST}/{run}/predictions.parquet" for run in runs))
    for before, name in zip(said, runs, strict=True):
        np.testing.assert_array_equal(logits(finished, name), before)

    tiny.configure(finished, lambda config: config.update(seeds=[1]))
    run(finished, f"{LIST}/{STUDENT.format(1)}/predictions.parquet")
    assert not np.allclose(logits(finished, STUDENT.format(1)), said[1], atol=1e-3)


def test_classes_that_are_listed_need_no_flow_and_one_alone_is_warned_of(finished, tmp_path):
    root = shutil.copytree(finished, tmp_path / "study", symlinks=True, ignore=shutil.ignore_patterns("flow", "list1"))
    tiny.configure(root, lambda config: config.update(split={"source": "listed", "static": {"small": ["wave"]}}))
    done = tiny.snakemake(root, "results/small/split.json")
    assert done.returncode == 0, done.stderr[-3000:]
    split = json.loads((root / "results/small/split.json").read_text())
    assert [name for name, entry in split["classes"].items() if entry["subset"] == "static"] == ["wave"]
    assert "warning: small: wave is the only static class" in done.stderr
    assert "wave is the only static class" in (root / "results/logs/split/small.log").read_text()
    assert not (root / "results/small/flow").exists()
