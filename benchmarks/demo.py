r"""What the demo gives over three seeds: its regime, and Table 5, as the documentation has them.

It reads results alone; make those first, and paste the tables afterwards:

    snakemake --cores 8 --resources gpu=1 results/seeds/tables/table5.csv \
      --config 'seeds=[0,1,2]' results=results/seeds
    python benchmarks/demo.py 'seeds=[0,1,2]' results=results/seeds
    python benchmarks/update_docs.py regime seeds
"""

import sys
from pathlib import Path

import report

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "workflow_scripts"))
from dtkd.common.errors import DtkdError  # noqa: E402
from dtkd.config.overlays import study_of  # noqa: E402
from dtkd.operations import regime  # noqa: E402

if __name__ == "__main__":
    try:
        study = study_of([], PROJECT, sys.argv[1:])
        table = Path(study.results, "tables", "table5.md")
        if not table.exists():
            raise DtkdError(f"{table}: there is no such file; let the workflow make it")
        report.write(
            "regime",
            regime.table(study)[0].to_dict("records"),
            f"The demo's regime, over {len(study.seeds)} seeds: figures of list 1 beside their bounds.",
        )
        report.write_text("seeds", table.read_text(encoding="utf-8"))
    except DtkdError as error:
        sys.exit(f"error: {error}")
