"""Bad input through the real command: one line that names file, field and remedy; and nothing half-written."""

import csv
import hashlib
import json
import re

import pandas as pd
import pytest
import tiny
from conftest import draw

TRAINLIST = "lists/trainlist01.txt"


@pytest.fixture
def study(tmp_path):
    return tiny.write(tmp_path / "study")


def drawn(root, classes=tiny.CLASSES):
    """Real videos in place of the placeholders."""
    for label, name in enumerate(classes):
        for seed, clip in enumerate(tiny.CLIPS[name]):
            draw(root / "videos" / clip, seed=seed, label=label)


def refused(root, *arguments):
    """The output of a run that must fail, without a traceback and without half a file left behind."""
    done = tiny.snakemake(root, *arguments)
    output = done.stdout + done.stderr
    assert done.returncode != 0, output
    assert "Traceback" not in output
    assert not list(root.rglob("*.partial*"))
    return output


def error_lines(output):
    return {line for line in output.splitlines() if line.startswith("error: ")}


def planned_out(root):
    """The one line with which a run ends that has not begun any job."""
    output = refused(root, tiny.TABLE5)
    assert not (root / "results").exists(), "no job has run"
    (line,) = error_lines(output)
    assert output.rstrip().endswith(line), "nothing after it hides it"
    return line


# Before any job


@pytest.mark.parametrize(("change", "line"), [
    (lambda config: config.update(flwo={}), "config: flwo: unknown key; did you mean 'flow'?"),
    (lambda config: config["split"].update(quantlie=0.5),
     "config: split.quantlie: unknown key; did you mean 'quantile'?"),
    (lambda config: config["students"]["tiny"]["A"].update(S_alpha=1.5),
     "config: students.tiny.A.S_alpha: input should be less than or equal to 1 (got 1.5)"),
    (lambda config: config["students"]["tiny"]["A"].update(S_alpha=-0.1),
     "config: students.tiny.A.S_alpha: input should be greater than or equal to 0 (got -0.1)"),
    (lambda config: config["datasets"]["tiny"].update(annotations="list"),
     "list: there is no such folder; correct `annotations`"),
    (lambda config: config["datasets"]["tiny"].update(videos="video"),
     "video: there is no such folder; correct `videos`"),
], ids=["unknown section", "unknown key", "S_alpha above 1", "S_alpha below 0", "no lists", "no videos"])  # fmt: skip
def test_config(study, change, line):
    tiny.configure(study, change)
    assert planned_out(study) == f"error: {line}"


@pytest.mark.parametrize("stock", [False, True])
def test_a_row_twice_in_the_config(study, stock):
    file = study / "config.yaml"
    file.write_text(file.read_text() + "    B: {method: kd, KD_T: 2, KD_alpha: 0.4}\n")
    done = tiny.snakemake(study, "--dry-run", tiny.TABLE5, stock=stock)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: config.yaml: students.tiny.B is given on lines 43 and 55, and only the last would count; rename or "
        "remove the others"
    )


@pytest.mark.parametrize(("words", "line"), [
    (["--configfile", "mine.yaml"], "mine.yaml: seeds is given on lines 1 and 3, and only the last would count; "
                                    "rename or remove the others"),
    (["--config", "students={tiny: {B: {KD_T: 3}, B: {KD_T: 4}}}"],
     "--config: students.tiny.B is given twice, and only the last would count; keep one"),
    (["--config", "device=cuda", "--config", "device=cpu"],
     "--config: device is given twice, and only the last would count; keep one"),
])  # fmt: skip
def test_a_key_twice_in_an_overlay(study, words, line):
    (study / "mine.yaml").write_text("seeds: [0]\nname: mine\nseeds: [1]\n")
    done = tiny.snakemake(study, "--dry-run", tiny.TABLE5, *words)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: {line}"


def test_two_options_count_both(study):
    done = tiny.snakemake(study, "--dry-run", tiny.TABLE5, "--config", "results=out", "--config", "name=other")
    assert error_lines(done.stderr) == {
        "error: results/tables/table5.csv: the study makes no such file: its own begin with out/, as "
        "out/tables/table5.csv does"
    }


