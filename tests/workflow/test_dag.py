"""After a change, exactly the jobs that it concerns are planned. No job runs but two stand-ins at the end."""

import json
import re
import shutil
from collections import Counter

import pytest
import tiny
import yaml
from imports import LIBRARY, SCRIPTS, file_of, reached

from dtkd.config import read

LIST = "tiny/list1"
FLOW = {f"flow tiny/flow/{name}.parquet" for name in tiny.CLASSES}
INDEX = {"index tiny/videos.parquet"}
PIXELS = {f"pixel_statistics {LIST}/pixels.json"}
SPLIT = {"split tiny/split.json"}
TEACHERS = {f"train_teacher {LIST}/teacher/{name}-seed0" for name in ("static", "static-LT", "dynamic", "dynamic-LT")}
TEACHERS |= {f"teacher_logits {LIST}/targets/frozen-LT-seed0.pt"}  # of the frozen pair, for both of its students
TEACHERS |= {f"continue_teachers {LIST}/targets/continued-seed0.{end}" for end in ("pt", "parquet")}
FEATURES = {f"frozen_features {LIST}/features/slowfast_small-seed0.pt"}  # of the locked pair's backbone
TABLE = {"table table5"}


def trained(role, run):
    return {f"train_{role} {LIST}/{role}/{run}"}


RUNS = [
    ("baseline", "slowfast_small-seed0"),
    ("student", "dtkd-S0.3-T2-A0.4-LT-FT-seed0"),
    ("student", "dtkd-S0.5-T2-A0.4-seed0"),
    ("student", "bskd-T2-A0.4-LT-FT-seed0"),
]
BASELINE = trained(*RUNS[0])
STUDENTS = set().union(*(trained(*run) for run in RUNS[1:]))
EVERYTHING = FLOW | INDEX | PIXELS | SPLIT | BASELINE | FEATURES | TEACHERS | STUDENTS | TABLE


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study whose every job is done and on record."""
    root = tiny.write(tmp_path_factory.mktemp("finished") / "study")
    assert tiny.pending(root) == EVERYTHING
    tiny.pretend(root, "--forceall")
    assert "Nothing to be done" in tiny.snakemake(root, "--dry-run", tiny.TABLE5).stdout
    return root


@pytest.fixture
def study(finished, tmp_path):
    """The same for one test to change; times of files and Snakemake's records are kept."""
    return shutil.copytree(finished, tmp_path / "study")


def test_nothing_to_do_and_the_fixture_can_tell(study):
    assert tiny.pending(study) == set()
    (study / "results/tiny/split.json").write_text("another split")
    assert tiny.pending(study) == TEACHERS | STUDENTS | TABLE


def test_one_students_score_there_and_back(study):
    def score(value):
        tiny.configure(study, lambda config: config["students"]["tiny"]["A"].update(S_alpha=value))

    new = ("student", "dtkd-S0.35-T2-A0.4-LT-FT-seed0")
    score(0.35)
    assert tiny.pending(study) == trained(*new) | TABLE
    tiny.pretend(study)
    assert tiny.pending(study) == set()
    score(0.3)
    assert tiny.pending(study) == TABLE


def test_a_grid_trains_the_students_that_are_new(study):
    """One that has a finished row's settings is that run, whatever it is called; their gains have a figure."""
    figure = ("--dry-run", "--quiet", "rules", "results/figures/grids.png")
    assert tiny.snakemake(study, *figure).returncode != 0, "without a grid there is none"
    grid = {"S_alpha": [0.3, 0.35], "KD_T": [2, 4]}
    tiny.configure(study, lambda config: config["students"]["tiny"]["A"].update(grid=grid))
    names = [f"dtkd-S{score}-T{T}-A0.4-LT-FT-seed0" for score, T in (("0.3", 4), ("0.35", 2), ("0.35", 4))]
    assert tiny.pending(study) == set().union(*(trained("student", name) for name in names)) | TABLE
    tiny.pretend(study)
    done = tiny.snakemake(study, *figure)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("Job stats:")[-1].split()[4:8] == ["figure", "1", "total", "1"], done.stdout


