"""The code that a result depends on is what a search by Python's own parser finds."""

import pytest
from imports import LIBRARY, SCRIPTS, file_of, reached

from dtkd.analysis import contents
from dtkd.common.code_files import PLUMBING, code_of

SEARCHED = sorted(file.stem for file in SCRIPTS.glob("*.py") if "snakemake" in file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("script", SEARCHED)
def test_a_script_and_what_it_imports(script):
    script = SCRIPTS / f"{script}.py"
    modules = reached(script, but=tuple(f"dtkd.{package}" for package in PLUMBING))
    files = {file_of(module) for module in modules if module.startswith("dtkd.")}
    assert set(code_of(script)) == set(map(str, {script, *files} - {None}))


def test_known_code():
    code = code_of(SCRIPTS / "table.py", "dtkd.analysis.tables.table5")
    assert str(LIBRARY / "analysis" / "significance.py") in code, "through another module"
    assert str(LIBRARY / "data" / "published" / "__init__.py") in code, "a package's own"
    assert not any("/common/" in file or "/config/" in file for file in code)
    assert str(LIBRARY / "training" / "loop.py") not in code


def test_a_table_depends_on_no_other_tables_module():
    """Nor a figure on another figure's."""
    for script, entries in (("table", contents.TABLES), ("figure", contents.FIGURES)):
        folder = LIBRARY / "analysis" / f"{script}s"
        for name in entries:
            code = set(code_of(SCRIPTS / f"{script}.py", f"dtkd.analysis.{script}s.{name}"))
            assert str(folder / f"{name}.py") in code
            assert not code & {str(folder / f"{other}.py") for other in set(entries) - {name}}, name


def test_a_module_that_is_imported_by_name():
    more = set(code_of(SCRIPTS / "examples.py", "dtkd.motion.raft")) - set(code_of(SCRIPTS / "examples.py"))
    assert {str(LIBRARY / "motion" / "raft.py"), str(LIBRARY / "models" / "weights.py")} <= more
    assert str(LIBRARY / "models" / "entries.py") in more, "which the package itself imports"
