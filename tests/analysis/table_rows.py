"""Hand-made predictions, splits and indexes for the tests of tables."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

import dtkd
from dtkd.analysis.tables import writing
from dtkd.common.files import write_json
from dtkd.training import halving

SU4 = {"method": "dtkd", "LT": True, "FT": True, "S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4}
SU13 = {"method": "bskd", "LT": True, "FT": True, "S_alpha": None, "KD_T": 2, "KD_alpha": 0.4}
NETWORK = {"parameters": 53_085_613, "trainable": 232_805, "parameters_published_head": 53_774_808,
           "multiply_adds": 83_470_000_000}  # fmt: skip
SCRIPTS = Path(dtkd.__file__).parents[1]
NAN = np.nan


def save(path, labels, logits, last=None, videos=None):
    """One `predictions.parquet`; returns its path as rows give it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    last = logits if last is None else last
    pd.DataFrame({
        "video": videos or [f"a/{n}.avi" for n in range(len(labels))], "label": labels,
        "logits": list(np.asarray(logits, np.float32)), "logits_last": list(np.asarray(last, np.float32)),
    }).to_parquet(path, index=False)  # fmt: skip
    return str(path)


def logits_of(ranks, classes=8):
    """Logits of samples of class 0 whose label has the given ranks, 0 the best."""
    rows = np.zeros((len(ranks), classes), np.float32)
    for row, rank in zip(rows, ranks, strict=True):
        row[1:] = -np.arange(1, classes)
        row[0] = -rank - 0.5
    return rows


def ranked(path, ranks, last=None):
    return save(path, [0] * len(ranks), logits_of(ranks), logits_of(last or ranks))


def drawn(path, labels, classes, seed, masked=(), videos=None):
    """Random logits that lean towards the label; ``masked`` classes are out of the question."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(len(labels), classes)) + np.eye(classes)[labels]
    logits[:, list(masked)] = -np.inf
    return save(path, labels, logits, random.normal(size=logits.shape), videos)


def split_of(classes, criterion=None):
    """A `split.json`: per class its subset and mean flow."""
    entries = {name: {"subset": s, "mean": mean, "std": 0.1, "videos": 3} for name, (s, mean) in classes.items()}
    criterion = {"source": "flow", "measure": "mean", "quantile": 0.25} | (criterion or {})
    return {"criterion": criterion, "threshold": 1.0, "classes": dict(sorted(entries.items()))}


# Four classes whose labels are not in the order of their names, as in UCF101.
ORDER = ["walk", "Typing", "jump", "archery"]
SPLIT = split_of(
    {"walk": ("dynamic", 2.0), "Typing": ("static", 0.5), "jump": ("dynamic", 3.0), "archery": ("static", 0.7)}
)
INDEX = pd.DataFrame({
    "video": [f"{n}.avi" for n in range(16)], "class": np.repeat(sorted(ORDER), 4),
    "label": [ORDER.index(name) for name in np.repeat(sorted(ORDER), 4)],
    "list1": ["train", "train", "test", "unused"] * 4, "list2": ["test", "train", "train", "train"] * 4,
})  # fmt: skip


def own(label):
    return SPLIT["classes"][ORDER[label]]["subset"]


GROUPS = ("slow", "medium", "fast")
GROUPED = SPLIT | {"groups": list(GROUPS), "threshold": [1.0, 2.5], "criterion": {
    "source": "flow", "measure": "mean", "threshold": "quantile", "quantile": [0.5, 0.75], "boundary": "inclusive",
}, "classes": {name: entry | {"subset": GROUPS[(entry["mean"] > 1) + (entry["mean"] > 2.5)]}
               for name, entry in SPLIT["classes"].items()}}  # fmt: skip
BOTH = {"three": GROUPED, "two": SPLIT}


def written(table, folder):
    output = {kind: str(folder / f"table.{kind}") for kind in ("csv", "md", "tex")}
    writing.write(table, output)
    return {kind: Path(path).read_text(encoding="utf-8") for kind, path in output.items()}


def markdown(text):
    """Head and rows of the cells."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return head, rows


