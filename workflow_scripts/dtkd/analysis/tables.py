"""The paper's Tables 1 to 6 from splits, indexes, predictions and run records; written as CSV, Markdown and LaTeX.

Accuracies are per cent, by the selected epoch's weights (``top1``, ``top5``) and by the last epoch's (``_last``). A row
of several seeds shows their mean; ``<name>_std`` beside it is the sample standard deviation over seeds, there only if
some row has several. ``paper_<name>`` is the paper's number, where a row has a counterpart with the same network,
clip, subsets and hyperparameters (the paper says little of its trainings), and ``diff_<name>`` ours less the paper's.

The functions take ``rows``, mappings of plain values with files as paths: ``predictions`` is one `predictions.parquet`
per seed, and ``as_published`` says whether all that no column shows is as in the paper. They raise DtkdError, with the
file's name, for predictions that are missing, broken or of other videos than those they are compared with.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dtkd.analysis import significance
from dtkd.common.errors import DtkdError
from dtkd.common.files import atomic
from dtkd.data import published
from dtkd.data.datasets import class_names, counts
from dtkd.data.groups import SUBSETS, group_names, split_name
from dtkd.motion.subsets import motion_unit, subset_summary
from dtkd.training.metrics import Predictions, kl_divergence, top_k, top_k_correct

HYPERPARAMETERS = ["method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha"]
LIST = ["test_videos", "chance", "smallest_gain"]  # columns of Table 5 that a list's rows have in common
ACCURACIES = ["top1", "top5", "top1_last", "top5_last"]
Row = Mapping[str, Any]


# The tables


def table1(splits: Mapping[str, Row]) -> pd.DataFrame:
    """Table 1: quartile, mean, standard deviation and interquartile range of the classes' mean flow.

    In pixels/frame, or as `subsets.motion_unit` says. ``splits`` gives each dataset's `split.json` (see
    `subsets.subset_summary`). Another measure or unit and subsets by list or lot have no counterpart in the paper.
    DtkdError if a split has no class means.
    """
    keys, values = ("dataset", "subset"), ["q1", "mean", "std", "iqr"]
    paper = _counterparts(published.table(1), keys)
    rows = []
    for dataset, split in splits.items():
        usual = motion_unit([split]) == "pixels/frame" and _as_the_papers(split)
        try:
            summary = subset_summary(split)
        except DtkdError as error:
            raise DtkdError(f"{dataset}: {error}") from None
        for row in summary.assign(dataset=dataset).to_dict("records"):
            rows.append(row | _beside(row, paper.get(_key(row, keys), {}) if usual else {}, values))
    columns = ["dataset", "subset", "classes", *values, *_against(values)]
    caption = f"Mean optical flow of the classes of each subset ({motion_unit(splits.values())})"
    return _table("table1", rows, columns, caption + _origin(splits))


def table2(indexes: Mapping[str, pd.DataFrame], splits: Mapping[str, Row]) -> pd.DataFrame:
    """Table 2: classes and videos of each list and subset (`datasets.counts`), of the same datasets in both mappings.

    ``indexes`` gives each dataset's `videos.parquet`, ``splits`` its `split.json`. DtkdError if their classes differ.
    """
    keys, values = ("dataset", "list", "subset"), ["classes", "train", "test", "total"]
    paper = _counterparts(published.table(2), keys)
    rows = []
    for dataset, index in indexes.items():
        subsets = {name: entry["subset"] for name, entry in splits[dataset]["classes"].items()}
        usual = _as_the_papers(splits[dataset])
        for row in counts(index, subsets, group_names(splits[dataset])).assign(dataset=dataset).to_dict("records"):
            rows.append(row | _beside(row, paper.get(_key(row, keys), {}) if usual else {}, values))
    columns = ["dataset", "list", "subset", *values, *_against(values)]
    return _table("table2", rows, columns, "Classes and videos of each list and subset" + _origin(splits))


def _as_the_papers(split: Row) -> bool:
    """Whether the subsets are meant to be the paper's (`config.Split.as_the_papers`)."""
    criterion = split["criterion"]
    return criterion["source"] == "published" or (criterion["source"] == "flow" and criterion.get("quantile") == 0.25)


def _origin(splits: Mapping[str, Row]) -> str:
    """What a caption says of subsets that are neither the flow's nor the paper's."""
    found = {(split["criterion"]["source"], group_names(split) == SUBSETS) for split in splits.values()}
    said = {
        ("listed", True): "; static: the classes that the study lists",
        ("random", True): "; static: classes drawn at random",
        ("listed", False): "; groups: as the study lists their classes",
        ("random", False): "; groups: classes drawn at random",
    }
    return "".join(said.get(kind, "") for kind in sorted(found))


