"""Made-up data for the tests of figures, and what is read off a figure."""

from itertools import combinations, product

import numpy as np
import pandas as pd
from matplotlib.text import Text

from dtkd.analysis.figures.accuracy_cost import Point, accuracy_cost
from dtkd.analysis.figures.class_gain import class_gain
from dtkd.analysis.figures.confusion import confusion
from dtkd.analysis.figures.critical_difference import critical_difference
from dtkd.analysis.figures.figure1 import figure1
from dtkd.analysis.figures.figure2 import figure2
from dtkd.analysis.figures.figure5 import figure5
from dtkd.analysis.figures.figure6 import figure6
from dtkd.analysis.figures.figure7 import figure7
from dtkd.analysis.figures.figure8 import figure8
from dtkd.analysis.figures.gains import gains
from dtkd.analysis.figures.grids import grids
from dtkd.analysis.figures.reliability import reliability
from dtkd.analysis.figures.searches import Searched, searches
from dtkd.analysis.figures.seeds import seeds as seeds_figure
from dtkd.analysis.figures.sensitivity import sensitivity
from dtkd.analysis.figures.split_stability import split_stability
from dtkd.analysis.figures.teacher_weights import teacher_weights
from dtkd.analysis.figures.teachers import teachers
from dtkd.data import published
from dtkd.data.groups import SUBSETS, weight_name
from dtkd.training.metrics import Predictions


def split(means, threshold, stds=None, names=None, criterion=None):
    names = names or [f"c{n:03}" for n in range(len(means))]
    stds = stds if stds is not None else [0.5 * mean + 0.1 for mean in means]
    limit = np.quantile(means, 0.25) if threshold is None else threshold
    classes = {
        name: {"mean": mean, "std": std, "subset": "static" if mean <= limit else "dynamic"}
        for name, mean, std in zip(names, means, stds, strict=True)
    }
    return {"threshold": threshold, "criterion": criterion or {"quantile": 0.25}, "classes": classes}


SPLITS = {"one": split([0.1, 0.2, 0.5, 0.5, 0.9, 2.0], 0.3), "two": split([0.0, 0.4, 0.6, 0.8], 0.0)}
FOUR = {
    "data": split([0.1, 0.2, 0.5, 0.9], 0.2, names=["sit", "drink", "walk", "run"])
}  # labels, unlike names, as given


def many(count, seed=0):
    random = np.random.default_rng(seed)
    means = random.gamma(2, 0.5, count) + 0.1
    return split(list(means), float(np.quantile(means, 0.25)), list(means * random.uniform(0.2, 0.7, count)),
                 [f"{'Apply' * (n % 3)}EyeMakeup_{n}" for n in range(count)])  # fmt: skip


def grouped(given, groups):
    """A split by quantiles of the same classes, in ``groups`` of about the same size."""
    means = [entry["mean"] for entry in given["classes"].values()]
    quantiles = [round(n / len(groups), 2) for n in range(1, len(groups))]
    limits = [float(np.quantile(means, each)) for each in quantiles]
    classes = {name: entry | {"subset": groups[sum(entry["mean"] > limit for limit in limits)]}
               for name, entry in given["classes"].items()}  # fmt: skip
    criterion = {"threshold": "quantile", "quantile": quantiles, "boundary": "inclusive"}
    return {"groups": list(groups), "threshold": limits, "criterion": criterion, "classes": classes}


def predictions(answers, labels, classes=4, own=None):
    """Logits that give ``answers``; outside ``own`` -inf."""
    logits = np.zeros((len(labels), classes))
    logits[np.arange(len(labels)), answers] = 2.0
    if own is not None:
        logits[:, [c for c in range(classes) if c not in own]] = -np.inf
    return Predictions([f"v{n}" for n in range(len(labels))], np.array(labels), logits, logits)


def history(epochs=3, seed=0, groups=SUBSETS, **columns):
    random = np.random.default_rng(seed)
    table = {"epoch": range(1, epochs + 1)} | {
        name: random.uniform(0.5, 1, epochs) for name in ("train_loss", "top1", *map(weight_name, groups))
    }
    return pd.DataFrame(table | columns)


LABELS = [0, 0, 1, 1, 2, 2, 3, 3]
BASELINE = predictions([0, 1, 1, 1, 3, 3, 3, 3], LABELS)  # 50, 100, 0 and 100 per cent
STUDENT = predictions([0, 0, 1, 0, 2, 3, 3, 3], LABELS)  # 100, 50, 50 and 100
PAIR = {"data": {"U1": [BASELINE], "SU12": [STUDENT]}}


