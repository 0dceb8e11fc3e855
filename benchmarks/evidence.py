"""What a study of studies/evidence/ has found, as docs/explanation/evidence.md has it: four tables and a figure.

They read results alone. Make those first, and paste the tables afterwards:

    snakemake --cores 2 --configfile studies/evidence/thetis.yaml results/thetis/tables/methods.csv
    python benchmarks/evidence.py studies/evidence/thetis.yaml [KEY=VALUE ...]  # keys as for snakemake --config
    python benchmarks/update_docs.py thetis-methods thetis-groups thetis-claims thetis-time  # by the study's name

The same with studies/evidence/ut_interaction.yaml and its name. Rows of which some run is missing are left out, and the
table says how many. Tests take the videos of a person, or of a sequence, as one case.
"""

import datetime
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import report

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "workflow_scripts"))
from matplotlib.figure import Figure  # noqa: E402

from dtkd.analysis import shown_runs, significance  # noqa: E402
from dtkd.analysis.figures.base import COLOURS, styled  # noqa: E402
from dtkd.analysis.tables.methods import methods  # noqa: E402
from dtkd.common import provenance  # noqa: E402
from dtkd.common.errors import DtkdError  # noqa: E402
from dtkd.common.files import atomic, read_parquet  # noqa: E402
from dtkd.config import Study  # noqa: E402
from dtkd.data.datasets import class_names  # noqa: E402
from dtkd.data.recordings import recordings  # noqa: E402
from dtkd.motion import subsets  # noqa: E402
from dtkd.training.metrics import Predictions, top_k_correct  # noqa: E402
from plan import study_of  # noqa: E402

SEQUENCES = {"ut_interaction": r"/(set\d_)\d+_(\d+)_"}
"""Data sets whose videos are cut from longer ones: what tells of that in a path."""


class Found(NamedTuple):
    """A study's data set: its index, and which videos are of one person (or recording)."""

    study: Study
    dataset: str
    index: pd.DataFrame
    person: Mapping[str, str]

    @classmethod
    def of(cls, study: Study) -> "Found":
        (dataset,) = study.use
        index = read_parquet(f"{study.results}/{dataset}/videos.parquet")
        if pattern := SEQUENCES.get(dataset):
            index = index.assign(group=index["path"].str.extract(pattern).sum(axis=1))
        return cls(study, dataset, index, recordings(index))

    def split(self, name: str | None) -> dict[str, Any]:
        files = self.study.split_file(self.dataset, name), f"{self.dataset}/videos.parquet"
        split, index = ([f"{self.study.results}/{file}"] for file in files)
        return subsets.read_splits([self.dataset], split, index)[self.dataset]


class Difference(NamedTuple):
    """A mean difference in points, with its 95 % interval and the p of the exact paired test."""

    gain: float
    low: float
    high: float
    p: float

    def __str__(self) -> str:
        return f"{self.gain:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


def difference(found: Found, pairs: Iterable[tuple[list[str], np.ndarray]]) -> Difference:
    """Of ``pairs`` of runs, each its videos and the one's correct predictions less the other's (N,): all together.

    A video counts once, by its mean over the runs that test it; persons are drawn, and change their signs, as one.
    """
    parts = [pd.DataFrame({"video": videos, "won": won.astype(int), "runs": 1}) for videos, won in pairs]
    table = pd.concat(parts).groupby("video").sum()
    person = np.array([found.person[video] for video in table.index])
    shares = 100 * (table["won"] / table["runs"]).to_numpy()
    low, high = significance.interval_of_clusters(shares, np.ones(len(shares)), person)
    return Difference(float(shares.mean()), low, high,
                      significance.sign_flip_p_of_clusters(table["won"].to_numpy(), person))  # fmt: skip


# Rows


