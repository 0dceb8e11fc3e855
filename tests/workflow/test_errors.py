"""Bad input through the real command: one line that names file, field and remedy; and nothing half-written."""

import hashlib

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


def test_empty_video(study):
    (study / "videos" / tiny.CLIPS["Diving"][2]).write_bytes(b"")
    assert failed(study, "results/tiny/videos.parquet", "results/logs/index/tiny.log") == (
        "error: videos: 1 of 16 videos is empty (0 bytes): Diving/v_Diving_g03_c01.avi; Diving/v_Diving_g03_c01.avi is "
        "named in lists/trainlist01.txt line 8; copy or download them again"
    )


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
