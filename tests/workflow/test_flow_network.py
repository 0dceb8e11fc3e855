"""Flow by a network, and persons: weights are an input, given or downloaded; a network of flow asks for the GPU."""

import json
import shutil

import pyarrow.parquet as pq
import pytest
import tiny
import torch
from conftest import draw

from dtkd.motion import fasterrcnn, raft
from dtkd.motion.detectors import DETECTOR

DIVING = "results/tiny/flow/Diving.parquet"


@pytest.fixture
def study(tmp_path):
    root = tiny.write(tmp_path / "study")
    tiny.configure(root, lambda config: config["flow"].update(algorithm="raft_small"))
    return root


def test_weights_of_ones_own(study):
    for seed, clip in enumerate(tiny.CLIPS["Diving"]):
        draw(study / "videos" / clip, seed=seed, frames=2)
    torch.manual_seed(0)
    torch.save(raft.NETWORKS["raft_small"]().state_dict(), study / "own.pth")
    tiny.configure(study, lambda config: config["flow"].update(weights="own.pth"))
    done = tiny.snakemake(study, DIVING)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (study / "results/weights").exists(), "nothing is downloaded"
    (table, *_) = (study / "results/tiny/flow/Diving").iterdir()
    metadata = json.loads(pq.read_schema(table).metadata[b"dtkd.flow"])
    assert metadata["settings"]["algorithm"] == "raft_small"
    assert len(metadata["settings"]["weights"]) == 64
    (study / "own.pth").write_bytes((study / "own.pth").read_bytes() + b"\0")
    assert "flow tiny/flow/Diving.parquet" in tiny.pending(study)


def test_persons_are_sought_where_the_measure_is_of_them(study):
    """Random weights find nobody, which the split's job says rather than rank classes by something else."""
    shutil.rmtree(study / "videos")
    clips = [tiny.CLIPS[name][number] for name in ("Archery", "Diving") for number in range(2)]
    for seed, clip in enumerate(clips):
        (study / "videos" / clip).parent.mkdir(parents=True, exist_ok=True)
        draw(study / "videos" / clip, seed=seed, frames=2)
    folders = {"format": "folders", "videos": "videos", "group_pattern": "none", "lists": 1}
    tiny.configure(study, lambda config: config["datasets"].update(tiny=folders))
    fasterrcnn.save_untrained(study / "own.pth")
    flow = {"algorithm": "farneback", "persons": {"weights": "own.pth", "every": 2}}
    tiny.configure(study, lambda config: config.update(flow=flow, split={"measure": "person"}))
    done = tiny.snakemake(study, "results/tiny/split.json")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert f"split.measure: person: no person was found in {len(clips)} of {len(clips)} videos (Archery/" in said
    assert "set split.on_no_person: skip" in said
    (table, *_) = (study / "results/tiny/flow/Diving").iterdir()
    assert {"persons", "person", "person_height"} <= set(pq.read_schema(table).names)
    assert json.loads(pq.read_schema(table).metadata[b"dtkd.flow"])["persons"]["every"] == 2
    assert not (study / "results/weights").exists(), "nothing is downloaded"

    job = "flow tiny/flow/Diving.parquet"
    assert job not in tiny.pending(study)
    tiny.configure(study, lambda config: config["flow"]["persons"].update(threshold=0.3))
    assert job in tiny.pending(study)
    tiny.configure(study, lambda config: config.update(split={"measure": "moving"}))
    done = tiny.snakemake(study, DIVING)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "persons" in pq.read_schema(table).names, "a table with persons has all that is asked for now"
    assert "person" not in pq.read_schema(study / DIVING).names


def test_weights_that_are_downloaded_and_a_gpu_that_is_waited_for(study, tmp_path):
    """With scripts that only write what they were given: rules, profile and library as they are."""
    project = tmp_path / "project"
    for name in ("rules", "envs", "profiles"):
        shutil.copytree(tiny.PROJECT / name, project / name)
    shutil.copy(tiny.PROJECT / "Snakefile", project)
    (project / "workflow_scripts").mkdir()
    (project / "workflow_scripts" / "dtkd").symlink_to(tiny.PROJECT / "workflow_scripts" / "dtkd")
    for script in (tiny.PROJECT / "workflow_scripts").glob("*.py"):  # the rules read what they import
        shutil.copy(script, project / "workflow_scripts")
    says = "from pathlib import Path\nPath(snakemake.output[0]).write_text("
    (project / "workflow_scripts/download_flow_weights.py").write_text(f"{says}snakemake.wildcards.network)")
    (project / "workflow_scripts/flow.py").write_text(
        f"{says}f'{{snakemake.input.weights}} {{snakemake.resources.gpu}} {{snakemake.params.device}}')"
    )
    tiny.configure(study, lambda config: config.update(device="cuda"))
    done = tiny.snakemake(study, DIVING, project=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (study / DIVING).read_text() == "results/weights/raft_small.pth 1 cuda"
    assert (study / "results/weights/raft_small.pth").read_text() == "raft_small"
    tiny.configure(study, lambda config: config["split"].update(measure="person_height"))
    done = tiny.snakemake(study, DIVING, project=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (study / f"results/weights/{DETECTOR.name}.pth").read_text() == DETECTOR.name
