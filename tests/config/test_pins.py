"""The names and settings of every shipped study's runs stay what they are: a change makes finished trainings run again.

Where a change of them is meant, `make pins` accepts it; look at the difference before you commit it.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from dtkd.config.overlays import study_of

PROJECT = Path(__file__).parents[2]
FILE = PROJECT / "tests" / "golden" / "pins.json"
OVERLAYS = sorted(f"studies/{file.name}" for file in (PROJECT / "studies").glob("*.yaml"))
# Words of --configfile; some overlays are laid over others.
UNDER = {"studies/gpu.yaml": "studies/own_videos.yaml ", "studies/compress.yaml": "studies/paper.yaml "}
STUDIES = ["config.yaml", *(f"{UNDER.get(file, '')}{file}" for file in OVERLAYS)]


def pinned(study: str) -> dict[str, Any]:
    """What all runs of a study have in common, and by folder what each has beside that."""
    asked = study_of([str(PROJECT / file) for file in study.split()], PROJECT)
    settings = {folder: asked.settings(run) for folder, run in asked.runs().items()}
    first, *others = settings.values()
    common = {key: value for key, value in first.items() if all(key in o and o[key] == value for o in others)}
    runs = {folder: {key: own[key] for key in own.keys() - common.keys()} for folder, own in settings.items()}
    return json.loads(json.dumps({"common": common, "runs": runs}))


@pytest.mark.parametrize("study", sorted(STUDIES))
def test_runs_keep_their_names_and_settings(study):
    wanted, found = json.loads(FILE.read_text(encoding="utf-8"))[study], pinned(study)
    assert found["common"] == wanted["common"]
    assert found["runs"] == wanted["runs"]


def test_every_pin_has_its_study():
    assert json.loads(FILE.read_text(encoding="utf-8")).keys() == set(STUDIES)


def renew() -> None:
    pins = {study: pinned(study) for study in STUDIES}
    FILE.write_text(json.dumps(pins, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    renew()