def complete(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of which every run is there."""

    def files(row: dict[str, Any]) -> Iterable[str]:
        return (file for own in row["of_lists"] for kind in own.values() for file in kind or ())

    return [row for row in rows if all(Path(file).exists() for file in files(row))]


def rows_of_methods(found: Found) -> tuple[list[dict[str, object]], int]:
    """Every complete row beside its baseline, and how many are not complete."""
    every = shown_runs.methods(found.study)
    there = complete(every)
    table = methods(there, {found.dataset: found.split(None)}, {found.dataset: found.index})
    shown = [
        {
            "row": row["models"].partition("-list")[0], "method": row["method"], "setting": row["variant"],
            "runs": row["seeds"] * len(row["lists"].split(",")),
            "top-1 %": f"{row['top1']:.2f} ± {row['top1_std']:.2f}",
            "gain [95 % CI]": "" if np.isnan(row["gain"]) else
            str(Difference(row["gain"], row["gain_low"], row["gain_high"], row["p"])),
            "p": p_of(row["p"]), "p (Holm)": p_of(row["p_holm"]), "NLL": f"{row['nll']:.3f}",
        }
        for row in table.to_dict("records")
    ]  # fmt: skip
    return shown, len(every) - len(there)


def p_of(value: float) -> str:
    return "" if np.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def versus(found: Found, one: str, other: str) -> Difference | None:
    """One row of students against another of the same lists and seeds; None where either is not complete."""
    names = {row["models"].partition("-list")[0]: row for row in complete(shown_runs.methods(found.study))}
    if one not in names or other not in names:
        return None
    pairs = []
    for mine, theirs in zip(names[one]["of_lists"], names[other]["of_lists"], strict=True):
        for first, second in zip(mine["predictions"], theirs["predictions"], strict=True):
            a, b = Predictions.read(first), Predictions.read(second)
            won = top_k_correct(a.logits, a.labels).astype(int) - top_k_correct(b.logits, b.labels)
            pairs.append((a.videos, won))
    return difference(found, pairs)


def shows(found: Found) -> str:
    """What gain over the first baseline its test videos are likely to show, as `operations.power` has it."""
    first = complete(shown_runs.methods(found.study))[0]
    runs = [Predictions.read(file) for own in first["of_lists"] for file in own["predictions"]]
    right = np.concatenate([top_k_correct(run.logits, run.labels) for run in runs])
    gain = 100 * significance.smallest_gain(len(right), float(right.mean()))
    return f"{len(right)} answers to test videos are likely (80 %) to show a gain of {gain:.1f} points, no smaller one."


# Groups


def _right(run: Predictions, own: np.ndarray, told: np.ndarray | None = None) -> np.ndarray:
    """Of the ``own`` (N,) videos, which are right; ``told``, (C,) bool, are the classes left to choose among."""
    logits = run.logits[own] if told is None else np.where(told, run.logits[own], -np.inf)
    return top_k_correct(logits, run.labels[own])


def of_groups(found: Found, split: str | None, taught: str) -> list[dict[str, Any]]:
    """For each group of a split, top-1 on its test videos, over all lists and seeds: of the baseline, of a student (a
    row of ``taught``) and of the group's specialist, as they are and told the group.
    """
    study, dataset = found.study, found.dataset
    made = found.split(split)
    classes = class_names(found.index)
    rows = []
    for group in made["groups"]:
        member = np.array([made["classes"][name]["subset"] == group for name in classes])
        scores: dict[str, list[float]] = {}
        told, plain = [], []
        for name, student in study.students_of(dataset).items():
            if name.partition("-list")[0] != taught:
                continue
            for seed in study.seeds:
                run = study.student_run(dataset, student, seed)
                baseline = study.baseline_run(dataset, study.reference(dataset, student.list)[1], seed)
                asked = {"baseline": baseline, "student": run, "specialist": study.teacher_runs(run)[group]}
                said = {who: Predictions.read(shown_runs.predictions(study, [one])[0]) for who, one in asked.items()}
                own = member[said["baseline"].labels]
                right = {who: _right(one, own) for who, one in said.items()}
                right |= {f"{who}, told": _right(one, own, member) for who, one in said.items()}
                for who, values in right.items():
                    scores.setdefault(who, []).append(100 * values.mean())
                videos = [video for video, kept in zip(said["baseline"].videos, own, strict=True) if kept]
                plain.append((videos, right["specialist"].astype(int) - right["baseline"]))
                told.append((videos, right["specialist"].astype(int) - right["baseline, told"]))
        rows.append({"split": split or "motion", "group": group, "classes": int(member.sum()),
                     **{who: float(np.mean(values)) for who, values in scores.items()},
                     "plain": difference(found, plain), "told": difference(found, told)})  # fmt: skip
    return rows


@styled
def figure(rows: Sequence[dict[str, Any]]) -> Figure:
    """Top-1 on each group's test videos: the baseline, the baseline told the group, the specialist."""
    kinds = {"baseline": (COLOURS["baseline"], "baseline, among all classes"),
             "baseline, told": ("#56B4E9", "the same baseline, told the group"),
             "specialist": ("#D55E00", "specialist, which knows its group alone")}  # fmt: skip
    drawn = Figure(figsize=(6.6, 2.8), layout="constrained")
    axis = drawn.subplots()
    for number, (kind, (colour, label)) in enumerate(kinds.items()):
        places = np.arange(len(rows)) + 0.27 * (number - 1)
        bars = axis.bar(places, [row[kind] for row in rows], 0.25, color=colour, label=label)
        axis.bar_label(bars, fmt="%.0f", fontsize=6, padding=1)
    axis.set_xticks(range(len(rows)), [f"{row['split']}\n{row['group']}\n{row['classes']} classes" for row in rows])
    axis.tick_params(axis="x", length=0)
    axis.set(
        ylabel="top-1 on the group's\ntest videos (%)", ylim=(0, 1.1 * max(row[kind] for row in rows for kind in kinds))
    )
    drawn.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=7)
    axis.spines[["top", "right"]].set_visible(False)
    return drawn


# Claims


def claim(said: str, what: str, found: Difference | None) -> dict[str, object]:
    """A claim of the paper and what came out; it holds where the difference is positive and p below 0.05."""
    if found is None:
        return {"claim": said, "measured": what, "points [95 % CI]": "", "p": "", "here": "not run"}
    verdict = "not told from chance"
    if found.p < 0.05:
        verdict = "holds" if found.gain > 0 else "the contrary"
    return {"claim": said, "measured": what, "points [95 % CI]": str(found), "p": p_of(found.p), "here": verdict}


