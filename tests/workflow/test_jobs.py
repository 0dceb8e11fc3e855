"""The jobs of every shipped study stay what they are, each by its message, and how many each rule has.

Where a change of them is meant, `make pins` accepts it; look at the difference before you commit it.
"""

import json
import re
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import official
import pytest
import tiny

FILE = tiny.PROJECT / "tests" / "golden" / "jobs.json"
UNDER = {"studies/gpu.yaml": "studies/own_videos.yaml ", "studies/compress.yaml": "studies/paper.yaml "}
OVERLAYS = sorted(f"studies/{file.name}" for file in (tiny.PROJECT / "studies").glob("*.yaml"))
STUDIES = ["config.yaml", *(f"{UNDER.get(file, '')}{file}" for file in OVERLAYS)]


def write_data(root: Path) -> Path:
    """config.yaml and, where the studies look for them, UCF101, HMDB51 and a folder of videos: each one byte."""
    (root / "config.yaml").write_bytes((tiny.PROJECT / "config.yaml").read_bytes())
    data = root / "data"
    data.mkdir()
    for write, places in (
        (official.write_ucf101, ("UCF-101", "ucfTrainTestlist")),
        (official.write_hmdb51, ("hmdb51", "testTrainMulti_7030_splits")),
    ):
        for folder, name in zip(write(root / "official"), places, strict=True):
            folder.rename(data / name)
    for name in ("run", "sit", "turn", "wave"):
        (data / "my_videos" / name).mkdir(parents=True)
        for number in range(8):
            (data / "my_videos" / name / f"{number}.mp4").write_bytes(b"\0")
    return root


def planned(root: Path, study: str) -> dict[str, Any]:
    """The number of each rule's jobs and what every job says, of a dry run for the default targets."""
    done = tiny.snakemake(root, "--dry-run", "--configfile", *(str(tiny.PROJECT / file) for file in study.split()))
    assert done.returncode == 0, done.stderr
    counts = re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE)
    messages = Counter(re.findall(r"^\s*Job \d+: (.+)$", done.stdout, re.MULTILINE))
    assert set(messages.values()) == {1}, "no job twice"
    return {"rules": {rule: int(number) for rule, number in sorted(counts)}, "jobs": sorted(messages)}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("studies"))


@pytest.mark.parametrize("study", STUDIES)
def test_studies_keep_their_jobs(study, root):
    wanted, found = json.loads(FILE.read_text(encoding="utf-8"))[study], planned(root, study)
    assert found["rules"] == wanted["rules"]
    assert found["jobs"] == wanted["jobs"]


def test_every_pin_has_its_study():
    assert json.loads(FILE.read_text(encoding="utf-8")).keys() == set(STUDIES)


def renew() -> None:
    with TemporaryDirectory() as folder:
        root = write_data(Path(folder))
        pins = {study: planned(root, study) for study in STUDIES}
    FILE.write_text(json.dumps(pins, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    renew()
