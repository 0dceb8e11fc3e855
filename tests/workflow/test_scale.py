"""How the workflow grows: jobs with classes and runs, never with videos; and what its start costs."""

import json
import re
import shutil
import subprocess
import sys

import tiny

from dtkd.analysis import contents

SCRIPTS = tiny.PROJECT / "workflow_scripts"


def planned(root, *arguments):
    """Jobs of each rule in a dry run."""
    done = tiny.snakemake(root, "--dry-run", *arguments)
    assert done.returncode == 0, done.stderr
    return {rule: int(number) for rule, number in re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE)}


def test_twice_the_videos_are_as_many_jobs(tmp_path):
    roots = [tiny.write(tmp_path / name) for name in ("once", "twice")]
    for name in tiny.CLASSES:
        for group in range(1, 5):
            clip = f"{name}/v_{name}_g{group:02d}_c02.avi"
            (roots[1] / "videos" / clip).write_bytes(b"\0")
            line = f"{clip}\n" if group == 1 else f"{clip} {tiny.CLASSES.index(name) + 1}\n"
            with open(roots[1] / "lists" / ("testlist01.txt" if group == 1 else "trainlist01.txt"), "a") as file:
                file.write(line)
    once, twice = (planned(root, tiny.TABLE5) for root in roots)
    assert once == twice
    assert once["flow"] == len(tiny.CLASSES)


def test_the_demo_renders_a_class_a_job(tmp_path):
    """A rule whose outputs were all of a dataset's videos took a time that grew with their square."""
    shutil.copy(tiny.PROJECT / "config.yaml", tmp_path)
    jobs = planned(tmp_path, tiny.TABLE5)
    assert {rule: number for rule, number in jobs.items() if rule.startswith(("render", "lists"))} == {
        "render_demo_ucf": 16, "render_demo_hmdb": 12, "render_demo_source": 50,
        "lists_demo_ucf": 1, "lists_demo_hmdb": 1, "lists_demo_source": 1,
    }  # fmt: skip


# What starts without torch

WITH_TORCH = {
    "check.py", "check_groups.py", "train.py", "try_candidate.py", "train_winner.py", "evaluate.py", "benchmark.py",
    "frozen_features.py", "teacher_logits.py", "continue_teachers.py", "download_weights.py",
    "download_flow_weights.py", "plan.py",
}  # fmt: skip
IMPORTS = """
import ast, json, sys
guilty = []
for script in sys.argv[1:]:
    for node in ast.walk(ast.parse(open(script, encoding="utf-8").read())):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            exec(compile(ast.Module([node], []), script, "exec"), {})
    if "torch" in sys.modules and not guilty:
        guilty.append(script)
print(json.dumps(guilty))
"""


def told(code, *arguments):
    """What a fresh process prints, as JSON, in its last line."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=SCRIPTS, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_stage_that_needs_no_torch_does_not_import_it():
    """One process runs the imports of every such script; it tells the first after which torch was there."""
    scripts = sorted({file.name for file in SCRIPTS.glob("*.py")} - WITH_TORCH)
    assert {"index.py", "render.py", "flow.py", "split.py", "table.py", "figure.py", "report.py"} <= set(scripts)
    kinds = {"tables": contents.TABLES, "figures": contents.FIGURES}  # which table.py and figure.py import by name
    by_name = [SCRIPTS / "dtkd" / "analysis" / kind / f"{name}.py" for kind, names in kinds.items() for name in names]
    assert told(IMPORTS, *scripts, *map(str, by_name)) == []
    assert told(IMPORTS, "split.py", "teacher_logits.py") == ["teacher_logits.py"], "and it would be found"


def test_the_snakefiles_side_of_the_library_is_light():
    """What every call of snakemake imports of ours, beside what Snakemake imports itself."""
    modules = "from dtkd import config; from dtkd.analysis import shown_runs; from dtkd.data import synthetic"
    code = f"import json, sys; {modules}; print(json.dumps(sorted(sys.modules)))"
    heavy = {"torch", "torchvision", "pandas", "cv2", "numpy", "pyarrow", "scipy", "matplotlib"}
    assert not heavy & set(told(code))