def test_plain_distillation_learns_from_the_baseline_alone(study):
    """Neither flow nor split nor the subsets' teachers are anything to it; its teacher's logits are shared."""
    rows = {"D": {"method": "kd", "KD_T": 2, "KD_alpha": 0.4}, "E": {"method": "kd", "KD_T": 4, "KD_alpha": 0.4}}
    tiny.configure(study, lambda config: config["students"]["tiny"].update(rows))
    said = {"teacher_logits tiny/list1/targets/frozen-slowfast_small-seed0.pt"}
    own = {job for T in (2, 4) for job in trained("student", f"kd-T{T}-A0.4-slowfast_small-seed0")}
    assert tiny.pending(study) == said | own | TABLE
    tiny.pretend(study)
    tiny.configure(study, lambda config: config["split"].update(quantile=0.5))
    assert tiny.pending(study) == SPLIT | TEACHERS | STUDENTS | TABLE
    tiny.pretend(study)
    tiny.configure(study, lambda config: config["students"]["tiny"]["D"].update(KD_T=8))
    assert tiny.pending(study) == trained("student", "kd-T8-A0.4-slowfast_small-seed0") | TABLE


def test_students_of_both_kinds_of_teachers_ask_nobody_twice(study):
    """Specialists' logits are there already; the baseline's are those that plain distillation reads, too."""
    mix = {"KD_T": 2, "KD_alpha": 0.4}
    rows = {"D": {"method": "mixture", **mix}, "E": {"method": "kd", **mix}, "F": {"method": "aekd", **mix}}
    tiny.configure(study, lambda config: config["students"]["tiny"].update(rows))
    said = {"teacher_logits tiny/list1/targets/frozen-slowfast_small-seed0.pt"}
    names = "mixture-T2-A0.4-LT-FT-slowfast_small", "kd-T2-A0.4-slowfast_small", "aekd-T2-A0.4-C0.6-LT-FT"
    own = {job for name in names for job in trained("student", f"{name}-seed0")}
    assert tiny.pending(study) == said | own | TABLE


def test_several_baselines_teach(study):
    """Each is asked by itself; no specialist is, and no split is read."""
    others = {"U2": {"frozen": True}, "U3": {"backbone": "slowfast_tiny"}}
    row = {"method": "average", "teachers": list(others), "KD_T": 2, "KD_alpha": 0.4}
    tiny.configure(study, lambda config: config["baselines"]["tiny"].update(others))
    tiny.configure(study, lambda config: config["students"].update(tiny={"D": row}))
    names = ["slowfast_small-frozen", "slowfast_tiny"]
    said = {f"teacher_logits tiny/list1/targets/frozen-{name}-seed0.pt" for name in names}
    own = trained("student", f"average-T2-A0.4-{'-'.join(names)}-seed0")
    teachers = {job for name in names for job in trained("baseline", f"{name}-seed0")}
    assert tiny.pending(study) == said | own | teachers | TABLE


def test_a_run_that_snakemake_has_forgotten(study):
    """Without its record Snakemake would let a run of other settings stand."""
    given = read(yaml.safe_load((study / "config.yaml").read_text()))
    for folder, run in given.runs().items():
        (study / "results" / folder / "run.json").write_text(json.dumps({"settings": given.settings(run)}))
    assert tiny.pending(study) == set()
    shutil.rmtree(study / ".snakemake/metadata")
    assert tiny.pending(study) == set()
    tiny.configure(study, lambda config: config["train"].update(epochs=2))
    done = tiny.snakemake(study, "--dry-run", tiny.TABLE5)
    assert done.returncode == 1
    (line,) = {line for line in done.stderr.splitlines() if line.startswith("error: ")}
    other = r"was made with other settings: train.epochs 1 \(the study has 2\); "
    assert re.match(rf"error: results/tiny/list1/\w+/\S+ {other}", line)
    remedy = line[line.index("--forcerun") :].split()
    assert len(remedy) == 1 + len(given.runs())
    done = tiny.snakemake(study, "--dry-run", tiny.TABLE5, *remedy)
    assert done.returncode == 0, done.stderr
    planned = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE))
    assert planned == {"train_baseline": "1", "train_teacher": "4", "teacher_logits": "1",
                       "continue_teachers": "1", "train_student": "3", "table": "1", "total": "11"}  # fmt: skip
    assert tiny.snakemake(study, "--dry-run", tiny.TABLE5, "--forcerun", "train_baseline").returncode == 1


