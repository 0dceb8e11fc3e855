"""What every benchmark ends with: its table on the screen and in results/benchmarks/."""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parents[1] / "results" / "benchmarks"


def machine() -> str:
    """The processor's name, its widest vectors, and the cores that this process may use."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    vectors = next((f" with {said}" for flag, said in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "")
    return f"{name}{vectors}, {len(os.sched_getaffinity(0))} cores"


def write(name: str, rows: Sequence[Mapping[str, object]], caption: str) -> None:
    """Print a table and write it to results/benchmarks/<name>.md and .csv.

    ``rows`` are dictionaries by column, numbers already rounded to what they are good for; None is an empty cell.
    The machine is named below the caption.
    """
    table = pd.DataFrame(rows).astype(object)
    table = table.where(table.notna(), None)
    cells = table.map(lambda value: "" if value is None else str(value))
    write_text(name, f"{caption}\n\n{cells.to_markdown(index=False, disable_numparse=True)}")
    table.to_csv(FOLDER / f"{name}.csv", index=False)


def write_text(name: str, text: str) -> None:
    """Print a table in Markdown and write it to results/benchmarks/<name>.md, the machine's name below it."""
    shown = f"{text.strip()}\n\n*{machine()}.*\n"
    print(f"\n{shown}", flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.md").write_text(shown, encoding="utf-8")