def words(artist):
    return [text.get_text() for text in artist.findobj(Text) if text.get_visible() and text.get_text()]


def legend(axis):
    return [text.get_text() for text in axis.get_legend().get_texts()]


def boxes(figure, texts):
    """Where texts are at the resolution of the saved picture, a hair smaller than they are."""
    figure.set_dpi(200)
    figure.draw_without_rendering()
    for text in texts:
        text.get_window_extent()
    return {text: Text.get_window_extent(text).padded(-1) for text in texts}


def drawn_texts(figure, monkeypatch):
    """The texts that a picture has: a figure also holds ticks beyond its axes' limits, which are never drawn."""
    found, draw = [], Text.draw
    monkeypatch.setattr(Text, "draw", lambda text, renderer: (found.append(text), draw(text, renderer))[1])
    figure.draw_without_rendering()
    monkeypatch.undo()
    return [text for text in dict.fromkeys(found) if text.get_visible() and text.get_text().strip()]


def check_readable(figure, monkeypatch):
    """Every text is of 7 points or more, on the page, and touches no other."""
    placed, page = boxes(figure, drawn_texts(figure, monkeypatch)), figure.bbox
    assert len(placed) > 5
    for text, box in placed.items():
        assert text.get_fontsize() >= 7
        assert page.x0 <= box.x0 < box.x1 <= page.x1, text.get_text()
        assert page.y0 <= box.y0 < box.y1 <= page.y1, text.get_text()
    for (one, a), (other, b) in combinations(placed.items(), 2):
        assert not a.overlaps(b), (one.get_text(), other.get_text())


def kept(split, shares=(0.5, 1.0)):
    """A `stability.json` whose classes have these shares in turn."""
    classes = {name: {"kept": shares[n % len(shares)]} for n, name in enumerate(split["classes"])}
    return {"draws": 1000, "split": 0.25, "classes": classes}


def table5(tmp_path, **columns):
    """Table 5 as scripts read it: from CSV."""
    rows = [
        ("U1", "baseline", None, None, None, None, None, 90.0),
        ("SU1", "dtkd", True, True, 0.3, 2, 0.2, 91.0),
        ("SU2", "dtkd", True, True, 0.5, 2, 0.2, 92.0),
        ("SU4", "dtkd", True, True, 0.3, 2, 0.4, 93.0),
        ("SU6", "dtkd", True, True, 0.3, 4, 0.2, 94.0),
        ("SU12", "dtkd", False, False, 0.3, 2, 0.4, 95.0),
        ("SU13", "bskd", True, True, None, 2, 0.4, 80.0),
    ]
    table = pd.DataFrame(rows, columns=["model", "method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha", "top1"])
    table.assign(dataset="d", **{"variant": None} | columns).to_csv(tmp_path / "table5.csv", index=False)
    return pd.read_csv(tmp_path / "table5.csv")


def table_of_gains(dataset="d", baseline="U1", count=3, **columns):
    """Table 5 of a baseline and its students."""
    rows = [(dataset, baseline, "baseline", 50.0, *[np.nan] * 4)]
    rows += [(dataset, f"S{n}", "dtkd", 50.0 + n, float(n), n - 2.0, n + 3.0, 0.04 * n) for n in range(count)]
    names = ["dataset", "model", "method", "top1", "gain", "gain_low", "gain_high", "p_holm"]
    return pd.DataFrame(rows, columns=names).assign(**columns)


def table_of_teachers(dataset="d", number=1, kinds=(True, False), groups=SUBSETS):
    """`teachers.csv` of a data set's list; teachers with LT gain 10 points, the others nothing."""
    groups = [(subset, 12 + 18 * n, locked) for n, subset in reversed(list(enumerate(groups))) for locked in kinds]
    table = pd.DataFrame(groups, columns=["subset", "videos", "LT"]).assign(dataset=dataset, list=number)
    gain = 10.0 * table["LT"]
    return table.assign(baseline_top1=50.0, teacher_top1=50 + gain, gain=gain, gain_low=gain - 5, gain_high=gain + 5)


def table_of_grids(datasets=("d",), **keys):
    """Table 5 of a grid of students, each of which gains a point more than the one before it; and what it is of."""
    keys = keys or {"S_alpha": ["0.1", "0.3", "0.5"], "KD_T": ["2", "4"]}
    students = {f"sweep-{n}": list(values) for n, values in enumerate(product(*keys.values()))}
    rows = [(dataset, name, n - 2.0) for dataset in datasets for n, name in enumerate(students)]
    shown = {dataset: {"sweep": {"keys": keys, "students": students}} for dataset in datasets}
    return pd.DataFrame([*rows, (datasets[0], "U1", np.nan)], columns=["dataset", "model", "gain"]), shown


