"""What the report says first of the students' gains."""

import csv

import pytest
from report_data import TABLE5

from dtkd.reports import summary


@pytest.mark.parametrize(
    ("gain", "p", "corrected", "verdict"),
    [(5.0, 0.001, 0.01, "better"), (5.0, 0.04, 0.4, "flattered"), (5.0, 0.2, 1.0, "noise"), (5.0, 0.04, None, "better"),
     (5.0, None, None, "unknown"), (0.0, 1.0, 1.0, "none"), (-3.0, 0.01, 0.01, "none"), (None, None, None, "none")],
)  # fmt: skip
def test_verdicts(gain, p, corrected, verdict):
    found = summary.Finding("d", "U1", 50.0, 3, "SU1", 55.0, gain, p=p, corrected=corrected)
    assert found.verdict == verdict


def test_the_chosen_student_is_named_where_it_is_not_the_best():
    rows = list(csv.DictReader(TABLE5.splitlines()))
    first, second = summary.findings(rows, {"demo_ucf": "SU2", "demo_hmdb": "SH1"})
    assert (first.student, first.chosen, first.chosen_gain) == ("SU1", "SU2", -2.0)
    assert (second.student, second.chosen) == ("SH1", None)
    assert first.place(0) == 50
    assert 50 < first.place(5) < first.place(12) < 100


def test_a_control_is_no_student():
    rows = list(csv.DictReader(TABLE5.splitlines()))
    control = rows[0] | {"model": "longer", "method": "control", "top1": "90.00", "gain": "+50.00"}
    (first, _) = summary.findings([rows[0], control, *rows[1:]], {})
    assert (first.student, first.students) == ("SU1", 2)