def test_runs_of_an_earlier_version_had_masked_teachers(study):
    """They stand where masked ones are asked for; else, as anything else that was made with other settings, do not."""
    given = read(yaml.safe_load((study / "config.yaml").read_text()))
    for folder, run in given.runs().items():
        settings = {name: value for name, value in given.settings(run).items() if name != "teacher_outputs"}
        (study / "results" / folder / "run.json").write_text(json.dumps({"settings": settings}))
    assert tiny.pending(study) == set(), "Snakemake knows how they were made"
    shutil.rmtree(study / ".snakemake/metadata")
    done = tiny.snakemake(study, "--dry-run", tiny.TABLE5)
    (line,) = {line for line in done.stderr.splitlines() if line.startswith("error: ")}
    made = r"was made with other settings: teacher_outputs masked \(the study has full\)"
    assert re.match(rf"error: results/tiny/list1/\w+/\S+ {made}", line)
    assert len(line[line.index("--forcerun") :].split()) == 1 + len(given.runs()) - 1, "all but the baseline"
    tiny.configure(study, lambda config: config.update(teachers={"outputs": "masked"}))
    assert tiny.pending(study) == set()


def test_teachers_settings(study):
    tiny.configure(study, lambda config: config.update(teachers={"train": {"epochs": 2}}))
    assert tiny.pending(study) == FEATURES | TEACHERS | STUDENTS | TABLE
    tiny.configure(study, lambda config: config.update(teachers={"train": {"epochs": 1}}))
    assert tiny.pending(study) == set()
    tiny.configure(study, lambda config: config.update(teachers={"outputs": "masked"}))
    assert tiny.pending(study) == TEACHERS | STUDENTS | TABLE


def test_one_student_of_masked_teachers(study):
    row = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "LT": True, "FT": True, "teacher_outputs": "masked"}
    tiny.configure(study, lambda config: config["students"]["tiny"].update(D=row))
    pair = {f"train_teacher {LIST}/teacher/{subset}-LT-masked-seed0" for subset in ("static", "dynamic")}
    said = {f"teacher_logits {LIST}/targets/frozen-LT-masked-seed0.pt"}
    assert tiny.pending(study) == pair | said | trained("student", "dtkd-S0.3-T2-A0.4-LT-FT-masked-seed0") | TABLE


def test_flow_setting(study):
    tiny.configure(study, lambda config: config["flow"].update(algorithm="dis_fast"))
    assert tiny.pending(study) == FLOW | SPLIT | TEACHERS | STUDENTS | TABLE


def test_split_setting(study):
    tiny.configure(study, lambda config: config["split"].update(quantile=0.5))
    assert tiny.pending(study) == SPLIT | TEACHERS | STUDENTS | TABLE


def test_another_measure_of_the_flow(study):
    """Classes' flow is summed again only for what their tables did not always give."""
    after = SPLIT | TEACHERS | STUDENTS | TABLE
    for change, jobs in (
        ({"measure": "residual"}, after), ({"measure": "moving"}, FLOW | after),
        ({"measure": "mean", "over_time": "max"}, FLOW | after), ({"over_time": "mean"}, set()),
    ):  # fmt: skip
        tiny.configure(study, lambda config, change=change: config["split"].update(change))
        assert tiny.pending(study) == jobs


