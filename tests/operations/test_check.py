"""The command: every trap of a small folder is named, on a page and in files; what cannot be checked is one line."""

import csv
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from conftest import write_video

from dtkd.checks import findings
from dtkd.config.overlays import study_of
from dtkd.operations import check

PROJECT = Path(__file__).parents[2]
CLASSES = ("left_throw", "right_throw", "jump", "sit & stand", "walk")


def acted(path, seed):
    """Two persons at the ends of a wide frame, each video before a wall of its own."""
    random = np.random.default_rng(seed)
    wall = cv2.resize(random.integers(0, 255, (5, 12, 3)).astype(np.uint8), (144, 48))
    phase, colours = random.random(2) * 6, random.integers(0, 255, (2, 3))
    images = []
    for t in range(14):
        image = wall.copy()
        for k, x in enumerate((14, 130)):
            y = int(24 + 8 * np.sin(phase[k] + 0.7 * t))
            cv2.ellipse(image, (x, y), (6, 12), 0, 0, 360, colours[k].tolist(), -1)
        images.append(image)
    return write_video(path, images)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five classes of eight videos that are numbered throughout, and one video that is there twice."""
    root = tmp_path_factory.mktemp("data") / "my clips"
    for number in range(40):
        own = root / CLASSES[number % 5]
        own.mkdir(parents=True, exist_ok=True)
        acted(own / f"{number + 1}.avi", seed=number)
    shutil.copy(root / "jump" / "3.avi", root / "jump" / "41.avi")
    return root


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    with pytest.raises(SystemExit) as end:
        check.main([str(word) for word in words])
    return end.value.code


CLIP = "clip={frames: 4, rate: 2}"


@pytest.fixture(scope="module")
def checked(folder, tmp_path_factory):
    """(the folder of results, what was printed) of one run."""
    here = tmp_path_factory.mktemp("here")
    done = subprocess.run(
        [sys.executable, "-m", "dtkd.check", str(folder), "--threads", "2", "--config", CLIP],
        cwd=here, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(PROJECT / "workflow_scripts")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return here / "results/my_clips", done.stdout


def test_every_trap_is_named(checked):
    folder, printed = checked
    _, settings, found = findings.read(folder / "check.json")
    by_check = {finding.check: finding for finding in found}
    assert {name for name, finding in by_check.items() if finding.level == "error"} == {
        "mirrored_classes", "unseen_motion", "copies"}  # fmt: skip
    assert by_check["mirrored_classes"].rows == ({"class": "left_throw", "its mirror image": "right_throw"},)
    assert by_check["copies"].rows[0]["video"] == "jump/3.avi"
    assert "nothing_groups" in by_check
    assert "chosen_on_test" in by_check
    assert settings["clip"] == {"frames": 4, "rate": 2}
    for finding in found:
        assert " ".join(finding.what.split()) in " ".join(printed.split())
    assert printed.index("WARNING") < printed.index("ERROR"), "the most serious stands last, where the eye is"
    assert f"my_clips: 3 errors, {findings.counted(found).partition(', ')[2]}" in printed


def test_no_false_alarm(checked):
    """Every video is of its own place, and none but the copy is like another."""
    _, _, found = findings.read(checked[0] / "check.json")
    assert not {"shared_places", "shared_recordings", "groups_in_names", "occasions", "file_tells_class",
                "frame_rates"} & {finding.check for finding in found}  # fmt: skip
    [copies] = [finding for finding in found if finding.check == "copies"]
    assert len(copies.rows) == 1


class Page(HTMLParser):
    """What a page loads, shows and holds."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.tags, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_holds_everything_and_loads_nothing(checked):
    page = Page((checked[0] / "check.html").read_text(encoding="utf-8"))
    assert all(place.startswith(("#", "data:")) for place in page.loads)
    assert "script" not in page.tags
    assert sum(place.startswith("data:image/png") for place in page.loads) == 1, "the figure"
    assert sum(place.startswith("data:image/jpeg") for place in page.loads) == 2, "both of the pair"
    text = " ".join(" ".join(page.text).split())
    _, _, found = findings.read(checked[0] / "check.json")
    for finding in found:
        assert " ".join(finding.what.split()) in text
        assert " ".join(finding.remedy.split()) in text
    assert "41 in 5 classes" in text
    assert "sit & stand" in text
    assert "split.json" in text, "how to have the groups checked"


