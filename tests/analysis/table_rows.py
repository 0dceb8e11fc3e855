"""Hand-made predictions, splits and indexes for the tests of tables."""

from pathlib import Path

import numpy as np
import pandas as pd

import dtkd
from dtkd.analysis.tables import writing

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