def test_what_the_published_split_does_not_read(study):
    """Its subsets are the paper's, whatever Eq. 1 would make of the flow; only the mean flow beside it is measured."""
    motion = study / "results/ucf101/motion.json"

    def told():
        return tiny.snakemake(study, "--dry-run", str(motion.relative_to(study))).stdout

    def published(config):
        for section in ("datasets", "baselines", "students"):
            config[section] = {"ucf101": config[section]["tiny"]}
        config.update(use=["ucf101"], split={"source": "published"})

    tiny.configure(study, published)
    tiny.pretend(study)
    for file in (motion, *(study / f"results/ucf101/flow/{name}.parquet" for name in tiny.CLASSES)):
        file.parent.mkdir(exist_ok=True)
        file.write_text(file.name)
    assert tiny.snakemake(study, "--touch", str(motion.relative_to(study))).returncode == 0
    tiny.configure(study, lambda config: config["split"].update(quantile=0.5, boundary="strict"))
    assert tiny.pending(study) == set()
    assert "Nothing to be done" in told()
    tiny.configure(study, lambda config: config["split"].update(measure="camera", over="train"))
    assert tiny.pending(study) == set()
    assert set(re.findall(r"^(\w+) +1$", told(), re.MULTILINE)) == {"motion", "total"}


def test_subsets_by_list_and_by_lot(study):
    """Neither waits for flow; each makes its own split, teachers and students, and reads its own settings alone."""

    def choose(**split):
        tiny.configure(study, lambda config: config.update(split=split))

    choose(source="listed", static={"tiny": ["Archery", "Diving"]})
    assert tiny.pending(study) == SPLIT | TEACHERS | STUDENTS | TABLE
    tiny.pretend(study)
    choose(source="listed", static={"tiny": ["Diving", "Archery", "Diving"]}, quantile=0.5, seed=1, measure="camera")
    assert tiny.pending(study) == set()
    choose(source="listed", static={"tiny": ["Diving"]})
    assert tiny.pending(study) == SPLIT | TEACHERS | STUDENTS | TABLE
    choose(source="random")
    assert tiny.pending(study) == SPLIT | TEACHERS | STUDENTS | TABLE
    tiny.pretend(study)
    choose(source="random", over="train", measure="camera")
    assert tiny.pending(study) == set()
    choose(source="random", seed=1)
    assert tiny.pending(study) == SPLIT | TEACHERS | STUDENTS | TABLE
    choose(source="listed", static={"tiny": ["Archry"]})
    done = tiny.snakemake(study, "--dry-run", tiny.TABLE5)
    assert done.returncode != 0
    assert "config: split.static.tiny: 'Archry' is not one of its classes; did you mean 'Archery'?" in done.stderr


def test_how_lists_would_be_drawn(study):
    """UCF101's form has its own lists; folders of videos have none."""
    drawing = {"lists": 5, "test_fraction": 0.5, "split_seed": 7}
    tiny.configure(study, lambda config: config["datasets"]["tiny"].update(drawing))
    assert tiny.pending(study) == set()
    tiny.configure(study, lambda config: config["datasets"]["tiny"].update(format="folders", annotations=None))
    tiny.pretend(study)
    assert tiny.pending(study) == set()
    tiny.configure(study, lambda config: config["datasets"]["tiny"].update(split_seed=8))
    assert tiny.pending(study) == EVERYTHING - FLOW


def test_clips_of_one_scene(study):
    """Folders whose names tell of scenes need a word before they are indexed; to say it later changes nothing."""

    def choose(**own):
        tiny.configure(study, lambda config: config["datasets"]["tiny"].update(own))

    choose(format="folders", annotations=None)
    (study / "videos/Diving/v_Diving_g01_c02.avi").write_bytes(b"another")
    (study / "results/tiny/videos.parquet").unlink()
    done = tiny.snakemake(study, "--dry-run", tiny.TABLE5)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: videos: by their names, such as Diving/v_Diving_g01_c01.avi (like those of UCF101), 2 videos show a "
        "scene that others show too, and lists drawn clip by clip would train and test on it; keep scenes together "
        "with `group_pattern: '/(.+_g\\d+)_c\\d+\\.'`, or say `group_pattern: none` if they are none"
    )
    choose(group_pattern="none")
    tiny.pretend(study)
    choose(group_pattern=None)
    assert tiny.pending(study) == set()


