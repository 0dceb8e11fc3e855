"""The script of all figures: each is drawn of the files that the rule gives it."""

import json
import runpy
from types import SimpleNamespace

import numpy as np
import pytest
from figure_data import history, kept, table5, table_of_gains, table_of_teachers
from matplotlib.image import imread
from snakemake.iocontainers import Namedlist
from table_rows import INDEX, NETWORK, SCRIPTS, SPLIT, drawn, rows_of_searches

from dtkd.analysis import contents

LABELS = np.repeat(np.arange(4), 8).tolist()
SHOWN = {  # by the functions of `shown_runs`: the labels of what a figure shows
    "baselines_to_beat": ["U1"], "pairs": ["U1", "SU1"], "student_and_teachers": ["student", "static", "dynamic"],
    "lists": ["U1", "U2"], "rivals": ["SU1", "SU2", "U1"], "students": ["SU1", "SU2"], "each_method": ["U1", "SU1"],
    "repeated": ["baseline", "predictions"], "costs": ["baseline", "DTKD"], "blocks": ["baseline", "DTKD", "BSKD"],
}  # fmt: skip
GRIDS = {"mine": {"sweep": {"keys": {"S_alpha": ["0.3", "0.5"]}, "students": {"S0": ["0.3"], "S1": ["0.5"]}}}}
HISTORIES = {"lists", "rivals", "students"}
SETTINGS = {
    "divergences": {"mine": {"kl": "forward", "floor": None}}, "chosen": {"mine": "SU1"}, "as_published": ["mine"],
}  # fmt: skip


def file_of(folder, runs, seed):
    if runs not in HISTORIES:
        return drawn(folder / f"{seed}.parquet", LABELS, 4, seed)
    history(3, seed).to_parquet(folder / f"history{seed}.parquet")
    return str(folder / f"history{seed}.parquet")


@pytest.fixture
def table(tmp_path):
    """The table that a figure is made of, by the figure's name."""
    table5(tmp_path).to_csv(tmp_path / "sensitivity.csv", index=False)
    for name in ("gains", "grids"):
        table_of_gains("mine").to_csv(tmp_path / f"{name}.csv", index=False)
    table_of_teachers("mine").to_csv(tmp_path / "teachers.csv", index=False)
    return lambda name: str(tmp_path / f"{name}.csv")


@pytest.mark.parametrize("name", [*contents.FIGURES, "teachers"])
def test_the_script_takes_what_the_rule_gives(name, table, tmp_path, monkeypatch):
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "1")  # restored after the script has set its own
    monkeypatch.setattr("dtkd.common.workflow_job.end_with_parent", lambda: None)  # the tests' process outlives it
    monkeypatch.setattr("dtkd.data.published.gains", lambda *names: {"per_class_mean": 1.0})
    (tmp_path / "split.json").write_text(json.dumps(SPLIT))
    (tmp_path / "stability.json").write_text(json.dumps(kept(SPLIT)))
    INDEX.to_parquet(tmp_path / "videos.parquet")
    reads = contents.FIGURES.get(name, contents.Reads(table="teachers"))
    labels = SHOWN.get(reads.runs, [])
    files = {label: [file_of(tmp_path, reads.runs, seed)] for seed, label in enumerate(labels)}
    shown = GRIDS if reads.runs == "grids" else {"mine": files}
    if reads.runs == "searches":
        shown = rows_of_searches(tmp_path)
    if reads.runs == "repeated":
        shown = {"mine": {"SU1": {"1": files}}}
    if reads.runs == "blocks":
        shown = {"mine": {str(number): files for number in range(1, 6)}}
    if reads.runs == "costs":
        (tmp_path / "run.json").write_text(json.dumps({"network": NETWORK}))
        network = {"record": str(tmp_path / "run.json"), "backbone": "x3d_s", "clip": "13x6"}
        shown = {"mine": {method: {"S": network | {"predictions": own}} for method, own in files.items()}}
    given = SimpleNamespace(
        rule="figure", threads=1, log=[str(tmp_path / "log")],
        params=Namedlist(fromdict={"shown": shown, "datasets": ["mine"]} | {
            setting: value if reads.setting == setting else None for setting, value in SETTINGS.items()
        }),
        input=Namedlist(fromdict={
            "splits": [tmp_path / "split.json"] if reads.splits else [],
            "indexes": [tmp_path / "videos.parquet"] if reads.indexes else [],
            "stability": [tmp_path / "stability.json"] if reads.stability else [],
            "table": table(name) if reads.table else [],
        }),
        output=Namedlist(fromdict={kind: str(tmp_path / f"{name}.{kind}") for kind in ("png", "pdf")}),
    )  # fmt: skip
    runpy.run_path(str(SCRIPTS / "figure.py"), init_globals={"snakemake": given})
    assert (tmp_path / "log").read_text() == "done\n"
    assert np.ptp(imread(tmp_path / f"{name}.png")) > 0.4, "something is drawn"
    assert (tmp_path / f"{name}.pdf").read_bytes().startswith(b"%PDF")
