"""A network, a method and a flow algorithm from outside the project: config, plan, training, a change of the file."""

import json
import re
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
import tiny
import torch

from dtkd import models
from dtkd.common import plugins
from dtkd.distillation import methods
from dtkd.motion import algorithms, flow, thresholds

BASELINE = "results/tiny/list1/baseline/flat-seed0"
DIVING = "results/tiny/flow/Diving.parquet"
NETWORK = """\
from dtkd import models


def flat(num_classes, dropout):
    from torch import nn

    pooled = nn.Conv3d(3, 4, 1), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Dropout(dropout)
    return nn.Sequential(*pooled, nn.Linear(4, num_classes))


models.register("flat", models.Network(flat, models.Head("4", "4"), models.Input(multiple=3)))
"""
ALGORITHM = """\
from dtkd.motion import algorithms


def brightness():
    import numpy as np

    return lambda previous, following: np.dstack([following.astype("float32") - previous] * 2)


algorithms.register("brightness", algorithms.FlowAlgorithm(brightness))
"""


METHOD = """\
from typing import ClassVar

from pydantic import Field

from dtkd.distillation import methods


class Mean(methods.SoftTargets):
    name: ClassVar[str] = "mean"
    label: ClassVar[str] = "Mean"
    summary: ClassVar[str] = "all specialists teach alike"
    floor: float = Field(0.0, description="Added to every probability.")

    def target(self, teacher_logits, labels, groups):
        import torch

        q = torch.stack([torch.softmax(logits / self.KD_T, -1) for logits in teacher_logits.values()]).mean(0)
        return methods.Target(q + self.floor, {})


methods.register(Mean)
"""


THRESHOLD = """\
from dtkd.motion import thresholds

thresholds.register("m", thresholds.Threshold(lambda means: float(sum(sorted(means)[1:3])) / 2))
"""


def with_plugins(root):
    tiny.write(root)
    (root / "own").mkdir()
    (root / "own" / "network.py").write_text(NETWORK)
    (root / "flow_of_mine.py").write_text(ALGORITHM)
    return root


@pytest.fixture
def study(tmp_path):
    return with_plugins(tmp_path / "study")


def with_network(config):
    config |= {"plugins": ["./own/network.py"], "clip": {"frames": 6, "rate": 1}}
    config["model"]["backbone"] = "flat"


