"""The table of what answers take: latency of one clip, throughput and memory of batches, on a machine with a name."""

import pytest
from table_rows import rows_of_deployment

from dtkd.analysis.tables.deployment import deployment


def test_latency_is_of_one_clip_and_throughput_of_batches(tmp_path):
    table = deployment(rows_of_deployment(tmp_path))
    assert table["model"].tolist() == ["U1", "A"]
    row = table.iloc[0]
    assert (row["p50_ms"], row["p95_ms"], row["batch"], row["throughput"], row["memory_mib"]) == (7, 9, 8, 200, 90)
    assert row["top1"] == pytest.approx(87.5)
    assert row["params"] == pytest.approx(0.694482)
    assert table.attrs["notes"] == ["On a card, fp32."]