def table3(rows: Iterable[Row]) -> pd.DataFrame:
    """Table 3: the baselines, their networks' sizes and accuracies.

    Args:
        rows: per baseline dataset, model, list, backbone, clip (frames and rate of the fast pathway, "64x2"), frozen,
            predictions, as_published, and ``record``: a `run.json` whose ``network`` counts parameters (all, trainable,
            all with the published 400-way head) and the multiply-adds of one clip.

    Returns:
        One row a baseline. ``params*`` and ``trainable`` are in millions; ``params_published``, with the head that
        training replaces, is what the paper prints (Section 4.2); ``gflops`` are 1e9 multiply-adds, as is the custom.
    """
    paper = _counterparts(published.table(3), _TABLE3)
    table = []
    for row in rows:
        network, scores = _network(row["record"]), _scores(row["predictions"])
        sizes = {
            "params_published": network["parameters_published_head"] / 1e6,
            "params": network["parameters"] / 1e6,
            "trainable": network["trainable"] / 1e6,
            "gflops": network["multiply_adds"] / 1e9,
        }
        own = paper.get(_key(row, _TABLE3), {}) if row["as_published"] else {}
        table.append({**row, **sizes, **scores, **_beside(scores, own, ["top1", "top5"])})
    columns = ["dataset", "model", "list", "backbone", "clip", "frozen", "params_published", "params", "trainable",
               "gflops", "seeds", *_with_std(ACCURACIES), *_against(["top1", "top5"])]  # fmt: skip
    caption = (
        "Accuracy of the baselines on the test videos of their list. Parameters in millions; 400 classes: with the "
        "published head, which training replaces. GFLOPs: 1e9 multiply-adds of one clip"
    )
    return _table("table3", table, columns, caption)


def crossvalidation(rows: Iterable[Row]) -> pd.DataFrame:
    """Table 3's baselines that differ in the list alone: mean and sample standard deviation over the lists.

    ``rows`` are those of `table3`; ``record`` is not read. One row per dataset, backbone, clip and frozen with at least
    two lists (none if no baseline has a second list), each list's accuracy first averaged over its seeds. The paper's
    mean and deviation are computed from its rows, if it has them all.
    """
    names, paper = ["top1", "top5"], _counterparts(published.table(3), _TABLE3)
    groups, table = {}, []
    for row in rows:
        group = groups.setdefault(_key(row, ("dataset", "backbone", "clip", "frozen")), {})
        group.setdefault(row["list"], row)  # of several baselines of a list the first
    for group in groups.values():
        if len(group) < 2:
            continue
        lists = sorted(group)
        members = [group[number] for number in lists]
        ours = _spread([_scores(row["predictions"]) for row in members], names)
        printed = [paper.get(_key(row, _TABLE3)) if row["as_published"] else None for row in members]
        theirs = {} if None in printed else _spread(printed, names)
        words = {"models": ", ".join(row["model"] for row in members), "lists": ", ".join(map(str, lists))}
        deviations = {f"paper_{name}_std": theirs.get(f"{name}_std", math.nan) for name in names}
        table.append({**members[0], **words, **ours, **deviations, **_beside(ours, theirs, names)})
    columns = ["dataset", "models", "lists", "backbone", "clip", "frozen", *_with_std(names),
               *_with_std([f"paper_{name}" for name in names]), *(f"diff_{name}" for name in names)]  # fmt: skip
    caption = "Accuracy of the baselines over the lists: mean and sample standard deviation"
    return _table("crossvalidation", table, columns, caption)