def entropies(student, teacher, kl, floor):
    """KL per video by SciPy; reverse, with the teacher's probabilities floored."""
    logits = [np.stack(pd.read_parquet(file)["logits"]).astype(float) for file in (student, teacher)]
    p, q = (special.softmax(each, axis=1) for each in logits)
    return (special.rel_entr(q, p) if kl == "forward" else special.rel_entr(p, np.maximum(q, floor))).sum(axis=1)


def rows_of_baselines(folder):
    """U1 to U3 on three lists, two seeds of each, and U4, frozen, of one seed."""
    record = folder / "run.json"
    record.write_text(json.dumps({"network": NETWORK}))
    ranks = {  # top-1 50 and 75, top-5 75 and 100; 25 and 25; 100 and 75; 0
        "U1": ([0, 0, 1, 7], [0, 0, 0, 1]), "U2": ([0, 1, 1, 1], [0, 1, 1, 1]), "U3": ([0, 0, 0, 0], [0, 0, 0, 7]),
        "U4": ([1, 1, 7, 7],),
    }  # fmt: skip
    return [
        {"dataset": "ucf101", "model": model, "list": number, "backbone": "slowfast_r101_16x8", "clip": "64x2",
         "frozen": model == "U4", "record": str(record), "as_published": True, "predictions": [
            ranked(folder / model / f"{n}.parquet", seed, last=[0, 7, 7, 7]) for n, seed in enumerate(ranks[model])
         ]}
        for model, number in (("U1", 1), ("U2", 2), ("U3", 3), ("U4", 1))
    ]  # fmt: skip


def rows_of_teachers(folder):
    """Both teachers of "mine", two seeds each, of all test videos, masked; and each seed's labels and logits."""
    labels = np.random.default_rng(0).integers(0, 4, 60).tolist()
    masked = {"static": [0, 2], "dynamic": [1, 3]}
    rows = [
        {"dataset": "mine", "model": subset, "list": 1, "subset": subset, "LT": True, "outputs": "masked",
         "as_published": True,
         "predictions": [drawn(folder / subset / f"{seed}.parquet", labels, 4, seed, masked[subset])
                         for seed in seeds]}
        for subset, seeds in (("dynamic", (0, 1)), ("static", (2, 3)))
    ]  # fmt: skip
    return rows, labels, {"mine": SPLIT}, {"mine": INDEX}


def rows_of_specialists(folder):
    """Eight test videos, two a class, of a baseline and of both subsets' teachers, LT and not."""
    labels = [0, 0, 1, 1, 2, 2, 3, 3]  # static: 1, 3 (Typing, archery); dynamic: 0, 2

    def answers(name, given, masked=()):
        logits = np.eye(4)[given] * 2.0
        logits[:, list(masked)] = -np.inf
        return save(folder / f"{name}.parquet", labels, logits)

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


def rows_of_students(folder):
    u = [
        ranked(folder / "u/base.parquet", [0, 0, 1, 4, 5, 6, 0, 0], [0, 0, 0, 0, 7, 7, 7, 7]),  # 50, 75; 50, 50
        ranked(folder / "u/su4.parquet", [0, 0, 0, 0, 0, 1, 0, 7], [7] * 8),  # 75, 87.5; 0, 0
        ranked(folder / "u/su13.parquet", [0, 7, 7, 7, 7, 7, 0, 1], [0, 0, 0, 0, 0, 0, 4, 7]),  # 25, 37.5; 75, 87.5
    ]
    h = [
        ranked(folder / "h/base.parquet", [0, 0, 0, 7], [0, 0, 0, 0]),  # 75, 75; 100, 100
        ranked(folder / "h/sh1.parquet", [0, 1, 1, 7], [1, 1, 1, 1]),  # 25, 75; 0, 100
    ]
    rows = [
        {"dataset": "ucf101", "model": "U1", "method": "baseline", "predictions": u[:1]},
        {"dataset": "ucf101", "model": "SU4", "predictions": u[1:2], **SU4},
        {"dataset": "ucf101", "model": "SU13", "predictions": u[2:], **SU13},
        {"dataset": "hmdb51", "model": "H1", "method": "baseline", "predictions": h[:1]},
        {"dataset": "hmdb51", "model": "SH1", "predictions": h[1:], **SU4, "KD_alpha": 0.2},
    ]
    return [{"list": 1, "as_published": True} | row for row in rows]


