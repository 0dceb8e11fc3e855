"""A row per network and number of clips, each measured in a process of its own."""

import sys

import pandas as pd
import pytest
import torch
from checkpoint_files import SETTINGS, write

from dtkd.inference import benchmark, exported, measuring
from dtkd.inference.trained import of_checkpoint
from dtkd.training import networks


def run(*options):
    sys.argv = ["benchmark", *map(str, options), "--threads", "1", "--device", "cpu"]
    try:
        benchmark.main()
    except SystemExit as ended:
        return ended.code


def test_a_row_for_each_network_and_batch(tmp_path, capsys):
    write(tmp_path / "checkpoint.pt")
    table = tmp_path / "table.csv"
    assert run(tmp_path, "--batch", 1, 2, "--seconds", 0.01, "--csv", table) is None
    assert "checkpoint.pt" in capsys.readouterr().out
    rows = pd.read_csv(table)
    size = networks.size(SETTINGS, 4, torch.device("cpu"))
    assert set(rows["file"]) == {str(tmp_path / "checkpoint.pt")}
    assert set(rows["parameters"]) == {size["parameters"]}
    assert rows["gflops"].tolist() == pytest.approx([size["multiply_adds"] / 1e9] * 2)
    assert rows["batch"].tolist() == [1, 2]
    assert (rows["p50"] <= rows["p95"]).all()
    assert (rows["memory"] > 0).all()


def test_an_exported_file_is_measured_as_it_is(tmp_path):
    trained, file = of_checkpoint(write(tmp_path / "checkpoint.pt")), tmp_path / "half.pt2"
    size = {"parameters": 3, "multiply_adds": 5}
    exported.write(file, trained, "fp16", exported.description(trained, "fp16", size, "none"))
    sys.argv = ["benchmark", str(file), "--batch", "2", "--seconds", "0.01", "--threads", "1", "--device", "cpu"]
    [row] = benchmark._measured(file, benchmark._parser().parse_args())
    assert (row["precision"], row["parameters"], row["gflops"], row["batch"]) == ("fp16", 3, 5e-9, 2)
    assert row["weights"] == file.stat().st_size / 2**20


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