def test_class_without_training_video(study):
    lists = study / TRAINLIST
    lists.write_text("".join(line for line in lists.read_text().splitlines(keepends=True) if "Diving/" not in line))
    assert planned_out(study) == (
        "error: lists: class Diving has no train video in list 1; add one to the list, or remove the class from "
        "every list"
    )


def test_list_with_a_wrong_label(study):
    lists = study / TRAINLIST
    lists.write_text(lists.read_text().replace("_g03_c01.avi 3", "_g03_c01.avi 4"))
    assert planned_out(study) == (
        "error: lists/trainlist01.txt, line 8: Diving/v_Diving_g03_c01.avi has label 4, but classInd.txt gives Diving "
        "the label 3; correct one of the two"
    )


def test_list_names_a_missing_video(study):
    (study / "videos" / tiny.CLIPS["Diving"][2]).unlink()
    assert planned_out(study) == (
        "error: videos: 1 of 16 videos is missing: Diving/v_Diving_g03_c01.avi; Diving/v_Diving_g03_c01.avi is named "
        "in lists/trainlist01.txt line 8; put the files there, or correct the lists or `videos`"
    )


def test_missing_video_does_not_hide_behind_an_old_index(study):
    """Snakemake takes an existing output for granted whose inputs are missing; the study does not."""
    index = study / "results/tiny/videos.parquet"
    index.parent.mkdir(parents=True)
    index.touch()
    (study / "videos" / tiny.CLIPS["Diving"][2]).unlink()
    assert "1 of 16 videos is missing" in refused(study, tiny.TABLE5)


@pytest.mark.parametrize(("target", "line"), [
    ("results/tiny/list1/student/dtkd-S0.9-seed0/checkpoint.pt",
     "error: results/tiny/list1/student/dtkd-S0.9-seed0: the study has no such run; its student runs are"),
    ("results/tiny/flow/Archry.parquet", "error: tiny has no class called 'Archry'"),
    ("results/tiny/flow/Archery/v.parquet", "error: tiny/Archery has no video called 'v'"),
    ("results/tinny/videos.parquet", "error: config: datasets: no dataset is called 'tinny'"),
])  # fmt: skip
def test_target_that_the_study_has_not(study, target, line):
    assert error_lines(refused(study, target)) == {line}
    assert not (study / "results").exists()


# In a job: the line is printed when it happens, and stands in the job's log and under the failed jobs at the end


def failed(root, target, log):
    """The one line with which a job failed."""
    output = refused(root, target)
    assert not (root / target).exists()
    (line,) = error_lines(output)
    assert (root / log).read_text() == f"{line}\n"
    end = output[output.index("Error in rule") :]
    assert line in end, "still in sight at the end of a long run"
    return line


def spoilt(study, *clips):
    """Real videos, of which these are empty; the first is cut in half."""
    drawn(study)
    for clip in clips:
        (study / "videos" / clip).write_bytes(b"")
    cut_in_half(study / "videos" / clips[0])


