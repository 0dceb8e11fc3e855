"""Rows of tables with their files."""

import json

import numpy as np
import pytest
from table_rows import GROUPED, GROUPS, INDEX, NETWORK, ORDER, SPLIT, SU4, SU13, drawn, ranked, save


@pytest.fixture
def three(tmp_path):
    """A student, its baseline and a teacher for each of three groups, two seeds each, and the labels of the videos."""
    labels = np.random.default_rng(3).integers(0, 4, 60).tolist()
    names = ("student", "baseline", *GROUPS)
    files = {name: [drawn(tmp_path / name / f"{seed}.parquet", labels, 4, 10 * n + seed) for seed in (0, 1)]
             for n, name in enumerate(names)}  # fmt: skip
    return files, [GROUPED["classes"][ORDER[label]]["subset"] for label in labels]


@pytest.fixture
def baselines(tmp_path):
    """U1 to U3 on three lists, two seeds of each, and U4, frozen, of one seed."""
    record = tmp_path / "run.json"
    record.write_text(json.dumps({"network": NETWORK}))
    ranks = {  # top-1 50 and 75, top-5 75 and 100; 25 and 25; 100 and 75; 0
        "U1": ([0, 0, 1, 7], [0, 0, 0, 1]), "U2": ([0, 1, 1, 1], [0, 1, 1, 1]), "U3": ([0, 0, 0, 0], [0, 0, 0, 7]),
        "U4": ([1, 1, 7, 7],),
    }  # fmt: skip
    return [
        {"dataset": "ucf101", "model": model, "list": number, "backbone": "slowfast_r101_16x8", "clip": "64x2",
         "frozen": model == "U4", "record": str(record), "as_published": True, "predictions": [
            ranked(tmp_path / model / f"{n}.parquet", seed, last=[0, 7, 7, 7]) for n, seed in enumerate(ranks[model])
         ]}
        for model, number in (("U1", 1), ("U2", 2), ("U3", 3), ("U4", 1))
    ]  # fmt: skip


@pytest.fixture
def teachers(tmp_path):
    """Both teachers of "mine", two seeds each, of all test videos, masked; and each seed's labels and logits."""
    labels = np.random.default_rng(0).integers(0, 4, 60).tolist()
    masked = {"static": [0, 2], "dynamic": [1, 3]}
    rows = [
        {"dataset": "mine", "model": subset, "list": 1, "subset": subset, "LT": True, "outputs": "masked",
         "as_published": True,
         "predictions": [drawn(tmp_path / subset / f"{seed}.parquet", labels, 4, seed, masked[subset])
                         for seed in seeds]}
        for subset, seeds in (("dynamic", (0, 1)), ("static", (2, 3)))
    ]  # fmt: skip
    return rows, labels, {"mine": SPLIT}, {"mine": INDEX}


@pytest.fixture
def specialists(tmp_path):
    """Eight test videos, two a class, of a baseline and of both subsets' teachers, LT and not."""
    labels = [0, 0, 1, 1, 2, 2, 3, 3]  # static: 1, 3 (Typing, archery); dynamic: 0, 2

    def answers(name, given, masked=()):
        logits = np.eye(4)[given] * 2.0
        logits[:, list(masked)] = -np.inf
        return save(tmp_path / f"{name}.parquet", labels, logits)

    baseline = [answers("base", [0, 1, 1, 0, 2, 2, 0, 0])]  # static 1 of 4, dynamic 3 of 4
    made = {
        ("static", True): answers("static-LT", [1, 1, 1, 1, 3, 3, 3, 1], masked=[0, 2]),  # 3 of 4
        ("static", False): answers("static", [0, 0, 1, 0, 0, 0, 2, 3]),  # 2 of 4, and it may say any class
        ("dynamic", True): answers("dynamic-LT", [0, 0, 0, 0, 0, 2, 0, 0], masked=[1, 3]),  # 3 of 4
    }
    return [
        {"dataset": "mine", "list": 1, "subset": subset, "LT": locked, "predictions": [file], "baseline": baseline}
        for (subset, locked), file in made.items()
    ]


@pytest.fixture
def study(tmp_path):
    u = [
        ranked(tmp_path / "u/base.parquet", [0, 0, 1, 4, 5, 6, 0, 0], [0, 0, 0, 0, 7, 7, 7, 7]),  # 50, 75; 50, 50
        ranked(tmp_path / "u/su4.parquet", [0, 0, 0, 0, 0, 1, 0, 7], [7] * 8),  # 75, 87.5; 0, 0
        ranked(tmp_path / "u/su13.parquet", [0, 7, 7, 7, 7, 7, 0, 1], [0, 0, 0, 0, 0, 0, 4, 7]),  # 25, 37.5; 75, 87.5
    ]
    h = [
        ranked(tmp_path / "h/base.parquet", [0, 0, 0, 7], [0, 0, 0, 0]),  # 75, 75; 100, 100
        ranked(tmp_path / "h/sh1.parquet", [0, 1, 1, 7], [1, 1, 1, 1]),  # 25, 75; 0, 100
    ]
    rows = [
        {"dataset": "ucf101", "model": "U1", "method": "baseline", "predictions": u[:1]},
        {"dataset": "ucf101", "model": "SU4", "predictions": u[1:2], **SU4},
        {"dataset": "ucf101", "model": "SU13", "predictions": u[2:], **SU13},
        {"dataset": "hmdb51", "model": "H1", "method": "baseline", "predictions": h[:1]},
        {"dataset": "hmdb51", "model": "SH1", "predictions": h[1:], **SU4, "KD_alpha": 0.2},
    ]
    return [{"list": 1, "as_published": True} | row for row in rows]


@pytest.fixture
def imitation(tmp_path):
    """A student and its teachers of "mine", two seeds, and the labels of the test videos."""
    labels = np.random.default_rng(5).integers(0, 4, 50).tolist()
    masked = {"student": [], "static": [0, 2], "dynamic": [1, 3]}
    files = {name: [drawn(tmp_path / name / f"{seed}.parquet", labels, 4, 100 * len(name) + seed, masked[name])
                    for seed in (0, 1)] for name in masked}  # fmt: skip
    row = {"dataset": "mine", "model": "S1", "list": 1, "student": files.pop("student"), "teachers": files,
           "as_published": True, "kl": "forward", "floor": None}  # fmt: skip
    return row, labels, {"mine": SPLIT}, {"mine": INDEX}