def claims(found: Found, groups: Sequence[dict[str, Any]], chosen: str) -> list[dict[str, object]]:
    rows = []
    for row in groups:
        if row["split"] == "motion":
            rows.append(claim(f"The {row['group']} specialist knows its classes better than the baseline",
                              "specialist − baseline, on its classes", row["plain"]))  # fmt: skip
            rows.append(claim("... also where the baseline is told the group",
                              "specialist − baseline told the group", row["told"]))  # fmt: skip
    compared = {
        "The student of two specialists beats the baseline": "U1, U2, U3",
        "Weights by confidence and loss beat the label's specialist alone": "bskd",
        "Two specialists beat one generalist": "kd",
    } | {f"Groups by motion beat those of {name}": f"random-{name}" for name in found.study.splits}
    for said, other in compared.items():
        what = "the baseline" if other.startswith("U") else other
        rows.append(claim(said, f"{chosen} − {what}", versus(found, chosen, other)))
    return rows


# Time


class Job(NamedTuple):
    """What the record of a job says of its time."""

    rule: str
    started: datetime.datetime
    seconds: float

    @classmethod
    def of(cls, file: Path) -> "Job":
        record = json.loads(file.read_text(encoding="utf-8"))
        return cls(record["rule"], datetime.datetime.fromisoformat(record["started"]), record["seconds"])


def jobs_of(study: Study) -> list[Job]:
    """The study's finished trainings and files of targets."""
    outputs = [Path(folder, "run.json") for folder in study.runs()]
    outputs += [provenance.place([file]) for file in study.all_teacher_sets()]
    files = (Path(study.results, output) for output in outputs)
    return [Job.of(file) for file in files if file.exists()]


def times(jobs: Sequence[Job]) -> tuple[list[dict[str, object]], float]:
    """For each rule, its jobs and their seconds; and the minutes in which some job ran, as a study may have pauses."""
    seconds: dict[str, list[float]] = {}
    for job in jobs:
        seconds.setdefault(job.rule, []).append(job.seconds)
    rows: list[dict[str, object]] = [
        {
            "rule": rule,
            "jobs": len(own),
            "s a job (median)": f"{np.median(own):.1f}",
            "all (min)": f"{sum(own) / 60:.1f}",
        }
        for rule, own in sorted(seconds.items())
    ]
    busy, until = datetime.timedelta(), min(job.started for job in jobs)
    for job in sorted(jobs, key=lambda job: job.started):
        end = job.started + datetime.timedelta(seconds=job.seconds)
        busy += max(end - max(job.started, until), datetime.timedelta())
        until = max(until, end)
    return rows, busy.total_seconds() / 60


def main() -> None:
    overlay, *pairs = sys.argv[1:]
    study = study_of([overlay], PROJECT, pairs)
    found, name = Found.of(study), study.name
    chosen = study.analysis.chosen[study.use[0]].partition("-list")[0]
    index = found.index
    rows, missing = rows_of_methods(found)
    cases = "sequences" if name in SEQUENCES else "persons"
    said = (
        f"{len(index)} videos of {len(set(found.person.values()))} {cases}, {index['class'].nunique()} classes; "
        f"seeds: {len(study.seeds)}. Gain: points of top-1 over the baseline, its interval and p over {cases}. "
        f"{shows(found)}"
    )
    if missing:
        said += f" {missing} more rows of the study were not complete."
    report.write(f"{name}-methods", rows, said)
    groups = of_groups(found, None, chosen)
    for split in study.splits:
        if (taught := f"random-{split}") in {row["row"] for row in rows}:
            groups += of_groups(found, split, taught)
    shown = [
        {"groups": row["split"], "group": row["group"], "classes": row["classes"],
         **{who: f"{row[who]:.1f}" for who in ("baseline", "baseline, told", "student", "student, told", "specialist")},
         "specialist − baseline": str(row["plain"]), "specialist − baseline, told": str(row["told"])}
        for row in groups
    ]  # fmt: skip
    told = "Top-1 in % on the test videos of each group. Told: the group's classes are all there is to choose among."
    report.write(f"{name}-groups", shown, told)
    holds = "A claim holds where the difference is positive with p < 0.05, each comparison taken alone."
    report.write(f"{name}-claims", claims(found, groups, chosen), holds)
    spent, minutes = times(jobs := jobs_of(study))
    between = (
        f"{len(jobs)} jobs by their records: a job's own time, without its start. In {minutes:.1f} minutes some job "
        "ran, mostly two."
    )
    report.write(f"{name}-time", spent, between)
    with atomic(PROJECT / "docs" / "images" / f"{name}.png") as path:
        figure(groups).savefig(path, format="png", dpi=200)


if __name__ == "__main__":
    try:
        main()
    except DtkdError as error:
        sys.exit(f"error: {error}")
