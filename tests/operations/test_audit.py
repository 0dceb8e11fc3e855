"""`make audit`: nothing is well that was not looked up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dtkd.operations import audit

GOOD = {"name": "numpy", "version": "2.4.6", "vulns": []}
BAD = {"name": "jinja2", "version": "2.4.1", "vulns": [
    {"id": "PYSEC-2014-8", "fix_versions": ["2.7.2"], "aliases": ["CVE-2014-1402"], "description": "..."},
]}  # fmt: skip
UNKNOWN = {"name": "torch", "skip_reason": "Dependency not found on PyPI and could not be audited: torch (2.14.1)"}


@pytest.mark.parametrize(("packages", "status", "lines"), [
    ([GOOD], 0, ["1 of 1 packages of a.lock were looked up; no known vulnerability"]),
    ([GOOD, BAD], 1, ["jinja2 2.4.1: PYSEC-2014-8 (CVE-2014-1402), fixed in 2.7.2",
                      "2 of 2 packages of a.lock were looked up; 1 known vulnerability"]),
    ([GOOD, UNKNOWN], 2, ["1 of 2 packages of a.lock were looked up; no known vulnerability",
                          "error: 1 of 2 packages were not checked: Dependency not found on PyPI"]),
    ([BAD, UNKNOWN], 1, ["jinja2 2.4.1: ", "1 of 2 packages", "error: 1 of 2 packages"]),
    ([], 2, ["0 of 0 packages of a.lock were looked up; no known vulnerability"]),
])  # fmt: skip
def test_outcome(packages, status, lines):
    found, text = audit.outcome({"dependencies": packages}, "a.lock")
    assert found == status
    assert len(text.splitlines()) == len(lines)
    for line, beginning in zip(text.splitlines(), lines, strict=True):
        assert line.startswith(beginning)


@pytest.mark.parametrize("said", ["requests.exceptions.ConnectionError: no route to host", ""])
def test_where_the_list_cannot_be_reached_nothing_was_checked(tmp_path, said):
    """With a pip-audit that ends as the real one does without a network: with words and without a report."""
    (tmp_path / "pip_audit.py").write_text(f"import sys; sys.exit({said!r})")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, Path(audit.__file__), "a.lock"], capture_output=True, text=True,
                          env=environment)  # fmt: skip
    assert done.returncode == 2
    assert done.stdout.startswith("error: nothing was checked: the list of known vulnerabilities cannot be reached (")
    assert (said or "pip-audit said nothing") in done.stdout
