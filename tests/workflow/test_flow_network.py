"""Flow by a network: its weights are an input, given or downloaded, and it asks for the GPU."""

import json
import shutil

import pyarrow.parquet as pq
import pytest
import tiny
import torch
from conftest import draw

from dtkd.motion import raft

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
