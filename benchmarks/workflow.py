"""What Snakemake costs as a data set grows: planning, a call with nothing to do, one changed video, the jobs' overhead.

    python benchmarks/workflow.py [--sizes 1k 13k paper 130k]

Each size is a tree of one-byte files in a temporary folder: 13k is UCF101 with its 13,320 official names and lists, 1k
has the first clips of four of each class's 25 groups, 130k every clip ten times, and "paper" is UCF101 and HMDB51. The
study is studies/paper.yaml, and every job counts as done once. Seconds are those of one call, with the CPU time of its
process beside them: on a busy machine that is what the call would take alone. Then the demo, as shipped.
"""

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import yaml

import report

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "tests"))
import official  # noqa: E402

SNAKEMAKE = str(Path(sys.executable).with_name("snakemake"))
SIZES = ("1k", "13k", "paper", "130k")
ONE_ROUND = ("--cores", "100000", "--resources", "gpu=100000", "cpu=100000")  # all that is ready, at once
EMPTY = "from pathlib import Path\nfor file in snakemake.output:\n    Path(file).write_text('flow')\n"


@dataclass
class Call:
    seconds: float
    cpu: float
    megabytes: float  # the process's largest resident size
    output: str

    @property
    def jobs(self) -> dict[str, int]:
        return {rule: int(number) for rule, number in re.findall(r"^(\w+) +(\d+)$", self.output, re.MULTILINE)}


def called(root: Path, project: Path, *arguments: str) -> Call:
    """Run `snakemake` in ``root``; what this process's child used is told by the system when it is waited for."""
    command = [SNAKEMAKE, "--snakefile", str(project / "Snakefile"), *arguments]
    with tempfile.TemporaryFile("w+") as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=root, stdout=output, stderr=subprocess.STDOUT, text=True)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        output.seek(0)
        text = output.read()
    if status:
        sys.exit(f"{' '.join(command)}\n{text[-3000:]}")
    assert isinstance(used, resource.struct_rusage)
    return Call(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text)


def grown(size: str) -> dict[str, list[list[str]]]:
    """UCF101's classes with fewer or more clips in their groups."""
    classes = official.ucf101_clips()
    change = {
        "1k": lambda group, clips: clips[:3] if group % 7 == 0 else [],
        "130k": lambda group, clips: [clip.replace(".avi", f"{take}.avi") for clip in clips for take in range(10)],
    }.get(size, lambda group, clips: clips)
    return {name: [change(group, clips) for group, clips in enumerate(groups)] for name, groups in classes.items()}


def tree(root: Path, size: str) -> tuple[list[str], int]:
    """Write config.yaml and data/ into ``root``; return the arguments that choose the study, and its videos."""
    shutil.copy(PROJECT / "config.yaml", root)
    study = yaml.safe_load((PROJECT / "studies" / "paper.yaml").read_text(encoding="utf-8"))
    written = {"ucf101": official.write_ucf101(root / "ucf101", classes=grown(size))}
    if size == "paper":
        written["hmdb51"] = official.write_hmdb51(root / "hmdb51")
    (root / "data").mkdir()
    count = 0
    for name, (videos, annotations) in written.items():
        place = study["datasets"][name]
        videos.rename(root / place["videos"])
        annotations.rename(root / place["annotations"])
        count += sum(len(files) for _, _, files in os.walk(root / place["videos"]))
    chosen = ["--configfile", str(PROJECT / "studies" / "paper.yaml")]
    return chosen if size == "paper" else [*chosen, "--config", "use=[ucf101]"], count


def stand_in(folder: Path) -> Path:
    """The project with an empty script for flow: rules, profile and library as they are."""
    project = folder / "project"
    for name in ("rules", "envs", "profiles", "docs"):
        shutil.copytree(PROJECT / name, project / name)
    shutil.copy(PROJECT / "Snakefile", project)
    (project / "workflow_scripts").mkdir()
    for file in (PROJECT / "workflow_scripts").iterdir():
        if file.name != "flow.py":
            (project / "workflow_scripts" / file.name).symlink_to(file)
    (project / "workflow_scripts" / "flow.py").write_text(EMPTY)
    return project


