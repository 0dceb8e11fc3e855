"""The table of what answers take: latency of one clip, throughput and memory of batches, on a machine with a name."""

import json

import pytest
from table_rows import logits_of, save

from dtkd.analysis.tables.deployment import deployment


def test_latency_is_of_one_clip_and_throughput_of_batches(tmp_path):
    network = {"backbone": "slowfast_small", "precision": "fp32", "parameters": 694_482, "gflops": 0.5, "weights": 2.7}
    batches = [
        {**network, "batch": 8, "p50": 40.0, "p95": 50.0, "throughput": 200.0, "memory": 90.0},
        {**network, "batch": 1, "p50": 7.0, "p95": 9.0, "throughput": 140.0, "memory": 60.0},
    ]
    file = tmp_path / "benchmark.json"
    file.write_text(json.dumps({"machine": "a card", "rows": batches}))
    predictions = [save(tmp_path / f"{seed}.parquet", [0] * 4, logits_of([0, 0, 0, seed])) for seed in (0, 1)]
    given = {"dataset": "d", "list": 1, "predictions": predictions, "benchmark": str(file)}
    table = deployment([{"model": "U1", **given}, {"model": "A", **given}])
    assert table["model"].tolist() == ["U1", "A"]
    row = table.iloc[0]
    assert (row["p50_ms"], row["p95_ms"], row["batch"], row["throughput"], row["memory_mib"]) == (7, 9, 8, 200, 90)
    assert row["top1"] == pytest.approx(87.5)
    assert row["params"] == pytest.approx(0.694482)
    assert table.attrs["notes"] == ["On a card, fp32."]
