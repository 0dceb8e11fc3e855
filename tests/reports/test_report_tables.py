"""The report's tables, from CSV files."""

import csv

from report_data import TABLE5

from dtkd.reports import tables


def test_each_baseline_starts_a_family():
    rows = list(csv.DictReader((TABLE5 + TABLE5.split("\n", 1)[1]).splitlines()))
    assert [len(family) for family in tables.families(rows)] == [3, 3, 3, 3]
    assert tables.best_rows(rows, "top1") == {1, 4, 5, 7, 10, 11}
    assert tables.best_rows([{"dataset": "a", "top1": "1"}, {"dataset": "b", "top1": "2"}], "top1") == set()


def test_values_are_merged_for_the_reader(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "dataset,model,LT,top1,top1_std,gain,gain_low,gain_high,p,paper_top1,diff_top1,empty\n"
        "d,a,True,41.00,1.20,-1.00,-3.00,+1.00,0.0001,95.00,-54.00,\nd,b,,,,,,,,,,\n"
    )
    found = tables.table(path, ["top1"])
    assert [column.label for column in found["columns"]] == [
        "model", "LT", "top-1 (%)", "gain", "95 % interval", "p", "top-1 (%)", "top-1 (%)"
    ]  # fmt: skip
    assert found["overs"] == [("", 6), ("the paper", 1), ("minus the paper", 1)]
    ((name, (row, blank)),) = found["groups"]
    assert name == "d"
    assert [cell.text for cell in row] == ["a", "yes", "41.00", "−1.00", "−3.00 to +1.00", "< 0.001", "95.00", "−54.00"]
    assert row[2].spread == "1.20"
    assert {cell.text for cell in blank[1:]} == {""}


def test_names_are_not_taken_for_values(tmp_path):
    path, names = tmp_path / "t.csv", ["-1", "True", "false", "1e5"]
    rows = [f"d,{name},{name},{name},True,-1\n" for name in names]
    path.write_text("dataset,class,model,video,LT,mean\n" + "".join(rows))
    found = tables.table(path)
    assert [column.numeric for column in found["columns"]] == [False, False, False, False, True]
    ((_, rows),) = found["groups"]
    assert [[cell.text for cell in row] for row in rows] == [[name, name, name, "yes", "−1"] for name in names]