def test_one_video(study):
    video = study / "videos" / tiny.CLIPS["Diving"][2]
    video.touch()
    assert tiny.pending(study) == set(), "a small file with a new time and the same content is the same file"
    video.write_bytes(b"another take")
    assert tiny.pending(study) == EVERYTHING - FLOW | {"flow tiny/flow/Diving.parquet"}


def test_one_video_less(study):
    """A video that leaves the lists: its class's flow is summarised again, no other class's."""
    lists = study / "lists/trainlist01.txt"
    clip = tiny.CLIPS["Bowling"][3]
    lists.write_text("".join(line for line in lists.read_text().splitlines(keepends=True) if clip not in line))
    assert tiny.pending(study) == EVERYTHING - FLOW | {"flow tiny/flow/Bowling.parquet"}


def test_a_video_changes_sides(study):
    train, test = study / "lists/trainlist01.txt", study / "lists/testlist01.txt"
    first, rest = train.read_text().split("\n", 1)
    train.write_text(rest)
    test.write_text(test.read_text() + first.split()[0] + "\n")
    assert tiny.pending(study) == EVERYTHING - FLOW


@pytest.mark.parametrize("change", [
    lambda text: "# a remark\n" + text.replace("epochs: 1\n", "epochs: 1  # one is enough\n"),
    lambda text: text.replace("name: tiny\n", "name: another name\n"),
    lambda text: text.replace("device: cpu\n", "device: cuda\n"),
    lambda text: text.replace(
        "epochs: 1\n", "epochs: 1\n  devices: 2\n  nodes: 2\n  compile: true\n"
    ),
    lambda text: text.replace("epochs: 1\n", "epochs: 1\n  micro_batch: null\n"),
    lambda text: text + "seeds: [0]\n",
    lambda text: text + "analysis: {chosen: {tiny: B}, kl: reverse, kl_floor: 1.0e-9}\n",
], ids=[
    "comment", "name", "device", "how a training computes", "whole batches", "default spelt out",
    "another chosen student",
])  # fmt: skip
def test_nothing_that_matters(study, change):
    file = study / "config.yaml"
    before = file.read_text()
    file.write_text(change(before))
    assert file.read_text() != before
    assert tiny.pending(study) == set()


@pytest.mark.parametrize(("videos", "lists", "results"), [
    ("./videos/", "x/..//lists", "{}/results/"), ("~/videos", "{}//lists", "~/results"),
])  # fmt: skip
def test_another_spelling_of_the_paths(study, videos, lists, results, monkeypatch):
    monkeypatch.setenv("HOME", str(study))
    places = {"videos": videos, "annotations": lists.format(study)}
    tiny.configure(study, lambda config: config["datasets"]["tiny"].update(places))
    tiny.configure(study, lambda config: config.update(results=results.format(study)))
    assert tiny.pending(study) == set()


def test_one_more_student(study):
    row = {"S_alpha": 0.7, "KD_T": 4, "KD_alpha": 0.2, "LT": True, "FT": True}
    tiny.configure(study, lambda config: config["students"]["tiny"].update(D=row))
    new = ("student", "dtkd-S0.7-T4-A0.2-LT-FT-seed0")
    assert tiny.pending(study) == trained(*new) | TABLE


def test_one_student_less(study):
    tiny.configure(study, lambda config: config["students"]["tiny"].pop("B"))
    assert tiny.pending(study) == TABLE


@pytest.mark.parametrize(("section", "setting", "features"), [
    ("train", {"epochs": 2}, FEATURES), ("clip", {"rate": 2}, FEATURES),
    ("train", {"lr": 0.2}, set()),  # a frozen backbone's features know nothing of it
])  # fmt: skip
def test_training_setting(study, section, setting, features):
    tiny.configure(study, lambda config: config[section].update(setting))
    assert tiny.pending(study) == BASELINE | features | TEACHERS | STUDENTS | TABLE


def test_evaluation_setting(study):
    """Another protocol evaluates every run, and trains none; back at the first, its predictions are still there."""
    tiny.configure(study, lambda config: config.update(evaluation={"clips_per_video": 3}))
    assert tiny.pending(study) == TABLE | {f"evaluate {LIST}/{role}/{run}" for role, run in RUNS}
    tiny.pretend(study)
    tiny.configure(study, lambda config: config.pop("evaluation"))
    assert tiny.pending(study) == TABLE


