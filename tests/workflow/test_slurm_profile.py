"""profiles/slurm as it is planned, without a cluster; tests/slurm runs it on one."""

import re

import tiny


def test_small_jobs_share_a_submission(tmp_path):
    done = tiny.snakemake(
        tiny.write(tmp_path), "--dry-run", "--workflow-profile", str(tiny.PROJECT / "profiles" / "slurm"), tiny.TABLE5
    )
    assert done.returncode == 0, done.stderr
    groups = re.split(r"^\[.*\] Group job ", done.stdout, flags=re.MULTILINE)[1:]
    held = sorted((group.split()[0], len(re.findall(r"^    Job \d+: ", group, re.MULTILINE))) for group in groups)
    assert held == [("flow", len(tiny.CLASSES)), ("prepare", 2)]  # the index with the pixel statistics
    alone = re.findall(r"^Job \d+: (\w+)", done.stdout, re.MULTILINE)
    assert sorted(alone) == sorted(["Static", "Table", "Features", "Logits", "Teachers", *["Train"] * (1 + 4 + 3)])
