"""The estimate of the paper's study on one GPU of an RTX 3090's class and on eight: what `make plan` prints.

python benchmarks/plan.py
"""

import sys
from pathlib import Path

import report

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "workflow_scripts"))
import plan as command  # noqa: E402

if __name__ == "__main__":
    study = command.study_of([str(PROJECT / "studies" / "paper.yaml")], PROJECT)
    rows, said = [], []
    for gpus in (1, 8):
        result, notes = command.estimate(study, command.arguments(["--gpus", str(gpus)]))
        rows += [{"GPUs": gpus, **row} for row in command.rounded(result.rows)]
        said.append(
            f"{gpus} GPU{'s' * (gpus > 1)}: {result.hours:.0f} hours from start to end, "
            f"{result.rows[-1]['disk GB']:.1f} GB in the end and {result.passing_bytes / 1e9:.1f} GB more on the way."
        )
    listed = "\n".join(f"- {note}" for note in notes[1:])
    report.write("plan", rows, "\n".join([*said, "", f"{notes[0]}", listed]))