def test_a_dry_run_says_the_same(study):
    """What `--summary` calls pending is what a run would do: the counts per rule of the user's exact command."""
    tiny.configure(study, lambda config: config["flow"].update(step=2))
    told = tiny.snakemake(study, "--dry-run", "--resources", "gpu=1", tiny.TABLE5)
    counts = {rule: int(number) for rule, number in re.findall(r"^(\w+) +(\d+)$", told.stdout, re.MULTILINE)}
    files = {job for job in tiny.pending(study) if not job.endswith("continued-seed0.parquet")}  # its job has two
    expected = Counter(job.split()[0] for job in files)
    assert counts == expected | {"total": expected.total()}


# Targets


@pytest.mark.parametrize(("results", "stock"), [("results", False), ("results", True), ("~/elsewhere/results/", False)])
def test_a_target_in_any_spelling(study, results, stock, monkeypatch):
    """Whichever way each leads there, links included, and with stock Snakemake too: they all are one file."""
    monkeypatch.setenv("HOME", str(study.parent))
    for folder in (study, study.parent):
        (folder / "elsewhere").symlink_to(study)
    targets = [
        target.format(study / "results") for target in (
            "results/tables/table5.csv", "./results/tables/table5.csv", "results//tables/table5.csv",
            "results/x/../tables/table5.csv", "{}/tables/table5.csv", "~/study/results/tables/table5.csv",
            "{}/../results//tables/table5.csv", "elsewhere/results/tables/table5.csv",
        )
    ]  # fmt: skip
    done = tiny.snakemake(study, *targets, "--dry-run", "--forcerun", *targets, "--config", f"results={results}",
                          stock=stock)  # fmt: skip
    assert done.returncode == 0, done.stderr
    if results == "results":
        assert set(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE)) == {("table", "1"), ("total", "1")}
    else:
        assert ("table", "1") in re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE)


def test_a_target_of_another_study(study):
    done = tiny.snakemake(study, "--dry-run", "--config", "results=results/paper/", "--", "elsewhere/tables/table5.csv")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: elsewhere/tables/table5.csv: the study makes no such file: its own begin with results/paper/, as "
        "results/paper/tables/table5.csv does"
    )


# The code of tables and figures


def code_of(script):
    """A script and the modules that it runs, except for those that leave the content alone; settings are parameters."""
    modules = reached(script, but=("dtkd.common", "dtkd.config"))
    return {script, *(file_of(module) for module in modules if module.startswith("dtkd."))}


def test_what_a_table_or_figure_is_made_by_is_among_its_inputs(study):
    tables = [*(f"table{n}" for n in range(1, 7)), "crossvalidation", "disagreements", "teachers", "methods"]
    figures = [f"figure{n}" for n in (1, 2, 5, 6, 7, 8)]
    figures += ["confusion", "class_gain", "sensitivity", "teacher_weights", "examples", "gains", "teachers"]
    figures += ["split_stability", "reliability"]
    targets = [f"results/tables/{name}.csv" for name in tables] + [f"results/figures/{name}.png" for name in figures]
    for target in targets:  # of what is made, inputs are on record
        for suffix in (".csv", ".md", ".tex", ".json", ".png", ".pdf"):
            file = (study / target).with_suffix(suffix)
            file.parent.mkdir(exist_ok=True)
            file.write_text(suffix)
    assert tiny.snakemake(study, "--touch", "--force", *targets).returncode == 0
    told = tiny.snakemake(study, "--detailed-summary", *targets)
    assert told.returncode == 0, told.stderr
    head, *lines = [line.split("\t") for line in told.stdout.splitlines() if "\t" in line]
    at = head.index("input-file(s)")
    inputs = {line[0].removeprefix("results/").partition(".")[0]: set(line[at].split(",")) for line in lines}
    for name in [f"tables/{name}" for name in tables] + [f"figures/{name}" for name in figures]:
        kind, _, own = name.partition("/")
        needed = code_of(SCRIPTS / f"{own if own in ('examples', 'disagreements') else kind.removesuffix('s')}.py")
        if (module := LIBRARY / "analysis" / kind / f"{own}.py").exists():
            needed |= code_of(module)
        if name.startswith("tables/table"):
            needed |= set((LIBRARY / "data" / "published").glob("table*.csv"))
        assert set(map(str, needed)) <= inputs[name], name


