"""Where the weights that trainings start from come from: a job for each way, and none for a file of one's own."""

import re

import pytest
import tiny


@pytest.mark.parametrize(("backbone", "weights", "job"), [
    ("tsm-mobilenetv3_small_050", "imagenet", "Download the ImageNet weights of tsm-mobilenetv3_small_050"),
    ("r3d_18", "hf:owner/a-network", "Download the weights owner/a-network"),
])  # fmt: skip
def test_the_job_that_downloads(tmp_path, backbone, weights, job):
    def change(config):
        config["model"] = {"backbone": backbone, "weights": weights}

    root = tiny.write(tmp_path / "study")
    tiny.configure(root, change)
    done = tiny.snakemake(root, "--dry-run", tiny.TABLE5)
    assert done.returncode == 0, done.stderr
    downloads = re.findall(r"^Job \d+: (Download .+)$", done.stdout, re.MULTILINE)
    assert downloads == [job]