def with_algorithm(config):
    config |= {"plugins": ["flow_of_mine.py"]}
    config["flow"]["algorithm"] = "brightness"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A study whose baseline, of the plug-in's network, is trained."""
    root = with_plugins(tmp_path_factory.mktemp("trained") / "study")
    tiny.configure(root, with_network)
    tiny.draw_videos(root, frames=6)
    done = tiny.snakemake(root, f"{BASELINE}/checkpoint.pt")
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def test_a_trained_network_predicts_in_another_process(trained):
    video = f"videos/{tiny.CLIPS['Diving'][0]}"
    command = [sys.executable, "-m", "dtkd.predict", f"{BASELINE}/checkpoint.pt", video]
    refused = subprocess.run(command, cwd=trained, capture_output=True, text=True, check=False)
    assert refused.stderr.splitlines()[-1].startswith("error: backbone 'flat' is unknown")
    asked = [*command, "--plugins", "own/network.py"]
    done = subprocess.run(asked, cwd=trained, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_network_is_planned_trained_and_trained_again_when_its_file_changes(trained):
    record = json.loads((trained / BASELINE / "run.json").read_text())
    assert record["inputs"]["plugin"]["path"] == "own/network.py"
    assert record["network"]["parameters"] == 3 * 4 + 4 + 4 * 4 + 4
    planned = tiny.snakemake(trained, "--dry-run", f"{BASELINE}/checkpoint.pt")
    assert "Nothing to be done" in planned.stdout + planned.stderr
    (trained / "own" / "network.py").write_text(NETWORK.replace("3, 4, 1", "3, 4, (3, 1, 1)"))
    planned = tiny.snakemake(trained, "--dry-run", f"{BASELINE}/checkpoint.pt")
    assert "Train baseline flat-seed0" in planned.stdout


def test_every_training_of_a_study_has_it_as_an_input(study):
    tiny.configure(study, with_network)
    tiny.pretend(study)
    assert tiny.pending(study) == set()
    (study / "own" / "network.py").write_text(NETWORK + "# better\n")
    changed = {job.split()[0] for job in tiny.pending(study)}
    assert {"train_baseline", "train_teacher", "train_student", "teacher_logits", "continue_teachers"} <= changed
    assert "flow" not in changed


def test_a_method_trains_a_student_and_trains_it_again_when_its_file_changes(study):
    """Its settings are keys of the row, in the run's name and its record, and it is a row of Table 5."""
    (study / "mean.py").write_text(METHOD)
    row = {"method": "mean", "KD_T": 2, "KD_alpha": 0.4, "floor": 0.01}
    split = {"source": "listed", "static": {"tiny": ["Archery", "Diving"]}}
    tiny.configure(study, lambda config: config.update(plugins=["mean.py"], split=split))
    tiny.configure(study, lambda config: config["students"]["tiny"].update(M=row))
    tiny.draw_videos(study, frames=6)
    student = "results/tiny/list1/student/mean-T2-A0.4-LT-FT-floor0.01-seed0"
    done = tiny.snakemake(study, f"{student}/checkpoint.pt")
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((study / student / "run.json").read_text())
    assert record["settings"]["student"] == {"method": "mean", "LT": True, "FT": True, "KD_T": 2.0, "KD_alpha": 0.4,
                                             "floor": 0.01}  # fmt: skip
    assert record["inputs"]["method"]["path"] == "mean.py"
    tiny.pretend(study)
    assert tiny.pending(study) == set()
    (study / "mean.py").write_text(METHOD.replace("+ self.floor", "* (1 - self.floor)"))
    assert tiny.pending(study) == {f"train_student {student.removeprefix('results/')}", "table table5"}


def test_an_algorithm_measures_and_measures_again_when_its_file_changes(study):
    tiny.configure(study, with_algorithm)
    tiny.draw_videos(study, frames=3)
    done = tiny.snakemake(study, DIVING)
    assert done.returncode == 0, done.stdout + done.stderr
    (one, *_) = (study / "results/tiny/flow/Diving").iterdir()
    before = json.loads(pq.read_schema(one).metadata[b"dtkd.flow"])["settings"]
    assert before["algorithm"] == "brightness"
    first = pq.read_table(one)["mean"].to_pylist()
    assert first[0] > 0
    (study / "flow_of_mine.py").write_text(ALGORITHM.replace("- previous", "+ previous"))
    assert f"flow {DIVING.removeprefix('results/')}" in tiny.pending(study)
    done = tiny.snakemake(study, DIVING)
    assert done.returncode == 0, done.stdout + done.stderr
    assert pq.read_table(one)["mean"].to_pylist() != first


def test_a_threshold_splits_and_splits_again_when_its_file_changes(study):
    (study / "middle.py").write_text(THRESHOLD)
    tiny.configure(study, lambda config: (config.update(plugins=["middle.py"]), config["split"].update(threshold="m")))
    tiny.draw_videos(study, frames=3)
    done = tiny.snakemake(study, "results/tiny/split.json", "results/tiny/stability.json")
    assert done.returncode == 0, done.stdout + done.stderr
    split = json.loads((study / "results/tiny/split.json").read_text())
    means = sorted(entry["mean"] for entry in split["classes"].values())
    assert split["threshold"] == pytest.approx((means[1] + means[2]) / 2)
    assert split["criterion"]["threshold"] == "m"
    (study / "middle.py").write_text(THRESHOLD.replace("/ 2", "/ 2.001"))
    assert "split tiny/split.json" in tiny.pending(study)
    planned = tiny.snakemake(study, "--dry-run", "results/tiny/stability.json")
    assert "How stable the split of tiny is" in planned.stdout


def test_the_guides_plug_ins_work(tmp_path, monkeypatch):
    for registry in (models.NETWORKS, algorithms.ALGORITHMS, methods.METHODS, thresholds.THRESHOLDS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setenv(plugins.VARIABLE, "[]")
    guide = (tiny.PROJECT / "docs/guides/plug-ins.md").read_text(encoding="utf-8")
    for number, text in enumerate(re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)):
        (tmp_path / f"{number}.py").write_text(text)
        plugins.load(f"{tmp_path}/{number}.py")
    method = methods.build("closest", KD_T=2, KD_alpha=0.4)
    said = {"static": torch.rand(3, 4), "dynamic": torch.rand(3, 4)}
    loss = method.loss(torch.rand(3, 4), said, labels=torch.arange(3), groups=torch.tensor([0, 1, 0, 1]))
    torch.testing.assert_close(sum(loss.weights.values()), torch.ones(3))
    assert thresholds.limits(np.array([1.0, 2.0, 5.0]), {"threshold": "middle"}) == [3.0]
    network = models.build("my_network", 4)
    assert network(torch.rand(2, 3, 2, 8, 8)).shape == (2, 4)
    frame = np.random.default_rng(0).integers(0, 255, (32, 40), dtype=np.uint8)
    field = flow.Settings("phase").function()(frame, np.roll(frame, 3, axis=1))
    np.testing.assert_allclose(field, np.broadcast_to(np.float32([3, 0]), (32, 40, 2)), atol=0.1)


@pytest.mark.parametrize(("plugin", "message"), [
    ("absent.py", "config: plugins: absent.py: there is no such file; paths begin in the working folder, {root}"),
    ("bad.py", "config: plugins: bad.py, line 1: ZeroDivisionError: division by zero; mend it, or leave it out"),
    ("again.py", "config: plugins: again.py, line 2: backbone 'x3d_s' is registered already: choose another name; mend "
                 "it, or leave it out"),
])  # fmt: skip
def test_what_is_wrong_with_one_ends_the_workflow_in_one_line(study, plugin, message):
    (study / "bad.py").write_text("1 / 0\n")
    (study / "again.py").write_text("from dtkd import models\nmodels.register('x3d_s', models.entry('r3d_18'))\n")
    tiny.configure(study, lambda config: (with_network(config), config.update(plugins=[plugin])))
    done = tiny.snakemake(study, "--dry-run")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: {message.format(root=study)}"