def test_a_tables_code_trains_nothing(study, tmp_path):
    project = tmp_path / "project"
    for name in ("rules", "envs", "profiles", "workflow_scripts"):
        shutil.copytree(tiny.PROJECT / name, project / name)
    shutil.copy(tiny.PROJECT / "Snakefile", project)
    assert tiny.snakemake(study, "--touch", tiny.TABLE5, project=project).returncode == 0
    own = "dtkd/analysis/tables/table5.py"
    for file in ("table.py", "dtkd/data/published/__init__.py", "dtkd/data/datasets.py", own):
        with (project / "workflow_scripts" / file).open("a") as script:
            script.write("# another remark\n")
        told = tiny.snakemake(study, "--dry-run", tiny.TABLE5, project=project)
        assert set(re.findall(r"^(\w+) +1$", told.stdout, re.MULTILINE)) == {"table", "total"}, file
        assert tiny.snakemake(study, "--touch", tiny.TABLE5, project=project).returncode == 0


# Two stand-ins for training, run at once where the scheduler lets them.

STAND_IN = """
import time
from pathlib import Path

started = Path("started")
started.mkdir(exist_ok=True)
finished = Path("finished")
finished.mkdir(exist_ok=True)
own = snakemake.wildcards.run
before = {file.name for file in started.iterdir()} - {file.name for file in finished.iterdir()}
(started / own).touch()
known = {file.name for file in started.iterdir()}
end = time.monotonic() + WAIT
while not before and {file.name for file in started.iterdir()} == known and time.monotonic() < end:
    time.sleep(0.05)
company = bool(before) or {file.name for file in started.iterdir()} != known
for file in snakemake.output:
    Path(file).write_text(f"gpu={snakemake.resources.gpu} company={company}")
(finished / own).touch()
"""


@pytest.fixture
def stand_in(tmp_path):
    """The project with other scripts: rules, profile and library as they are."""
    project = tmp_path / "project"
    for name in ("rules", "envs", "profiles"):
        shutil.copytree(tiny.PROJECT / name, project / name)
    shutil.copy(tiny.PROJECT / "Snakefile", project)
    (project / "workflow_scripts").mkdir()
    (project / "workflow_scripts" / "dtkd").symlink_to(tiny.PROJECT / "workflow_scripts" / "dtkd")
    for script in (tiny.PROJECT / "workflow_scripts").glob("*.py"):  # the rules read what they import
        shutil.copy(script, project / "workflow_scripts")
    return project


@pytest.mark.parametrize(("device", "limit", "gpu", "company"), [
    ("cuda", ("--resources", "gpu=1"), 1, False),
    ("cuda", (), 1, False),  # the profile's limit is the same
    ("cuda", ("--resources", "gpu=2"), 1, True),
    ("cpu", ("--resources", "gpu=1"), 0, True),
])  # fmt: skip
def test_gpu_jobs_wait_for_the_gpu(study, stand_in, device, limit, gpu, company):
    runs = [study / f"results/{LIST}/teacher/{subset}-seed0/checkpoint.pt" for subset in ("static", "dynamic")]
    for file in runs:
        file.unlink()
    wait = 20 if company else 2  # seconds; with company they end as soon as they meet
    tiny.configure(study, lambda config: config.update(device=device))
    (stand_in / "workflow_scripts" / "train.py").write_text(STAND_IN.replace("WAIT", str(wait)))
    targets = [str(file.relative_to(study)) for file in runs]
    done = tiny.snakemake(study, *limit, *targets, project=stand_in, cores=16)
    assert done.returncode == 0, done.stderr
    assert [file.read_text() for file in runs] == [f"gpu={gpu} company={company}"] * 2