def test_the_table_has_a_row_a_finding(checked):
    with open(checked[0] / "check.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    _, _, found = findings.read(checked[0] / "check.json")
    assert [row["what"] for row in rows] == [finding.what for finding in found]


def test_what_is_proposed_mends_it(checked, folder, here, capsys):
    """With the proposed lines the errors are gone that settings can fix; the lists are read and keep the copy."""
    _, _, found = findings.read(checked[0] / "check.json")
    lines = {finding.check: finding.config for finding in found}
    datasets = lines["copies"].replace("results/my_clips", str(checked[0]))
    overlay = yaml.safe_load(datasets) | yaml.safe_load(lines["mirrored_classes"])
    (here / "fixed.yaml").write_text(yaml.safe_dump(overlay))
    last = lines["chosen_on_test"].replace(": ", "=", 1)
    assert run("my_clips", "--configfile", "fixed.yaml", "--config", CLIP, last) == 0
    _, settings, found = findings.read(here / "results/my_clips/check.json")
    assert settings["dataset"]["format"] == "csv"
    found = {finding.check: finding.level for finding in found}
    assert {name for name, level in found.items() if level == "error"} == {"unseen_motion"}
    assert found["copies"] == "note", "still there twice, but on one side"
    assert found["nothing_groups"] == "note", "who acts is still not known"
    assert "chosen_on_test" not in found


def test_lists_that_the_data_set_uses_are_left_alone(checked, here):
    """They are the study's own now, though there is nothing more to propose."""
    shutil.copytree(checked[0], here / "results/my_clips")
    _, _, found = findings.read(checked[0] / "check.json")
    proposed = next(finding.config for finding in found if finding.check == "copies")
    (here / "fixed.yaml").write_text(proposed)
    before = (here / "results/my_clips/lists_by_group.csv").read_bytes()
    assert run("my_clips", "--configfile", "fixed.yaml", "--config", CLIP) == 0
    assert (here / "results/my_clips/lists_by_group.csv").read_bytes() == before


def test_a_second_check_decodes_no_video_again(checked, folder, monkeypatch):
    """Inspection and small pictures are kept beside the page; only the few videos whose motion is shown are read."""
    monkeypatch.chdir(checked[0].parents[1])
    monkeypatch.setattr("dtkd.data.thumbnails.of_video", None)
    monkeypatch.setattr("dtkd.data.inspection._Decoder.__call__", None)
    assert run(folder, "--config", CLIP, "augment={flip: 0}") == 0
    _, _, found = findings.read(checked[0] / "check.json")
    assert "mirrored_classes" not in {finding.check for finding in found}


def test_broken_videos_are_named_and_the_rest_is_checked(folder, here, capsys):
    broken = here / "clips"
    shutil.copytree(folder, broken)
    (broken / "walk" / "5.avi").write_bytes(b"RIFF")
    assert run(broken, "--config", CLIP) == 1
    _, _, found = findings.read(here / "results/clips/check.json")
    assert found[0].what == "1 of 41 videos cannot be used."
    assert found[0].rows[0]["video"] == "walk/5.avi"
    assert "walk" in capsys.readouterr().out


def test_no_video_can_be_used(here):
    for name in ("a", "b"):
        (here / "clips" / name).mkdir(parents=True)
        for number in range(2):
            (here / "clips" / name / f"{number}.avi").write_bytes(b"RIFF")
    line = run(here / "clips")
    assert line.startswith("error: clips: none of its 4 videos can be used (a/0.avi: ")


@pytest.mark.parametrize(("words", "line"), [
    (["nothing"], "error: nothing: is no folder, and no data set of the config, which has demo_ucf, demo_hmdb, "
                  "demo_source; name one, or the folder of your videos"),
    (["empty"], "error: empty: no class folders here; `videos` must hold one folder of videos per class"),
    (["demo_ucf"], r"error: demo_ucf: the project has not rendered its videos yet; snakemake --cores \d+ "
                   "results/demo_ucf/check.html does so and checks them"),
    (["sub/demo_ucf"],
     r"error: sub/demo_ucf: the config has a data set demo_ucf elsewhere \(results/demo_ucf/raw\), .*"),
    (["empty", "--config", "flwo=1"], r"error: config: flwo: unknown key; did you mean 'flow'\?"),
    (["empty", "--configfile", "none.yaml"], r"error: none.yaml: .*"),
])  # fmt: skip
def test_what_cannot_be_checked_is_one_line(here, words, line):
    for name in ("empty", "sub/demo_ucf"):
        (here / name).mkdir(parents=True)
    assert re.fullmatch(line, run(*words))
    assert not (here / "results").exists()


def test_a_folder_of_the_config_is_that_data_set(folder):
    study = study_of([PROJECT / "studies/own_videos.yaml"], PROJECT, [f"datasets={{my_videos: {{videos: {folder}}}}}"])
    name, dataset = check.named(study, str(folder))
    assert (name, dataset) == ("my_videos", study.datasets["my_videos"])
    assert check.named(study, "my_videos") == (name, dataset)
