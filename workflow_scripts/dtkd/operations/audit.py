"""Look the locked packages up in PyPI's list of known vulnerabilities: `make audit`.

pip-audit does the work; but where it cannot look a package up, it only leaves it out, and ends well. Here nothing is
well that was not looked up. Exit status: 0 all were looked up and none is vulnerable, 1 some are, 2 not all were.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def outcome(report: dict[str, Any], file: str) -> tuple[int, str]:
    """Exit status and what to say of pip-audit's JSON report on ``file``."""
    packages = report["dependencies"]
    skipped = [package for package in packages if "skip_reason" in package]
    lines = [
        f"{package['name']} {package['version']}: {found['id']} ({' '.join(found['aliases'])}), "
        f"fixed in {', '.join(found['fix_versions']) or 'no version yet'}"
        for package in packages
        for found in package.get("vulns", [])
    ]
    vulnerable = len(lines)
    lines.append(f"{len(packages) - len(skipped)} of {len(packages)} packages of {file} were looked up; "
                 f"{vulnerable or 'no'} known {'vulnerability' if vulnerable < 2 else 'vulnerabilities'}")  # fmt: skip
    if skipped:
        lines.append(
            f"error: {len(skipped)} of {len(packages)} packages were not checked: {skipped[0]['skip_reason']}; "
            "does a mirror stand in for PyPI here, without its list? Ask PyPI itself"
        )
    return (1 if vulnerable else 2 if skipped or not packages else 0), "\n".join(lines)


def main() -> None:
    file = sys.argv[1] if len(sys.argv) > 1 else "requirements.lock"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
        command = [sys.executable, "-m", "pip_audit", "--requirement", file, *options, "--output", str(report)]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
        if not report.exists():
            said = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
            print(f"error: nothing was checked: the list of known vulnerabilities cannot be reached ({said})")
            sys.exit(2)
        status, text = outcome(json.loads(report.read_text(encoding="utf-8")), file)
    print(text)
    sys.exit(status)


if __name__ == "__main__":
    main()