def searched(rungs=(1, 3)):
    """A search of four candidates, of which one goes on to the end."""
    ends = {"KD_T 4": 6, "KD_T 2": 6, "KD_T 1": rungs[1], "KD_T 8": rungs[0]}
    return Searched(rungs, {name: [20.0 + 5 * n + len(name) for n in range(end)] for name, end in ends.items()})


def points(random, seeds):
    """Top-1 of three networks, of which two cost about the same."""
    costs = {"slowfast_r101_16x8": 83.4, "x3d_s": 1.96, "efficientnet_lite0": 2.0}
    return [Point(name, gflops, random.uniform(60, 90, seeds).tolist()) for name, gflops in costs.items()]


def many_gains(name, seeds):
    """The gains of two students on three lists, of each seed."""
    random = np.random.default_rng(1)
    return {student: {str(n): random.normal(size=seeds).tolist() for n in (1, 2, 3)} for student in (name, "SU1")}


def study(datasets, classes, seeds, epochs=4, names=None, models=("U1", "SU12", "U2"), groups=SUBSETS):
    """Every figure of a made-up study; ``names`` of its classes, ``models`` of its baseline, its student, another."""
    random, splits, pairs, curves, weights, kl, tables, gained = np.random.default_rng(0), {}, {}, {}, {}, {}, [], []
    labels = np.repeat(np.arange(classes), 3)
    for dataset in datasets:
        splits[dataset] = many(classes) if groups == SUBSETS else grouped(many(classes), groups)
        if names:
            splits[dataset]["classes"] = dict(zip(names, splits[dataset]["classes"].values(), strict=True))
        pairs[dataset] = {
            name: [predictions(np.where(random.random(len(labels)) < 0.7, labels, random.permutation(labels)), labels,
                               classes) for _ in range(seeds)]
            for name in models[:2]
        }  # fmt: skip
        curves[dataset] = {f"{name} (list {n})": [history(epochs, 9 * n + seed, groups) for seed in range(seeds)]
                           for n, name in enumerate(models)}  # fmt: skip
        weights[dataset] = dict(zip((models[1], "SU1", "SU2"), curves[dataset].values(), strict=True))
        kl[dataset] = {subset: random.gamma(2, 4, (seeds, len(labels))) for subset in groups}
        rows = [(dataset, f"SU{n}", "dtkd", n % 2 == 0, True, 0.3, t, a, 80 + n, 0.4) for n, (t, a) in enumerate(
            [(2, 0.2), (2, 0.2), (4, 0.2), (8, 0.2), (2, 0.4), (4, 0.4)])]  # fmt: skip
        tables += [(dataset, models[0], "baseline", None, None, None, None, None, 79.0, 0.5), *rows]
        own = table_of_gains(dataset, models[0], 13).replace({"model": {"S1": models[1]}})
        gained += [own.assign(seeds=seeds)]
    columns = ["dataset", "model", "method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha", "top1", "top1_std"]
    return {
        "gains": gains(
            pd.concat(gained), {dataset: dict(list(models.items())[:1]) for dataset, models in pairs.items()}
        ),
        "accuracy_cost": accuracy_cost(
            {dataset: {method: points(random, seeds) for method in ("baseline", "DTKD", "KD")} for dataset in datasets}
        ),
        "grids": grids(*table_of_grids(datasets, S_alpha=["0.1", "0.3"], KD_T=list("2345678"[: 5 + seeds]))),
        "searches": searches({f"{dataset}, {models[1]}": searched() for dataset in datasets}),
        "teachers": teachers(pd.concat(table_of_teachers(dataset, groups=groups) for dataset in datasets)),
        "figure1": figure1(splits),
        "figure2": figure2(splits),
        "split_stability": split_stability(splits, {name: kept(own) for name, own in splits.items()}),
        "figure5": figure5(curves),
        "figure6": figure6(curves),
        "figure7": figure7(pairs, splits, dict.fromkeys(datasets[1:], published.gains("ucf101", "U1", "SU12"))),
        "figure8": figure8(kl),
        "class_gain": class_gain(pairs, splits),
        "reliability": reliability(pairs),
        "seeds": seeds_figure({dataset: many_gains(models[1], seeds) for dataset in datasets}),
        "critical_difference": critical_difference([*models, "BSKD"], random.random((5 * len(datasets), 4)), datasets),
        "confusion": confusion(pairs, splits),
        "teacher_weights": teacher_weights(weights, dict.fromkeys(datasets, models[1])),
        "sensitivity": sensitivity(pd.DataFrame(tables, columns=columns).assign(variant=None)),
    }