def table4(rows: Iterable[Row], splits: Mapping[str, Row], indexes: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Table 4: the teachers, each on the test videos of its own subset.

    Args:
        rows: per teacher dataset, model, list, subset, LT (only the head was trained), outputs (``full``: it may answer
            any class, and so err; ``masked``: one of its subset), split (None, or left out: the study's), predictions
            (of any test videos; those outside the subset are left out), as_published.
        splits: each split that teachers are of, by its `split_name`: which classes are of the subset.
        indexes: each dataset's `videos.parquet`: which class a label is. (UCF101's labels are not in the names' order.)
    """
    keys = ("dataset", "model", "subset", "LT")
    paper = _counterparts(published.table(4).rename(columns={"frozen": "LT"}), keys)
    table = []
    for row in rows:
        own = _own_subsets(row, splits, indexes)
        runs = _of_subset(row["predictions"], own, row["subset"])
        scores = _over_seeds([accuracies(run) for run in runs])
        theirs = paper.get(_key(row, keys), {}) if row["as_published"] else {}
        numbers = {"classes": int((own == row["subset"]).sum()), "videos": len(runs[0].videos)}
        table.append({**row, **numbers, **scores, **_beside(scores, theirs, ["top1", "top5"])})
    columns = ["dataset", "model", "subset", "LT", "outputs", "classes", "videos", "seeds", *_with_std(ACCURACIES),
               *_against(["top1", "top5"])]  # fmt: skip
    return _table("table4", table, columns, "Accuracy of the teachers on the test videos of their own subset")


def _own_subsets(row: Row, splits: Mapping[str, Row], indexes: Mapping[str, pd.DataFrame]) -> np.ndarray:
    """(C,) the subset of each label by the split that a teacher is of."""
    return _subsets(row["dataset"], splits[split_name(row["dataset"], row.get("split"))], indexes[row["dataset"]])


def teachers(rows: Iterable[Row], splits: Mapping[str, Row], indexes: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Each teacher beside the baseline of its list, both on the test videos of the teacher's subset.

    A model's answer is the highest of all its logits: the baseline chooses among all classes, a teacher among those
    that its outputs leave it.

    Args:
        rows: those of `table4`, and ``baseline``: the baseline's predictions, of the same seeds.
        splits: each split that teachers are of, by its `split_name`.
        indexes: each dataset's `videos.parquet`.

    Returns:
        One row a teacher: ``baseline_top1`` and ``teacher_top1`` (per cent); ``gain`` (points) with its interval and
        ``p`` as in `table5`, of the teacher over the baseline.
    """
    table = []
    for row in rows:
        own = _own_subsets(row, splits, indexes)
        sides = {"teacher_top1": row["predictions"], "baseline_top1": row["baseline"]}
        runs = {name: _of_subset(files, own, row["subset"]) for name, files in sides.items()}
        gain = _gain(sides["teacher_top1"], runs["teacher_top1"], sides["baseline_top1"], runs["baseline_top1"])
        scores = [_over_seeds([{name: accuracies(run)["top1"]} for run in side]) for name, side in runs.items()]
        table.append({**row, "videos": len(runs["teacher_top1"][0].videos), **scores[0], **scores[1], **gain})
    several = ["split"] if any(row.get("split") for row in table) else []
    columns = ["dataset", "list", *several, "subset", "LT", "videos", "seeds",
               *_with_std(["baseline_top1", "teacher_top1"]), "gain", "gain_low", "gain_high", "p"]  # fmt: skip
    caption = (
        "Teachers beside the baseline of their list on the test videos of their own subset. Gain: points of top-1 over "
        "the baseline, with its 95 % bootstrap interval over these videos; p: exact paired test"
    )
    own_splits = {dataset: split for dataset, split in splits.items() if dataset in indexes}
    return _table("teachers", table, columns, caption + _origin(own_splits))


def table5(rows: Iterable[Row]) -> pd.DataFrame:
    """Table 5: the students beside the baseline, whether the gain may be chance, and the paper's numbers.

    Args:
        rows: per run dataset, list, model, method (baseline, dtkd, bskd, kd), hyperparameters, variant, predictions,
            as_published. The baseline of a dataset's list comes before its students and has the same seeds.

    Returns:
        One row a run. ``gain`` is in points of top-1 over the baseline of the same list, ``gain_low`` and ``gain_high``
        its 95 % bootstrap interval over test videos (`significance.interval`), ``p`` the exact paired test against the
        baseline on the same videos (`significance.sign_flip_p`; McNemar's with one seed). Every student of a list is
        compared with one baseline, so read ``p_holm``, which is adjusted for their number, before calling one better;
        ``p`` is for a student that was chosen beforehand. Neither knows that `selection: best` looks at the test set.
        ``test_videos``, ``chance`` (per cent, of guessing) and ``smallest_gain`` are a list's: the last is the smallest
        gain that its test videos are likely to show (`significance.smallest_gain_seen`, by the median of its students'
        differing videos); Markdown and LaTeX have them in a note.
    """
    keys = ("dataset", "model", *HYPERPARAMETERS)
    paper = _counterparts(published.table(5), keys) | _counterparts(published.table(3).assign(method="baseline"), keys)
    table = []
    rows = _against_baselines(rows)
    for row in rows:
        theirs = paper.get(_key(row, keys), {}) if row["as_published"] else {}
        table.append(row | _beside(row, theirs, ["top1", "top5"]) | _list_of(row, rows))
    columns = ["dataset", "model", *HYPERPARAMETERS, "variant", "seeds", *_with_std(ACCURACIES), "gain", "gain_low",
               "gain_high", "p", "p_holm", *_against(["top1", "top5"]), *LIST]  # fmt: skip
    caption = (
        "Students beside the baseline. Gain: points of top-1 over the baseline, with its 95 % bootstrap interval over "
        "the test videos; p: exact paired test against the baseline, beside it adjusted for all students of the list "
        "(Holm)"
    )
    return _table("table5", table, columns, caption, map(_note, table))


def _list_of(row: Row, rows: Sequence[Row]) -> dict[str, Any]:
    """Of the list of a row: chance, the smallest gain that it can show, and whether students are compared on it."""
    shares = [other["differing"] for other in rows if other["family"] == row["family"] and "differing" in other]
    least = significance.smallest_gain_seen(row["test_videos"], float(np.median(shares))) if shares else math.nan
    return {"chance": 100 / row["classes"], "smallest_gain": 100 * least, "compared": bool(shares)}


def _note(row: Row) -> str:
    """What a reader of Table 5 has to know of a list's test videos."""
    name = row["dataset"] + (f", list {row['list']}" if row["list"] > 1 else "")
    note = f"{name}: {row['test_videos']} test videos of {row['classes']} classes, chance {row['chance']:.2f} %"
    power = "with 80 % power (p < 0.05 of one student, chosen beforehand; of one seed)"
    if not row["compared"]:
        return f"{note}."
    if math.isnan(row["smallest_gain"]):
        return f"{note}; no gain is large enough for them to show {power}."
    return f"{note}; smallest gain that they show {power}: {row['smallest_gain']:.1f} points."


def students_over_lists(rows: Iterable[Row]) -> pd.DataFrame:
    """Students that differ in the list alone, all their lists together, beside the lists' baselines.

    A test set of three lists tells more than that of one. Lists that are drawn at random share test videos: a video
    counts once, by the sum of its differences.

    Args:
        rows: dataset, models, lists, hyperparameters, variant, and ``of_lists``: per list ``predictions`` and those of
            its ``baseline``, of the same seeds.

    Returns:
        One row a group of students: accuracies as mean and sample standard deviation over the lists, ``videos`` that
        some list tests on, the mean ``gain`` over the lists in points with its interval, and ``p`` as in `table5`;
        ``p_holm`` is adjusted for the rows of the dataset.
    """
    table = []
    for row in rows:
        scores, sums, shares = [], [], []
        for own in row["of_lists"]:
            sides = _read(own["predictions"]), _read(own["baseline"])
            difference = _difference(own["predictions"], sides[0], own["baseline"], sides[1])
            top1 = [_over_seeds([accuracies(run) for run in runs])["top1"] for runs in sides]
            scores.append({"top1": top1[0], "baseline_top1": top1[1]})
            first = sides[0][0]  # a video's name is its own within its class only
            sums.append(pd.Series(difference, index=pd.MultiIndex.from_arrays([first.labels, first.videos])))
            shares.append(sums[-1] / (len(sides[0]) * len(difference) * len(row["of_lists"])))
        by_video = pd.concat(sums).groupby(level=[0, 1]).sum()
        share = pd.concat(shares).groupby(level=[0, 1]).sum().to_numpy()
        points = 100 * len(by_video) * share  # their mean is the gain
        gain = _tested(points, by_video.to_numpy())
        table.append({**row, "videos": len(by_video), **_spread(scores, scores[0]), **gain})
    for dataset in {row["dataset"] for row in table}:
        _adjust([row for row in table if row["dataset"] == dataset])
    columns = ["dataset", "models", "lists", *HYPERPARAMETERS, "variant", "videos",
               *_with_std(["baseline_top1", "top1"]), "gain", "gain_low", "gain_high", "p", "p_holm"]  # fmt: skip
    caption = (
        "Students over the lists: mean and sample standard deviation over the lists. Gain: points of top-1 over the "
        "baselines of the same lists, with its 95 % bootstrap interval over all their test videos; p: exact paired "
        "test, beside it adjusted for all rows (Holm)"
    )
    return _table("students_over_lists", table, columns, caption)


def readings(rows: Iterable[Row]) -> pd.DataFrame:
    """Readings of the paper side by side: what each gives over the baseline.

    ``rows`` are those of `table5`, each with its ``reading`` in words. One row a run: `table5`'s gain with its interval
    and ``p_holm``, adjusted for all rows of a dataset's list; of the hyperparameters, KD_T and those that vary.
    """
    table = _against_baselines(rows)
    students = [row for row in table if row["method"] != "baseline"]
    values = {name: {row.get(name) for row in students} - {None} for name in HYPERPARAMETERS}
    shown = [name for name in HYPERPARAMETERS[1:] if name == "KD_T" or len(values[name]) > 1]
    scores = _with_std(["top1", "top1_last"])
    columns = ["dataset", "reading", *shown, "seeds", *scores, "gain", "gain_low", "gain_high", "p_holm"]
    caption = (
        "Readings of the paper. Gain: points of top-1 over the baseline, with its 95 % bootstrap interval over the "
        "test videos; p: exact paired test against the baseline, adjusted for all rows of the list (Holm)"
    )
    return _table("readings", table, columns, caption)


def table6(rows: Iterable[Row], splits: Mapping[str, Row], indexes: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Table 6: how far the chosen student is from each teacher, over all test videos and over each subset.

    Args:
        rows: per dataset its student: dataset, model, list, ``student`` (predictions), ``teachers`` (predictions of the
            each group's, in order, of the same seeds and videos), as_published; ``kl``, the direction, and
            ``floor``, a teacher's least probability or None (`metrics.kl_divergence`). A floor bounds the cross terms:
            numbers are only comparable under one floor.
        splits: each dataset's `split.json`.
        indexes: each dataset's `videos.parquet`.

    Returns:
        A row a student for all videos and for each group's: mean KL(S ‖ T) in nats by the selected epoch's weights; SM,
        the cross teacher's (of several, their mean) less the matched one's, and SIR, the cross one's over the matched
        one's (Section 4.4.5), both NaN for overall, whose mean over all videos is that of the subsets weighted by
        theirs. Each number is computed per seed, then averaged: SIR is the mean of the seeds' ratios.
    """
    rows = list(rows)
    groups = list(dict.fromkeys(group for row in rows for group in row["teachers"])) or list(SUBSETS)
    keys, values = ("dataset", "model", "subset"), [*(f"kl_{group}_teacher" for group in groups), "SM", "SIR"]
    names = {"student": "model", "selectivity_margin": "SM", "selective_imitation_ratio": "SIR"}
    paper = _counterparts(published.table(6).rename(columns=names), keys)
    table = []
    for row in rows:
        seeds = list(zip(row["student"], *row["teachers"].values(), strict=True))
        files = [file for seed in seeds for file in seed]
        runs = _read(files)
        subsets = _subsets(row["dataset"], splits[row["dataset"]], indexes[row["dataset"]])
        own = _of_videos(files[0], runs[0], subsets)
        size = 1 + len(row["teachers"])
        divergences = [
            {
                f"kl_{group}_teacher": kl_divergence(student.logits, teacher.logits, row["kl"], row["floor"])
                for group, teacher in zip(row["teachers"], teachers_, strict=True)
            }
            for student, *teachers_ in (runs[start : start + size] for start in range(0, len(runs), size))
        ]
        for subset in ("overall", *row["teachers"]):
            chosen = np.full(len(own), True) if subset == "overall" else _chosen(files[0], own, subset)
            scores = _over_seeds([_imitation(each, chosen, subset) for each in divergences])
            cell = {**row, "subset": subset, "videos": int(chosen.sum()), **scores}
            theirs = paper.get(_key(cell, keys), {}) if row["as_published"] else {}
            table.append(cell | _beside(cell, theirs, values))
    columns = ["dataset", "model", "subset", "videos", "seeds", *_with_std(values), *_against(values)]
    formulas = {"forward": "Σ T (log T − log S)", "reverse": "Σ S (log S − log T)"}
    said = dict.fromkeys(formulas[row["kl"]] for row in rows)
    said |= dict.fromkeys(f"a teacher's probability is at least {row['floor']:g}" for row in rows if row["floor"])
    teachers_said = "the static (St-T) and the dynamic teacher (Dy-T)" if groups == list(SUBSETS) else "each teacher"
    caption = (
        f"Mean KL divergence (nats) of the student S from {teachers_said}: {'; '.join(said)}. SM: cross less matched; "
        "SIR: cross over matched"
    )
    return _table("table6", table, columns, caption)


# What they share

_TABLE3 = ("dataset", "model", "list", "backbone", "frozen")


def accuracies(predictions: Predictions) -> dict[str, float]:
    """Top-1 and top-5 (per cent) by the selected (``top1``, ``top5``) and the last epoch's weights (``_last``)."""
    scores = {}
    for suffix, logits in (("", predictions.logits), ("_last", predictions.logits_last)):
        scores |= {f"top{k}{suffix}": top_k(logits, predictions.labels, k) for k in (1, 5)}
    return scores


def _read(files: Sequence[str | Path]) -> list[Predictions]:
    """Predictions of the same videos, checked to be."""
    runs = [Predictions.read(file) for file in files]
    for file, run in zip(files, runs, strict=True):
        _check_alike(files[0], runs[0], file, run)
    return runs


def _check_alike(file: str | Path, run: Predictions, other_file: str | Path, other: Predictions) -> None:
    if run.videos != other.videos or (run.labels != other.labels).any():
        raise DtkdError(
            f"{other_file}: its {len(other.videos)} test videos are not the {len(run.videos)} of {file}; "
            "delete both and let the workflow make them"
        )
    if run.logits.shape != other.logits.shape:
        raise DtkdError(f"{other_file}: has another number of classes than {file}; delete both and make them again")


def _scores(files: Sequence[str | Path]) -> dict[str, float]:
    return _over_seeds([accuracies(run) for run in _read(files)])


def _over_seeds(values: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return _spread(values, values[0]) | {"seeds": len(values)}


def _spread(values: Sequence[Mapping[str, float]], names: Iterable[str]) -> dict[str, float]:
    """Of each name the mean, and the sample standard deviation as ``<name>_std``, NaN for a single value."""
    spread = {}
    for name in names:
        numbers = np.array([each[name] for each in values], np.float64)
        with np.errstate(invalid="ignore"):  # a ratio may be infinite
            deviation = numbers.std(ddof=1) if len(numbers) > 1 else math.nan
        spread |= {name: float(numbers.mean()), f"{name}_std": float(deviation)}
    return spread


def _against_baselines(rows: Iterable[Row]) -> list[Row]:
    """`table5`'s rows with their scores, and each student's gain over the baseline that comes before it."""
    table, baselines = [], {}
    for row in rows:
        runs, family = _read(row["predictions"]), (row["dataset"], row["list"])
        scores, gain = _over_seeds([accuracies(run) for run in runs]), {"p": math.nan}
        size = {"test_videos": len(runs[0].videos), "classes": runs[0].logits.shape[1]}
        if row["method"] == "baseline":
            baselines[family] = row["predictions"], runs
        elif family in baselines:
            gain = _gain(row["predictions"], runs, *baselines[family])
            gain["differing"] = _differing(runs, baselines[family][1])
        table.append({**row, **size, **scores, **gain, "family": family})
    for family in baselines:
        _adjust([row for row in table if row["family"] == family])
    return table


def _adjust(rows: Sequence[dict[str, Any]]) -> None:
    """Add ``p_holm``, adjusted for all of ``rows``."""
    for row, p in zip(rows, significance.holm(np.array([row["p"] for row in rows])), strict=True):
        row["p_holm"] = p


def _gain(
    files: Sequence[str], runs: Sequence[Predictions], baseline_files: Sequence[str], baseline: Sequence[Predictions]
) -> dict[str, float]:
    """Gain of a student over its baseline (points of top-1), its interval and its p."""
    difference = _difference(files, runs, baseline_files, baseline)
    return _tested(100 * difference / len(runs), difference)


def _difference(
    files: Sequence[str], runs: Sequence[Predictions], baseline_files: Sequence[str], baseline: Sequence[Predictions]
) -> np.ndarray:
    """(N,) correct predictions of a student less those of its baseline, per test video and over all seeds."""
    _check_alike(baseline_files[0], baseline[0], files[0], runs[0])
    if len(runs) != len(baseline):
        raise DtkdError(f"{files[0]}: {len(runs)} seeds, but its baseline {baseline_files[0]} has {len(baseline)}")
    right = [sum(top_k_correct(run.logits, run.labels).astype(int) for run in side) for side in (runs, baseline)]
    return right[0] - right[1]


def _differing(runs: Sequence[Predictions], baseline: Sequence[Predictions]) -> float:
    """The share of the videos that one of two models alone is right about, mean over seeds."""
    right = [[top_k_correct(run.logits, run.labels) for run in side] for side in (runs, baseline)]
    return float(np.mean([one != other for one, other in zip(*right, strict=True)]))


def _tested(points: np.ndarray, difference: np.ndarray) -> dict[str, float]:
    """The gain as the mean of the videos' ``points``, its interval, and the p of the ``difference`` in correct ones."""
    low, high = significance.interval(points)
    p = significance.sign_flip_p(difference)
    return {"gain": float(points.mean()), "gain_low": low, "gain_high": high, "p": p}


def _imitation(divergences: Mapping[str, np.ndarray], chosen: np.ndarray, subset: str) -> dict[str, float]:
    """Table 6's numbers of one seed: ``divergences`` (N,) from each teacher over the ``chosen`` videos of a subset."""
    means = {name: float(values[chosen].mean()) for name, values in divergences.items()}
    margin = ratio = math.nan
    if subset != "overall":
        matched = means[f"kl_{subset}_teacher"]
        cross = (sum(means.values()) - matched) / (len(means) - 1)
        margin, ratio = cross - matched, cross / matched if matched else math.inf
    return means | {"SM": margin, "SIR": ratio}


def _subsets(dataset: str, split: Row, index: pd.DataFrame) -> np.ndarray:
    """(C,) the subset of each label."""
    names, classes = class_names(index), split["classes"]
    if set(names) != set(classes):
        raise DtkdError(f"{dataset}: split.json and videos.parquet have different classes; make the split again")
    return np.array([classes[name]["subset"] for name in names])


def _of_videos(file: str | Path, run: Predictions, subsets: np.ndarray) -> np.ndarray:
    """(N,) the subset of each video."""
    if run.logits.shape[1] != len(subsets):
        raise DtkdError(f"{file}: has {run.logits.shape[1]} classes, the dataset {len(subsets)}; make it again")
    return subsets[run.labels]


def _of_subset(files: Sequence[str | Path], subsets: np.ndarray, subset: str) -> list[Predictions]:
    """Predictions of the videos of a subset's classes alone; ``subsets`` (C,) is that of each label."""
    runs = zip(files, _read(files), strict=True)
    return [run.only(_chosen(file, _of_videos(file, run, subsets), subset)) for file, run in runs]


def _chosen(file: str | Path, own: np.ndarray, subset: str) -> np.ndarray:
    """(N,) bool: the videos of ``subset``, at least one."""
    if not (chosen := own == subset).any():
        raise DtkdError(f"{file}: has no test video of a {subset} class; make it again")
    return chosen


def _network(record: str | Path) -> dict[str, int]:
    try:
        return json.loads(Path(record).read_text(encoding="utf-8"))["network"]
    except FileNotFoundError:
        raise DtkdError(f"{record}: there is no such file; let the workflow make it") from None
    except (KeyError, ValueError):
        raise DtkdError(f"{record}: says nothing of the network; delete it and let the workflow make it") from None


def _counterparts(paper: pd.DataFrame, keys: Sequence[str]) -> dict[tuple, dict[str, Any]]:
    """The paper's rows by what identifies them: a row of ours that was changed has no counterpart."""
    return {_key(row, keys): row for row in paper.to_dict("records")}


def _key(row: Row, names: Iterable[str]) -> tuple:
    values = [row.get(name) for name in names]
    return tuple(None if value is None or value != value else value for value in values)  # NaN: not given


def _beside(ours: Row, paper: Row, names: Sequence[str]) -> dict[str, float]:
    """The paper's numbers, and ours less the paper's; NaN where it has none."""
    theirs = {name: paper.get(name, math.nan) for name in names}
    differences = {f"diff_{name}": ours.get(name, math.nan) - theirs[name] for name in names}
    return {f"paper_{name}": value for name, value in theirs.items()} | differences


def _with_std(names: Iterable[str]) -> list[str]:
    return [column for name in names for column in (name, f"{name}_std")]


def _against(names: Sequence[str]) -> list[str]:
    return [f"paper_{name}" for name in names] + [f"diff_{name}" for name in names]


def _table(name: str, rows: list[Row], columns: list[str], caption: str, notes: Iterable[str] = ()) -> pd.DataFrame:
    """``columns`` of ``rows``, without seeds and deviations if no row has several seeds; its words are in ``attrs``."""
    table = pd.DataFrame(rows, columns=columns)
    if "seeds" in columns:
        if (table["seeds"] > 1).any():
            caption += ". Mean and sample standard deviation over seeds"
        else:
            table = table.drop(columns=["seeds", *(f"{name}_std" for name in columns if f"{name}_std" in columns)])
    if any(table[column].notna().any() for column in table if column.startswith("paper_")):
        caption += ". Difference: this study less the paper"
    table.attrs = {"name": name, "caption": caption + ".", "notes": list(dict.fromkeys(notes))}
    return table


# Writing


def _fixed(decimals: int) -> Callable[[float], str]:
    return lambda value: f"{value:.{decimals}f}"


def _significant(value: float) -> str:
    """Four significant digits, without an exponent."""
    return np.format_float_positional(value, precision=4, unique=False, fractional=False, trim="k").rstrip(".")


class Column(NamedTuple):
    """How a column is headed and, if it holds numbers, shown."""

    head: str
    show: Callable[[float], str] | None = None
    tex: str | None = None  # the head in LaTeX, where it is not the same words


COLUMNS = {
    "dataset": Column("Dataset"), "model": Column("Model"), "models": Column("Models"), "list": Column("List"),
    "lists": Column("Lists"), "subset": Column("Subset"), "backbone": Column("Backbone"), "clip": Column("Clip"),
    "frozen": Column("Frozen"), "method": Column("Method"), "LT": Column("LT"), "FT": Column("FT"),
    "variant": Column("Variant"), "outputs": Column("Outputs"), "reading": Column("Reading"), "split": Column("Split"),
    "S_alpha": Column("S_α", "{:g}".format, r"$S_\alpha$"),
    "KD_T": Column("KD_T", "{:g}".format, "$KD_T$"),
    "KD_alpha": Column("KD_α", "{:g}".format, r"$KD_\alpha$"),
    "seeds": Column("Seeds", _fixed(0)),
    "classes": Column("Classes", _fixed(0)), "videos": Column("Videos", _fixed(0)),
    "train": Column("Train", _fixed(0)), "test": Column("Test", _fixed(0)), "total": Column("Total", _fixed(0)),
    "q1": Column("Q1", _fixed(3)), "mean": Column("Mean", _fixed(3)),
    "std": Column("STD", _fixed(3)), "iqr": Column("IQR", _fixed(3)),
    "params_published": Column("Parameters, 400 classes (M)", _fixed(2)),
    "params": Column("Parameters (M)", _fixed(2)), "trainable": Column("Trainable (M)", _fixed(2)),
    "gflops": Column("GFLOPs", _significant),
    "top1": Column("Top-1 (%)", _fixed(2)), "top5": Column("Top-5 (%)", _fixed(2)),
    "baseline_top1": Column("Baseline top-1 (%)", _fixed(2)), "teacher_top1": Column("Teacher top-1 (%)", _fixed(2)),
    "top1_last": Column("Top-1, last epoch (%)", _fixed(2)), "top5_last": Column("Top-5, last epoch (%)", _fixed(2)),
    "gain": Column("Gain [95 % CI]", _fixed(2)),
    "test_videos": Column("Test videos", _fixed(0)), "chance": Column("Chance (%)", _fixed(2)),
    "smallest_gain": Column("Smallest gain", _fixed(2)),
    "p": Column("p", "{:.3g}".format, "$p$"), "p_holm": Column("p (Holm)", "{:.3g}".format, "$p$ (Holm)"),
    "kl_static_teacher": Column("KL(S ‖ St-T)", _significant, r"KL(S $\|$ St-T)"),
    "kl_dynamic_teacher": Column("KL(S ‖ Dy-T)", _significant, r"KL(S $\|$ Dy-T)"),
    "SM": Column("SM", _significant), "SIR": Column("SIR", _significant),
}  # fmt: skip
_PREFIXES = {"paper_": "paper", "diff_": "difference"}
_SUFFIXES = ("_std", "_low", "_high")  # columns that Markdown and LaTeX merge with the one before
_TEX = str.maketrans({character: f"\\{character}" for character in "&%$#_{}"} | {
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "|": r"\textbar{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    '"': r"\symbol{34}",
})  # fmt: skip
_LINES = str.maketrans(dict.fromkeys("\n\r\v\f\x85\u2028\u2029", " "))  # a cell is one line


def escaped_tex(text: str) -> str:
    r"""Text as LaTeX prints it, whatever is in it; two hyphens stay two.

    >>> print(escaped_tex(r"US$5 & a_b--\c"))
    US\$5 \& a\_b-{}-\textbackslash{}c
    """
    text = re.sub("-(?=-)", "-{}", text.translate(_LINES).translate(_TEX))
    return f"{{}}{text}" if text.startswith(("[", "*")) else text  # an option of the end of the row before, otherwise


def escaped_markdown(text: str) -> str:
    r"""Text as Markdown shows it, whatever is in it; an underscore inside of a word is no markup.

    >>> print(escaped_markdown("demo_ucf *a* | <b> $_$"))
    demo_ucf \*a\* \| \<b\> \$\_\$
    """
    return re.sub(r"[\\`*\[\]<>|&$~^]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", text.translate(_LINES))


def write(table: pd.DataFrame, output: Mapping[str, str]) -> None:
    """Write ``table`` to ``output["csv"]``, ``["md"]`` and ``["tex"]``; where no value is, a blank.

    The CSV has every column by its name in the code. Markdown and LaTeX have readable heads and no empty columns, merge
    a mean with its standard deviation and a gain with its interval, and have the table's notes below.
    """
    csv = pd.DataFrame({name: [_shown(name, value) for value in table[name]] for name in table}, columns=table.columns)
    merged = _merged(table)
    name, caption, notes = table.attrs["name"], table.attrs["caption"], table.attrs.get("notes", [])
    writers = {
        "csv": lambda path: csv.to_csv(path, index=False),
        "md": lambda path: path.write_text(_markdown(merged, caption, notes), encoding="utf-8"),
        "tex": lambda path: path.write_text(_latex(merged, name, caption, notes), encoding="utf-8"),
    }
    for kind, writer in writers.items():
        with atomic(output[kind]) as path:
            writer(path)


def _column(name: str) -> Column:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    for suffix in _SUFFIXES if name not in COLUMNS else ():
        name = name.removesuffix(suffix)
    if name not in COLUMNS and (teacher := re.fullmatch("kl_(.+)_teacher", name)):
        return Column(f"KL(S ‖ {teacher[1]}-T)", _significant, rf"KL(S $\|$ {escaped_tex(teacher[1])}-T)")
    return COLUMNS[name]


def _shown(name: str, value: Any) -> str:
    if value is None or value != value:
        return ""
    show = _column(name).show
    text = str(value) if show is None else show(value)
    if show and not text.strip("-0."):  # -0.00
        text = text.removeprefix("-")
    signed = name.startswith(("gain", "diff_")) and not text.startswith("-")
    return f"+{text}" if signed else text


def _merged(table: pd.DataFrame) -> pd.DataFrame:
    """Cells for a reader: 41.67 ± 1.20, +1.39 [-2.78, +5.56], <0.001; without columns that are blank throughout."""
    cells = {name: [_shown(name, value) for value in table[name]] for name in table}
    for name in ("p", "p_holm"):
        if name in cells:
            cells[name] = [
                "<0.001" if value < 0.001 else cell for value, cell in zip(table[name], cells[name], strict=True)
            ]
    parts = {f"{name}{suffix}" for name in cells for suffix in _SUFFIXES} | {*LIST}
    for name in [name for name in cells if name not in parts]:
        if f"{name}_std" in cells:
            cells[name] = [
                f"{mean} ± {std:.{len(mean.partition('.')[2])}f}" if std == std else mean  # with the mean's decimals
                for mean, std in zip(cells[name], table[f"{name}_std"], strict=True)
            ]
        if f"{name}_low" in cells:
            cells[name] = [
                f"{value} [{low}, {high}]" if value else ""
                for value, low, high in zip(cells[name], cells[f"{name}_low"], cells[f"{name}_high"], strict=True)
            ]
    kept = [name for name in cells if name not in parts and (not len(table) or any(cells[name]))]
    return pd.DataFrame(cells, columns=kept, dtype=object)


def _head(name: str, latex: bool = False) -> str:
    column = _column(name)
    head = (column.tex or escaped_tex(column.head)) if latex else column.head
    for prefix, word in _PREFIXES.items():
        if name.startswith(prefix):
            head = head.removesuffix(r" (\%)").removesuffix(" (%)")
            head = f"{word} {head[0].lower() if head[1:2].islower() else head[0]}{head[1:]}"
    return head


def _markdown(cells: pd.DataFrame, caption: str, notes: Sequence[str]) -> str:
    align = ["left" if _column(name).show is None else "right" for name in cells]
    body = pd.DataFrame({
        _head(column): [escaped_markdown(cell) if side == "left" else cell for cell in cells[column]]
        for column, side in zip(cells, align, strict=True)
    })  # fmt: skip
    below = "".join(f"\n{escaped_markdown(note)}\n" for note in notes)
    return f"{caption}\n\n{body.to_markdown(index=False, disable_numparse=True, colalign=align)}\n{below}"


def _latex(cells: pd.DataFrame, name: str, caption: str, notes: Sequence[str]) -> str:
    """A booktabs table, shrunk to the line where it is wider."""
    align = ["l" if _column(column).show is None else "r" for column in cells]
    body = pd.DataFrame({
        _head(column, latex=True): [escaped_tex(cell) if side == "l" else _number(cell) for cell in cells[column]]
        for column, side in zip(cells, align, strict=True)
    })  # fmt: skip
    below = "".join(f"\\par\\smallskip\\footnotesize {escaped_tex(note)}\n" for note in notes)
    tabular = body.to_latex(index=False, escape=False, column_format="".join(align))
    return (
        "% \\usepackage{booktabs,graphicx}\n\\begin{table}\n\\centering\n"
        f"\\caption{{{escaped_tex(caption)}}}\n\\label{{tab:{name}}}\n"
        "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n"
        f"{tabular.rstrip()}%\n}}\n{below}\\end{{table}}\n"
    )


def _number(cell: str) -> str:
    """A number in math mode, where - is a minus and < a less-than sign."""
    for words, symbol in (("±", r"\pm"), (" [", r"\ ["), ("inf", r"\infty")):
        cell = cell.replace(words, symbol)
    return f"${cell}$" if cell else ""
