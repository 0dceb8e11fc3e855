"""Paste the benchmarks' tables into docs/performance.md, each between <!-- name --> and <!-- end -->.

The table of a name is results/benchmarks/<name>.md.

    python benchmarks/update_docs.py [name ...]

Without names, every table that results/benchmarks has.
"""

import re
import sys
from pathlib import Path

import report

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def pasted(page: str, tables: dict[str, str]) -> str:
    """The page with each table between its markers; sys.exit for a table without a place."""
    for name, table in tables.items():
        page, places = re.subn(
            rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)",
            lambda match, table=table: f"{match[1]}{table.strip()}\n{match[2]}", page, flags=re.DOTALL,
        )  # fmt: skip
        if places != 1:
            sys.exit(f"error: docs/performance.md has {places} places for {name}: give it one <!-- {name} -->")
    return page


if __name__ == "__main__":
    names = sys.argv[1:] or sorted(file.stem for file in report.FOLDER.glob("*.md"))
    if absent := [name for name in names if not (report.FOLDER / f"{name}.md").exists()]:
        sys.exit(f"error: no table of {', '.join(absent)}: run python benchmarks/{absent[0]}.py first")
    tables = {name: (report.FOLDER / f"{name}.md").read_text(encoding="utf-8") for name in names}
    PAGE.write_text(pasted(PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")