def pretend(root: Path, project: Path, study: list[str]) -> None:
    """Have every job done: placeholders for what the jobs write, then Snakemake's own record of them."""
    listed = called(root, project, "--summary", *study).output
    head, *lines = [line.split("\t") for line in listed.splitlines() if line.count("\t") > 3]
    for line in lines:
        file = root / dict(zip(head, line, strict=True))["output_file"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(file))
    called(root, project, "--touch", "--forceall", *ONE_ROUND, *study)


def measured(size: str) -> dict[str, object]:
    """One row: the calls at one size."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "study")
        root.mkdir()
        project = stand_in(Path(folder))
        study, videos = tree(root, size)
        plan = ("-n", "--cores", "8", *study)
        everything = called(root, project, *plan)
        pretend(root, project, study)
        nothing = called(root, project, *plan)
        assert "Nothing to be done" in nothing.output
        video = next((root / "data/UCF-101/Archery").iterdir())
        video.write_bytes(b"another take")
        changed = called(root, project, *plan)
        assert changed.jobs["flow"] == 1, "one video, one class's flow"
        only = ("--until", "flow", "--cores", "8", *study)
        overheads = []
        for take in range(3):
            video.write_bytes(b"take" * take)
            planned, done = called(root, project, "-n", *only), called(root, project, *only)
            assert "Finished jobid" in done.output
            overheads.append((done.seconds - planned.seconds, done.cpu - planned.cpu))
    largest = max(everything.megabytes, nothing.megabytes, changed.megabytes, done.megabytes)
    seconds, cpu = map(median, zip(*overheads, strict=True))
    return {
        "study": "UCF101 + HMDB51" if size == "paper" else f"UCF101, {size}",
        "videos": f"{videos:,}",
        "jobs": everything.jobs["total"],
        "-n, all to do: s (CPU s)": pair(everything),
        "-n, nothing to do": pair(nothing),
        "-n, one changed video": pair(changed),
        "its jobs": str(changed.jobs["total"]),
        "CPU s per 1,000 videos": f"{(nothing.cpu - BASE.cpu) / videos * 1000:.2f}",
        "one flow job": f"{seconds:.1f} ({cpu:.1f})",
        "peak MB": f"{largest:.0f}",
    }


def pair(call: Call) -> str:
    return f"{call.seconds:.1f} ({call.cpu:.1f})"


def demo() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(PROJECT / "config.yaml", folder)
        call = called(Path(folder), PROJECT, "-n", "--cores", "8")
    videos = sum(map(int, re.findall(r": Render \S+: (\d+) videos$", call.output, re.MULTILINE)))
    return {
        "study": "the demo", "videos": f"{videos:,}", "jobs": call.jobs["total"],
        "-n, all to do: s (CPU s)": pair(call), "peak MB": f"{call.megabytes:.0f}",
    }  # fmt: skip


def empty() -> Call:
    """Snakemake with one rule: what no workflow can undercut."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Snakefile").write_text('rule all:\n    output: "all"\n    shell: "touch all"\n')
        return called(Path(folder), Path(folder), "-n", "--cores", "8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=SIZES)
    sizes = parser.parse_args().sizes
    BASE = empty()
    rows = [{"study": "one rule", "videos": "0", "jobs": 1, "-n, all to do: s (CPU s)": pair(BASE),
             "-n, nothing to do": None, "-n, one changed video": None, "its jobs": None, "CPU s per 1,000 videos": None,
             "one flow job": None, "peak MB": f"{BASE.megabytes:.0f}"}, demo()]  # fmt: skip
    for size in sizes:
        rows.append(measured(size))
        print(rows[-1], flush=True)
    report.write("workflow", rows, "Snakemake's own time: seconds from call to end, and CPU seconds in brackets.")
