"""A row per network and number of clips, each measured in a process of its own."""

import sys

import pandas as pd
import pytest
import torch
from checkpoint_files import SETTINGS, write

from dtkd.inference import benchmark, export, measuring
from dtkd.training import networks


def run(*options):
    sys.argv = ["benchmark", *map(str, options), "--threads", "1", "--device", "cpu"]
    try:
        benchmark.main()
    except SystemExit as ended:
        return ended.code


def test_a_row_for_each_network_and_batch(tmp_path, capsys):
    write(tmp_path / "checkpoint.pt")
    sys.argv = ["export", str(tmp_path), "--format", "torch_export"]
    export.main()
    table = tmp_path / "table.csv"
    assert run(tmp_path, tmp_path / "checkpoint-fp32.pt2", "--batch", 2, "--seconds", 0.01, "--csv", table) is None
    rows = pd.read_csv(table)
    size = networks.size(SETTINGS, 4)
    assert rows["file"].tolist() == [str(tmp_path / "checkpoint.pt"), str(tmp_path / "checkpoint-fp32.pt2")]
    assert rows["parameters"].tolist() == [size["parameters"]] * 2
    assert rows["gflops"].tolist() == pytest.approx([size["multiply_adds"] / 1e9] * 2)
    assert rows["batch"].tolist() == [2, 2]
    assert (rows["p50"] <= rows["p95"]).all()
    assert (rows["memory"] > 0).all()
    assert "checkpoint-fp32.pt2" in capsys.readouterr().out


def test_a_pass_is_timed_after_it_is_warm():
    calls = []

    class Slow(torch.nn.Module):
        def forward(self, clips):
            calls.append(len(clips))

    times = measuring.passes(Slow(), torch.zeros(3, 1), measuring.autocast("fp32", torch.device("cpu"))[0], 0)
    assert len(times) == measuring.FEWEST
    assert len(calls) == measuring.FEWEST + 1
    assert set(calls) == {3}


def test_what_cannot_be_measured_is_one_line(tmp_path, capsys):
    assert "gone.pt cannot be read" in run(tmp_path / "gone.pt", "--batch", 1)
    assert run(tmp_path, "--batch", 0) == 2
    assert "--batch: more than 0" in capsys.readouterr().err