def rows_of_methods(folder):
    """A baseline of "mine" and a student, each on eight test videos, and how long both trained."""
    history = folder / "history.parquet"
    pd.DataFrame({"train_seconds": [1800.0, 1800.0]}).to_parquet(history)
    base, own = ([drawn(folder / f"of_{name}.parquet", [0, 0, 1, 1, 2, 2, 3, 3], 4, seed)]
                 for seed, name in enumerate(("baseline", "student")))  # fmt: skip
    shared = {"dataset": "mine", "variant": None, "lists": "1", "teacher_passes": 0, "teacher_trainings": 0}
    files = {"history": [str(history)], "teachers": []}
    return [
        {**shared, "models": "B", "method": "baseline", "compared": False, "searched": False,
         "of_lists": [{"predictions": base, "baseline": None, **files}]},
        {**shared, "models": "S", "method": "dtkd", "compared": True, "searched": False,
         "of_lists": [{"predictions": own, "baseline": base, **files}]},
    ]  # fmt: skip


def row_of_imitation(folder):
    """A student and its teachers of "mine", two seeds, and the labels of the test videos."""
    labels = np.random.default_rng(5).integers(0, 4, 50).tolist()
    masked = {"student": [], "static": [0, 2], "dynamic": [1, 3]}
    files = {name: [drawn(folder / name / f"{seed}.parquet", labels, 4, 100 * len(name) + seed, masked[name])
                    for seed in (0, 1)] for name in masked}  # fmt: skip
    row = {"dataset": "mine", "model": "S1", "list": 1, "student": files.pop("student"), "teachers": files,
           "as_published": True, "kl": "forward", "floor": None}  # fmt: skip
    return row, labels, {"mine": SPLIT}, {"mine": INDEX}


def rows_of_searches(folder):
    """A search of four candidates: one goes on to the end, one is out after each rung, one has diverged."""
    ends = {"a": 4, "b": 2, "c": 1, "d": 0}
    files = []
    for epochs, names in ((1, "abcd"), (2, "ab"), (4, "a")):
        tried = [
            {"candidate": name, "diverged": None if ends[name] else "the loss is nan", "epochs": [
                {"epoch": n, "val_top1": 50.0 - ends[name] + n, "val_top5": 90.0, "train_seconds": 36.0}
                for n in range(1, 1 + min(epochs, ends[name]))]}
            for name in names
        ]  # fmt: skip
        files.append(str(folder / f"ranking{epochs}.json"))
        write_json(files[-1], halving.ranking(tried[::-1], max(1, len(names) // 2)))
    settings = {name: f"KD_T {n}" for n, name in enumerate("abcd")}
    return [{"dataset": "mine", "list": 1, "model": "tuned", "epochs": [1, 2, 4], "candidates": settings,
             "rankings": files}]  # fmt: skip


def rows_of_deployment(folder):
    """Two models, their speed measured of one clip and of eight."""
    network = {"backbone": "slowfast_small", "precision": "fp32", "parameters": 694_482, "gflops": 0.5, "weights": 2.7}
    batches = [
        {**network, "batch": 8, "p50": 40.0, "p95": 50.0, "throughput": 200.0, "memory": 90.0},
        {**network, "batch": 1, "p50": 7.0, "p95": 9.0, "throughput": 140.0, "memory": 60.0},
    ]
    file = folder / "benchmark.json"
    file.write_text(json.dumps({"machine": "a card", "rows": batches}))
    predictions = [save(folder / f"speed{seed}.parquet", [0] * 4, logits_of([0, 0, 0, seed])) for seed in (0, 1)]
    given = {"dataset": "mine", "list": 1, "predictions": predictions, "benchmark": str(file)}
    return [{"model": "U1", **given}, {"model": "A", **given}]
