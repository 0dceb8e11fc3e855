"""What the chosen students and their baselines take to answer on a machine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from dtkd.analysis.tables.rows import Row, titled, with_std
from dtkd.analysis.tables.scores import scores_of

CAPTION = (
    "The chosen students and their baselines: milliseconds from a decoded clip to its logits, median and 95th "
    "percentile; clips a second in batches; MiB of weights, and of memory that network and batches take"
)


def deployment(rows: Iterable[Row]) -> pd.DataFrame:
    """Latency of a single clip, throughput of batches, sizes and memory.

    Args:
        rows: per model dataset, model, list, predictions, and ``benchmark``: the file of the rule of this name, with
            the ``machine`` and a row for each size of batch (`inference.benchmark.measured`).

    Returns:
        One row a model: top-1 (%), params (millions), gflops (1e9 multiply-adds), weights_mib, p50_ms and p95_ms of the
        smallest batch, throughput (clips a second), batch and memory_mib of the largest one.
    """
    table, machines = [], []
    for row in rows:
        found = json.loads(Path(row["benchmark"]).read_text(encoding="utf-8"))
        one, many = (pick(found["rows"], key=lambda each: each["batch"]) for pick in (min, max))
        machines.append(f"{found['machine']}, {one['precision']}")
        table.append({
            **row, **scores_of(row["predictions"]), "backbone": one["backbone"], "params": one["parameters"] / 1e6,
            "gflops": one["gflops"], "weights_mib": one["weights"], "p50_ms": one["p50"], "p95_ms": one["p95"],
            "batch": many["batch"], "throughput": many["throughput"], "memory_mib": many["memory"],
        })  # fmt: skip
    columns = ["dataset", "model", "list", "backbone", *with_std(["top1"]), "params", "gflops", "weights_mib", "p50_ms",
               "p95_ms", "batch", "throughput", "memory_mib"]  # fmt: skip
    notes = [f"On {machine}." for machine in dict.fromkeys(machines)]
    return titled(pd.DataFrame(table, columns=columns), "deployment", CAPTION, notes)
