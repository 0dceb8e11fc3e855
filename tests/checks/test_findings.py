"""Findings and their files."""

import csv
import doctest

from dtkd.checks import findings, wording
from dtkd.checks.findings import Finding, ordered, pressing, read, write, write_csv

FOUND = [
    Finding("note", "a", "b", "c", check="one"),
    Finding("error", "d, \"e\"", "f\ng", "h", "clip: {rate: 2}", ({"video": "ü", "other": "x"},), "two"),
    Finding("warning", "i", "j", "k", check="three"),
    Finding("error", "l", "m", "n", check="four"),
]  # fmt: skip


def test_doctests():
    for module in (findings, wording):
        assert doctest.testmod(module).failed == 0


def test_the_most_serious_come_first_and_notes_press_nobody():
    assert [finding.check for finding in ordered(FOUND)] == ["two", "four", "three", "one"]
    assert [finding.check for finding in pressing(FOUND)] == ["two", "three", "four"]


def test_files_hold_all_of_it(tmp_path):
    settings = {"augment": {"flip": 0.5, "short_side": [1, 2]}}
    write(tmp_path / "check.json", "mine", settings, FOUND)
    assert read(tmp_path / "check.json") == ("mine", settings, FOUND)
    write_csv(tmp_path / "check.csv", FOUND)
    with open(tmp_path / "check.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["check"] for row in rows] == ["one", "two", "three", "four"]
    assert rows[1] == {"level": "error", "check": "two", "what": 'd, "e"', "why": "f\ng", "remedy": "h",
                       "config": "clip: {rate: 2}"}  # fmt: skip
