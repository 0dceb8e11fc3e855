"""The report's runs, and what made them."""

from report_data import EVIL, one_run

from dtkd.reports.runs import alike, inputs, run_rows, totals


def test_runs_their_time_and_what_made_them(tmp_path):
    other = {"index": {"path": f"results/{EVIL}.parquet", "sha256": "cd"}}
    last = {"train": {"selection": "last"}, "backbone": "x3d_s"}
    files = [one_run(tmp_path, "a"), one_run(tmp_path, "b", git=None, settings=last, inputs=other)]
    runs = [{"dataset": "d", "list": 1, "role": role, "run": role, "seed": 3} for role in ("baseline", "student")]
    rows = run_rows(runs, *zip(*files, strict=True))
    assert [(row["selected"], row["top1"], row["epochs"]) for row in rows] == [(2, "30.00", 3), (3, "20.00", 3)]
    assert [(row["train"], row["wait"], row["test"], row["total"]) for row in rows] == [(180, 6, 15, 195)] * 2
    assert [row["backbone"] for row in rows] == ["", "x3d_s"], "of an earlier version nothing is known"
    *_, everything = totals(rows)
    assert (everything["role"], everything["runs"], everything["total"]) == ("all", 2, 390)
    assert [(row["sha256"], row["changed"]) for row in inputs(rows)] == [("ab" * 32, True), ("cd", True)]
    assert [git.get("commit") for git, _ in alike(row["git"] for row in rows)] == ["0123456789abcdef", None]