def cut_in_half(path):
    draw(path, frames=60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def problems(study):
    with open(study / "results/tiny/problems.csv", newline="") as lines:
        return list(csv.DictReader(lines))


SPOILT = [tiny.CLIPS["Archery"][1], tiny.CLIPS["Bowling"][3], tiny.CLIPS["Diving"][1], tiny.CLIPS["Diving"][2]]


def test_all_unusable_videos_are_refused_at_once_and_listed(study):
    spoilt(study, *SPOILT)
    line = failed(study, "results/tiny/videos.parquet", "results/logs/index/tiny.log")
    assert line.startswith(f"error: videos: 4 of 16 videos cannot be used: {SPOILT[0]} (its data end early, after ")
    assert re.search(r"frame 2\d of 60 declared \(\d+ bytes are missing\): truncated", line)
    assert line.endswith(
        "truncated?), Bowling/v_Bowling_g04_c01.avi (is empty (0 bytes)), "
        "Diving/v_Diving_g02_c01.avi (is empty (0 bytes)) and 1 more; results/tiny/problems.csv lists them all: copy "
        "or download them again, take them off the lists, or go on without them (on_bad_video: skip)"
    )
    assert [row["video"] for row in problems(study)] == SPOILT
    assert list(problems(study)[3].values()) == [SPOILT[3], "Diving", "list1 train", "is empty (0 bytes)"]


def test_a_study_without_its_unusable_videos(study):
    """Index, flow and split go on without them, and a study that says `fail` again is not content with that."""
    spoilt(study, *SPOILT)
    tiny.configure(study, lambda config: config.update(on_bad_video="skip"))
    done = tiny.snakemake(study, "results/tiny/split.json")
    assert done.returncode == 0, done.stderr
    assert [row["video"] for row in problems(study)] == SPOILT
    index = pd.read_parquet(study / "results/tiny/videos.parquet")
    assert set(index["path"]) == {clip for clips in tiny.CLIPS.values() for clip in clips} - set(SPOILT)
    assert set(index["frames"]) == {12}
    classes = json.loads((study / "results/tiny/split.json").read_text())["classes"]
    assert [entry["videos"] for entry in classes.values()] == [3, 3, 2, 4]
    assert (study / "results/logs/index/tiny.log").read_text() == (
        "goes on without 4 of 16 videos, see results/tiny/problems.csv\ndone\n"
    )
    assert (study / "results/logs/flow/tiny/Bowling.log").read_text() == (
        f"goes on without videos/{SPOILT[1]}: is empty (0 bytes)\ndone\n"
    )

    tiny.configure(study, lambda config: config.update(on_bad_video="fail"))
    assert error_lines(refused(study, tiny.TABLE5)) == {
        "error: results/tiny/problems.csv: the index was made without these 4 videos, such as "
        f"videos/{SPOILT[0]}: fix (and touch) them, take them off the lists, or set `on_bad_video: skip`"
    }
    for clip in SPOILT:
        draw(study / "videos" / clip)
    done = tiny.snakemake(study, "results/tiny/split.json")
    assert done.returncode == 0, done.stderr
    assert problems(study) == []
    assert len(pd.read_parquet(study / "results/tiny/videos.parquet")) == 16
    tiny.configure(study, lambda config: config.update(on_bad_video="skip"))
    assert "Nothing to be done" in tiny.snakemake(study, "--dry-run", "results/tiny/split.json").stdout


def test_a_class_without_a_usable_test_video(study):
    spoilt(study, tiny.CLIPS["Diving"][0])
    tiny.configure(study, lambda config: config.update(on_bad_video="skip"))
    assert failed(study, "results/tiny/videos.parquet", "results/logs/index/tiny.log").startswith(
        "error: class Diving has no test video in list1 that can be used (results/tiny/problems.csv says why): fix one"
    )


def test_folders_of_the_home_and_none_called_like_it(study, monkeypatch):
    monkeypatch.setenv("HOME", str(study.parent))
    drawn(study)
    places = {"videos": "~/study//videos/", "annotations": "~/study/lists"}
    tiny.configure(study, lambda config: config["datasets"]["tiny"].update(places))
    tiny.configure(study, lambda config: config.update(results="~/out"))
    done = tiny.snakemake(study, "~/out/tiny/videos.parquet")
    assert done.returncode == 0, done.stderr
    assert (study.parent / "out/tiny/videos.parquet").exists()
    assert not list(study.parent.rglob("~*"))


HOSTILE = ["; touch pwned", "$(touch pwned) `touch pwned`", '-it\'s "so" so', "größe 漢 a=b & c:d %d #[*?]~!"]


ASCII_ALONE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_names_that_a_shell_could_misread(study, monkeypatch):
    """As class, folder and file names, through index, flow and split; and where all but the study is against them."""
    for name, value in (ASCII_ALONE | {"HOME": "/proc/nonexistent"}).items():
        monkeypatch.setenv(name, value)
    rows = []
    for number, name in enumerate(HOSTILE):
        for side in ("train", "test"):
            path = f"{name}/{name} {side}.avi"
            (study / "videos" / name).mkdir(exist_ok=True)
            draw(study / "videos" / path, seed=number, label=number)
            rows.append([path, name, side])
    with open(study / "; touch pwned.csv", "w", newline="") as file:
        csv.writer(file).writerows([["video", "class", "split"], *rows])
    tiny.configure(study, lambda config: config["datasets"]["tiny"].update(
        format="csv", annotations="; touch pwned.csv", videos="$(touch pwned)"))  # fmt: skip
    (study / "videos").rename(study / "$(touch pwned)")
    (study / "$(touch pwned)" / HOSTILE[0] / "unlisted.avi").touch()
    done = tiny.snakemake(study, "results/tiny/split.json", fresh=True)
    assert done.returncode == 0, done.stderr
    assert not list(study.rglob("pwned"))
    said = "$(touch pwned): passes over 1 video that no list names, such as ; touch pwned/unlisted.avi; to use"
    assert said in (study / "results/logs/index/tiny.log").read_text()
    assert said in done.stderr
    assert set(json.loads((study / "results/tiny/split.json").read_text())["classes"]) == set(HOSTILE)
    assert set(pd.read_parquet(study / "results/tiny/videos.parquet")["class"]) == set(HOSTILE)
    tables = {file.relative_to(study / "results/tiny/flow").as_posix() for file in study.rglob("*.avi.parquet")}
    assert tables == {f"{path}.parquet" for path, *_ in rows}


def test_stock_snakemake_under_a_locale_that_is_not_utf8(study, monkeypatch):
    for name, value in ASCII_ALONE.items():
        monkeypatch.setenv(name, value)
    done = tiny.snakemake(study, "--dry-run", tiny.TABLE5, stock=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: names of files are ascii by the locale, and UTF-8 in lists: set PYTHONUTF8=1 in the environment"
    )


@pytest.mark.parametrize("name", ["{cls}", "{wildcards.cls}", "<results>", "a,b", "new\nline", "back\\slash"])
def test_names_that_the_workflow_could_misread(study, name):
    (study / "videos" / name).mkdir()
    for number in range(2):
        draw(study / "videos" / name / f"{number}.avi")
    tiny.configure(study, lambda config: config["datasets"]["tiny"].update(format="folders"))
    tiny.configure(study, lambda config: config["datasets"]["tiny"].pop("annotations"))
    line = planned_out(study)
    assert line.startswith("error: videos")
    assert line.endswith("rename it")


def test_truncated_video(study):
    drawn(study, ["Diving"])
    cut = study / "videos" / tiny.CLIPS["Diving"][2]
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    line = failed(study, "results/tiny/flow/Diving.parquet", "results/logs/flow/tiny/Diving.log")
    assert line.startswith("error: 1 of 4 videos have no optical flow (the others are done): "
                           "videos/Diving/v_Diving_g03_c01.avi: ")  # fmt: skip
    assert "truncated" in line
    assert line.endswith("opy or download it again, or leave it out of the dataset.")
    good = {f"{clip.removeprefix('Diving/')}.parquet" for clip in tiny.CLIPS["Diving"]} - {f"{cut.name}.parquet"}
    assert {file.name for file in (study / "results/tiny/flow/Diving").iterdir()} == good


def test_a_mended_video_costs_its_own_flow_only(study):
    drawn(study, ["Diving"])
    broken = study / "videos" / tiny.CLIPS["Diving"][2]
    broken.write_bytes(b"")
    refused(study, "results/tiny/flow/Diving.parquet")
    folder = study / "results/tiny/flow/Diving"
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    draw(broken, seed=2, label=0)
    done = tiny.snakemake(study, "results/tiny/flow/Diving.parquet")
    assert done.returncode == 0, done.stderr
    after = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert len(before) == 3
    assert after == before | {f"{broken.name}.parquet": after[f"{broken.name}.parquet"]}
    assert (study / "results/tiny/flow/Diving.parquet").exists()


def test_weights_that_are_not_those_recorded(study):
    """A weights file whose checksum is not the one noted beside it is not trained from."""
    drawn(study)
    (study / "weights.pyth").write_bytes(b"other weights")
    (study / "weights.pyth.sha256").write_text(f"{'0' * 64}  weights.pyth\n")
    tiny.configure(study, lambda config: config["model"].update(weights="weights.pyth"))
    run = "results/tiny/list1/baseline/slowfast_small-seed0"
    line = failed(study, f"{run}/checkpoint.pt", "results/logs/baseline/tiny-list1-slowfast_small-seed0.log")
    digest = hashlib.sha256(b"other weights").hexdigest()
    assert line == (
        f"error: weights.pyth has SHA-256 {digest}, expected {'0' * 64} as weights.pyth.sha256 recorded when it was "
        "first used: remove weights.pyth to fetch it again, or the record too if the change is yours"
    )
    assert not list((study / run).glob("*")), "neither a checkpoint nor a history"
