"""What the readings of the paper give: the results of studies/readings.yaml, as docs/explanation/decisions.md has them.

Two tables: `readings`, the study's own, and `imitation`, Table 6 of masked and of full teachers by both directions of
KL, beside the paper's. They read results alone; make those first, and paste the tables afterwards:

    snakemake --cores 8 --resources gpu=1 --configfile studies/readings.yaml results/readings/tables/readings.csv
    python benchmarks/readings.py [KEY=VALUE ...]  # single keys of the config, as for snakemake --config
    python benchmarks/update_docs.py readings imitation
"""

import sys
from itertools import product
from pathlib import Path

import report

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "workflow_scripts"))
from dtkd.analysis import shown_runs  # noqa: E402
from dtkd.analysis.tables.table6 import table6  # noqa: E402
from dtkd.common.errors import DtkdError  # noqa: E402
from dtkd.common.files import read_parquet  # noqa: E402
from dtkd.config import Study  # noqa: E402
from dtkd.data import published  # noqa: E402
from dtkd.motion import subsets  # noqa: E402
from plan import study_of  # noqa: E402

FORMULAS = {"reverse": "Σ S (log S − log T)", "forward": "Σ T (log T − log S)"}


def imitation(study: Study) -> list[dict[str, object]]:
    """Table 6 of the students that are `gated` with `confidence` outside, at the lower temperature, and the paper's."""
    splits, indexes = (
        [f"{study.results}/{dataset}/{file}" for dataset in study.use] for file in ("split.json", "videos.parquet")
    )
    splits = subsets.read_splits(study.use, splits)
    indexes = {dataset: read_parquet(path) for dataset, path in zip(study.use, indexes, strict=True)}
    found = []
    for outputs, kl in product(("masked", "full"), FORMULAS):
        chosen = dict.fromkeys(study.use, f"{outputs}-gated-T2")
        analysis = study.analysis.model_copy(update={"kl": kl, "chosen": chosen})
        rows = shown_runs.table6(study.model_copy(update={"analysis": analysis}))
        floor = f", floor {rows[0]['floor']:g}" if rows[0]["floor"] else ""
        reading = {"teachers": outputs, "KL(S ‖ T)": FORMULAS[kl] + floor}
        found += [_row(row, row["dataset"], reading, "SM", "SIR")
                  for row in table6(rows, splits, indexes).to_dict("records")]  # fmt: skip
    for row in published.table(6).to_dict("records"):
        of = f"the paper's {row['dataset']}, {row['student']}"
        found.append(_row(row, of, {}, "selectivity_margin", "selective_imitation_ratio"))
    return found


def _row(row: dict, dataset: str, reading: dict[str, str], margin: str, ratio: str) -> dict[str, object]:
    values = {"St-T": "kl_static_teacher", "Dy-T": "kl_dynamic_teacher", "SM": margin, "SIR": ratio}
    shown = {name: None if row[key] != row[key] else f"{row[key]:.4g}" for name, key in values.items()}
    return {"data set": dataset, "teachers": None, "KL(S ‖ T)": None, **reading, "subset": row["subset"], **shown}


if __name__ == "__main__":
    try:
        study = study_of([str(PROJECT / "studies" / "readings.yaml")], PROJECT, sys.argv[1:])
        caption = (
            "Table 6 by both readings of the teachers' outputs and both of KL: the student's mean divergence in nats "
            "from the static (St-T) and the dynamic teacher (Dy-T). SM: cross less matched; SIR: cross over matched."
        )
        report.write("imitation", imitation(study), caption)
        table = Path(study.results, "tables", "readings.md")
        if not table.exists():
            raise DtkdError(f"{table}: there is no such file; let the workflow make it")
        report.write_text("readings", table.read_text(encoding="utf-8"))
    except DtkdError as error:
        sys.exit(f"error: {error}")
