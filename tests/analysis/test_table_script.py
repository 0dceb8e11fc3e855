"""The script of all tables."""

import json
import runpy
import subprocess
import sys
from types import SimpleNamespace

import pytest
from snakemake.iocontainers import Namedlist
from table_rows import (
    INDEX,
    SCRIPTS,
    SPLIT,
    row_of_imitation,
    rows_of_baselines,
    rows_of_deployment,
    rows_of_methods,
    rows_of_searches,
    rows_of_specialists,
    rows_of_students,
    rows_of_teachers,
)

from dtkd.analysis import contents


@pytest.mark.parametrize("name", contents.TABLES)
def test_the_script_takes_what_the_rule_gives(name, tmp_path, monkeypatch):
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "1")  # restored after the script has set its own
    (tmp_path / "split.json").write_text(json.dumps(SPLIT))
    INDEX.assign(path=[f"a/{n}.avi" for n in range(len(INDEX))]).to_parquet(tmp_path / "videos.parquet")
    baselines, study = rows_of_baselines(tmp_path), rows_of_students(tmp_path)
    teachers, imitation = rows_of_teachers(tmp_path / "own")[0], row_of_imitation(tmp_path / "chosen")[0]
    rows = {"table3": baselines, "crossvalidation": baselines, "table4": teachers, "table5": study,
            "table6": [imitation], "teachers": rows_of_specialists(tmp_path),
            "readings": [row | {"reading": "a"} for row in study],
            "students_over_lists": [study[1] | {"models": "SU4, again", "lists": "1, 2", "of_lists": [
                {"predictions": study[1]["predictions"], "baseline": study[0]["predictions"]}] * 2}],
            "methods": rows_of_methods(tmp_path), "searches": rows_of_searches(tmp_path),
            "deployment": rows_of_deployment(tmp_path)}  # fmt: skip
    given = SimpleNamespace(
        rule="table", threads=1, log=[str(tmp_path / "log")],
        params=Namedlist(fromdict={"rows": rows.get(name), "datasets": ["mine"]}),
        input=Namedlist(fromdict={
            "splits": [tmp_path / "split.json"] if contents.TABLES[name].splits else [],
            "indexes": [tmp_path / "videos.parquet"] if contents.TABLES[name].indexes else [],
        }),
        output=Namedlist(fromdict={kind: str(tmp_path / f"{name}.{kind}") for kind in ("csv", "md", "tex")}),
    )  # fmt: skip
    monkeypatch.setattr("dtkd.common.workflow_job.end_with_parent", lambda: None)  # the tests' process outlives it
    runpy.run_path(str(SCRIPTS / "table.py"), init_globals={"snakemake": given})
    assert (tmp_path / "log").read_text() == "done\n"
    lines = (tmp_path / f"{name}.csv").read_text().splitlines()
    assert len(lines) == 1 + {"table1": 3, "table2": 6, "table3": 4, "crossvalidation": 1, "table4": 2, "table5": 5,
                              "table6": 3, "teachers": 3, "readings": 5, "students_over_lists": 1,
                              "methods": 2, "searches": 4, "deployment": 2}[name]  # fmt: skip
    assert f"tab:{name}" in (tmp_path / f"{name}.tex").read_text()


def test_tables_do_without_torch_and_without_scipy_until_asked():
    names = ", ".join(contents.TABLES)
    code = (
        f"import sys; from dtkd.analysis.tables import {names};"
        "assert not {'torch', 'cv2', 'scipy', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=SCRIPTS)
