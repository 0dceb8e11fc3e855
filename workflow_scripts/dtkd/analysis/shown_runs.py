"""Which runs each table and figure shows: plain rows of names, hyperparameters and files, one file a seed.

Imported by the Snakefile, so it imports no torch, pandas or OpenCV.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from typing import Any, TypeVar

from dtkd.config import Baseline, OfGeneralist, OfSpecialists, Run, Searched, Student, Study, combinations
from dtkd.config.model import STUDYS_OWN, OwnNetwork
from dtkd.data.groups import SUBSETS, split_name

AnyRow = TypeVar("AnyRow", bound=Baseline | Student)
LINES = 5  # that can be told apart in a figure (`base.STROKES`)
PARTITION = "partition (BSKD)"  # one loss by two names
# Frames and rate that the published networks were made for: a row with others is no row of the paper.
PUBLISHED_CLIPS = {"slowfast_r101_16x8": "64x2", "slowfast_r101_8x8": "32x2", "slowfast_r50_8x8": "32x2"}


def predictions(study: Study, runs: list[Run]) -> list[str]:
    """The files of the runs' logits by the study's protocol."""
    return [f"{study.results}/{run.folder}/{study.evaluation.file}" for run in runs]


def histories(study: Study, runs: list[Run]) -> list[str]:
    return [f"{study.results}/{run.folder}/history.parquet" for run in runs]


def baseline_runs(study: Study, dataset: str, row: Baseline) -> list[Run]:
    """A baseline's run of every seed."""
    return [study.baseline_run(dataset, row, seed) for seed in study.seeds]


def student_runs(study: Study, dataset: str, row: Student) -> list[Run]:
    return [study.student_run(dataset, row, seed) for seed in study.seeds]


def _clip(study: Study, run: Run) -> str:
    return str(run.clip or study.clip)


def _as_published(study: Study, run: Run) -> bool:
    """Whether what tables have no column for is as in the paper, which searched for nothing."""
    if run.search:
        return False
    own = run.network
    usual = PUBLISHED_CLIPS.get(run.backbone) == _clip(study, run)
    usual &= own.weights is own.dropout is own.pixels is None
    if run.role == "baseline":
        return usual and not run.recipe
    usual &= run.backbone == "slowfast_r101_16x8" and run.list == 1 and study.split_called(run.split).as_the_papers
    return usual and (run.student is None or getattr(run.student, "weighting", "gated") == "gated")


def table3(study: Study) -> list[dict[str, Any]]:
    """Every baseline: the lists, the frozen one, the other networks."""
    rows = []
    for dataset in study.use:
        for name, baseline in study.baselines_of(dataset).items():
            runs = baseline_runs(study, dataset, baseline)
            rows.append({
                "dataset": dataset, "model": name, "list": baseline.list, "backbone": runs[0].backbone,
                "clip": _clip(study, runs[0]), "frozen": baseline.frozen, "predictions": predictions(study, runs),
                "record": _network(study, runs[0])["record"], "as_published": _as_published(study, runs[0]),
                "variant": _variant(study, baseline.model_copy(update={"list": 1})),
            })  # fmt: skip
    return rows


def table4(study: Study) -> list[dict[str, Any]]:
    """The teachers that students learn from; TU1 to TU4 are the paper's names beside a baseline U1."""
    rows = []
    for dataset in study.use:
        found = {}  # by split, list, locked, outputs and subset: students share their teachers
        splits = study.splits_of(dataset)
        for row in study.learners_of(dataset).values():
            for seed in study.seeds:
                for subset, run in study.teacher_runs(study.student_run(dataset, row, seed)).items():
                    runs = found.setdefault((run.split, row.list, run.outputs or "", run.frozen, subset), [])
                    runs += [run] if run not in runs else []
        groups = {split: study.split_called(split).group_names(dataset) for split in splits}
        for (split, number, _, locked, subset), runs in sorted(  # as printed: not locked first, dynamic first
            found.items(),
            key=lambda row: (splits.index(row[0][0]), *row[0][1:4], -groups[row[0][0]].index(row[0][4])),
        ):
            rows.append({
                "dataset": dataset, "model": _teacher_name(study, runs[0]), "list": number, "subset": subset,
                "LT": locked, "outputs": study.outputs_of(runs[0]), "predictions": predictions(study, runs),
                "as_published": _as_published(study, runs[0]), "split": split,
            })  # fmt: skip
    return rows


def splits(study: Study) -> dict[str, str]:
    """Every split that some table reads, by `split_name`: its file."""
    return {
        split_name(dataset, split): f"{study.results}/{study.split_file(dataset, split)}"
        for dataset in study.use
        for split in study.splits_of(dataset)
    }


def teachers(study: Study) -> list[dict[str, Any]]:
    """The rows of `table4`, each with the predictions of its list's baseline: of the teacher's network if there is one,
    else of the study's, else of the first student's."""
    rows = []
    for row in table4(study):
        references = study.references(row["dataset"], row["list"])
        own = study.reference(row["dataset"], row["list"], study.teachers_network(row["subset"]))
        _, baseline = own or next(iter(references.values()))
        rows.append(row | {"baseline": predictions(study, baseline_runs(study, row["dataset"], baseline))})
    return rows


def _teacher_name(study: Study, run: Run) -> str:
    """The paper's TU1 to TU4; with its outputs, where that is not what the study's teachers do."""
    baseline, _ = next(iter(study.references(run.dataset, run.list).values()))
    prefix = re.fullmatch(r"([A-Z]+)\d+", baseline)
    name = f"{run.subset}{'-LT' if run.frozen else ''}"
    if prefix and run.list == 1 and study.split_called(run.split).group_names(run.dataset) == SUBSETS:
        name = f"T{prefix[1]}{1 + SUBSETS[::-1].index(run.subset) + 2 * run.frozen}"
    return "-".join(filter(None, (name, run.outputs, run.split)))


def table5(study: Study) -> list[dict[str, Any]]:
    """For each dataset, list and network the baseline, then the students.

    Where there are several networks, rows have theirs: ``network``, which tells them apart, its ``backbone``, ``clip``
    and, as each has a size, a ``record``.
    """
    rows = []
    for dataset in study.use:
        students = study.students_of(dataset)
        for number in sorted({1} | {student.list for student in students.values()}):
            for network, (name, baseline) in study.references(dataset, number).items():
                shared = {"dataset": dataset, "list": number}
                runs = baseline_runs(study, dataset, baseline)
                said = {"model": name, "method": "baseline", "variant": _variant(study, baseline)}
                rows.append(shared | said | _shown_of(study, runs))
                rows += [shared | control for control in _controls(study, dataset, number, network)]
                for name, student in students.items():
                    if student.list == number and study.own_network(student) == network:
                        runs = student_runs(study, dataset, student)
                        settings = _hyperparameters(student) | {"variant": _variant(study, student)}
                        settings |= _winner(study, runs)
                        rows.append({**shared, "model": name, **settings, **_shown_of(study, runs)})
    return with_networks(rows, several=len({row["network"] for row in rows}) > 1)


def with_networks(rows: list[dict[str, Any]], several: bool) -> list[dict[str, Any]]:
    """Rows, which say of which network they are where there are ``several``."""
    of_network = () if several else ("network", "backbone", "clip", "record")
    return [{key: value for key, value in row.items() if key not in of_network} for row in rows]


def _shown_of(study: Study, runs: list[Run]) -> dict[str, Any]:
    """Of a row's runs what Table 5 reads, and of which network they are."""
    return {
        "predictions": predictions(study, runs), "as_published": _as_published(study, runs[0]),
        "network": "-".join([runs[0].backbone, *runs[0].network.words()]), **_network(study, runs[0]),
    }  # fmt: skip


def _network(study: Study, run: Run) -> dict[str, str]:
    record = f"{study.results}/{run.folder}/run.json"
    return {"backbone": run.backbone, "clip": _clip(study, run), "record": record}


def _controls(study: Study, dataset: str, number: int, network: OwnNetwork) -> list[dict[str, Any]]:
    """The rows of a list's baselines that are trained otherwise, without a teacher, and differ in nothing else."""
    rows = []
    for name, row in study.baselines_of(dataset).items():
        runs = baseline_runs(study, dataset, row)
        if row.list == number and runs[0].recipe and runs[0].network == network and not row.frozen:
            rows.append({"model": name, "method": "control", "variant": _variant(study, row),
                         **_shown_of(study, runs), "as_published": False})  # fmt: skip
    return rows


def students_over_lists(study: Study) -> list[dict[str, Any]]:
    """The students that differ in the list alone, with what each list has of them and of its baseline.

    Of several students of a list the first; none of which there is only one list.
    """
    rows = []
    for dataset in study.use:
        for members in _over_lists(study, dataset, study.students_of(dataset)):
            if len(members) < 2:
                continue
            lists = []
            for _, student in members.values():
                _, baseline = study.reference_of(dataset, student)
                lists.append({
                    "predictions": predictions(study, student_runs(study, dataset, student)),
                    "baseline": predictions(study, baseline_runs(study, dataset, baseline)),
                })  # fmt: skip
            rows.append({
                "dataset": dataset, **_members(members), **_hyperparameters(student),
                "variant": _alone(study, student), "of_lists": lists,
            })  # fmt: skip
    return rows


def _over_lists(study: Study, dataset: str, rows: Mapping[str, AnyRow]) -> list[dict[int, tuple[str, AnyRow]]]:
    """Rows that differ in the list alone, together: by list the name and the row, of several of a list the first."""
    groups: dict[str, dict[int, tuple[str, AnyRow]]] = {}
    for name, row in rows.items():
        groups.setdefault(_alike(study, dataset, row), {}).setdefault(row.list, (name, row))
    return [dict(sorted(members.items())) for members in groups.values()]


def _alike(study: Study, dataset: str, row: AnyRow) -> str:
    """What rows that differ in the list alone have in common: their runs' settings, or how these are searched for."""
    if isinstance(row, Searched):
        return str(row.model_copy(update={"list": 1, "fixed": row.fixed | {"list": 1}, "candidates": {}}))
    return _runs(study, dataset, row)[0].settings_name


def _members(members: Mapping[int, tuple[str, AnyRow]]) -> dict[str, str]:
    return {"models": ", ".join(name for name, _ in members.values()), "lists": ", ".join(map(str, members))}


def _runs(study: Study, dataset: str, row: AnyRow) -> list[Run]:
    """A row's run of every seed."""
    return student_runs(study, dataset, row) if isinstance(row, Student) else baseline_runs(study, dataset, row)


def methods(study: Study) -> list[dict[str, Any]]:
    """Every baseline and student, those that differ in the list alone as one, with all lists' runs and their cost.

    ``compared``: each of its lists has a baseline to compare it with.
    """
    rows = []
    for dataset, members in _baselines_and_students(study):
        row = next(iter(members.values()))[1]
        own = [_sides(study, dataset, row) | _trained(study, dataset, row) for _, row in members.values()]
        rows.append({
            "dataset": dataset, **_members(members), "method": row.method if isinstance(row, Student) else "baseline",
            "variant": _of_any_list(study, row), **_teaching(study, dataset, row),
            "compared": all(each["baseline"] for each in own), "searched": isinstance(row, Searched), "of_lists": own,
            **_network(study, _runs(study, dataset, row)[0]),
        })  # fmt: skip
    return with_networks(rows, several=len({(row["backbone"], row["clip"]) for row in rows}) > 1)


def _baselines_and_students(study: Study) -> list[tuple[str, dict[int, tuple[str, Baseline | Student]]]]:
    """Of every dataset its baselines, then its students, as `_over_lists` has them."""
    return [
        (dataset, members)
        for dataset in study.use
        for rows in (study.baselines_of(dataset), study.students_of(dataset))
        for members in _over_lists(study, dataset, rows)
    ]


def _of_any_list(study: Study, row: AnyRow) -> str | None:
    """`_variant` of a row of any list, and whether a baseline's head alone trained."""
    said = [_variant(study, row.model_copy(update={"list": 1}))]
    said += ["frozen" if isinstance(row, Baseline) and row.frozen else None]
    return ", ".join(filter(None, said)) or None


def _alone(study: Study, row: AnyRow) -> str | None:
    """The same, where no column says of which network it is."""
    own = study.own_network(row)
    said = [own.backbone, str(own.clip) if own.clip else None, _of_any_list(study, row)]
    return ", ".join(filter(None, said)) or None


def _sides(study: Study, dataset: str, row: AnyRow) -> dict[str, list[str] | None]:
    """Predictions of a row's runs and of the baseline of their list; None where there is none, or they are it."""
    runs = _runs(study, dataset, row)
    own = study.own_network(row) if isinstance(row, Student) or row.train else STUDYS_OWN
    reference = study.reference(dataset, row.list, own)
    baseline = baseline_runs(study, dataset, reference[1]) if reference else runs
    return {
        "predictions": predictions(study, runs),
        "baseline": None if baseline == runs else predictions(study, baseline),
    }


def _trained(study: Study, dataset: str, row: AnyRow) -> dict[str, list[str]]:
    """Histories of a row's runs, and of its teachers' trainings."""
    runs = _runs(study, dataset, row)
    teachers = [teacher for run in runs for teacher in _trained_teachers(study, run)]
    return {"history": histories(study, runs), "teachers": histories(study, teachers)}


def _trained_teachers(study: Study, run: Run) -> list[Run]:
    """Who teaches a run and was trained in this study."""
    teachers = [own for asked in study.teacher_sets(run) for own in asked.teachers.values()] if run.student else []
    return [teacher for teacher in dict.fromkeys(teachers) if study.finished(teacher) is None]


def _teaching(study: Study, dataset: str, row: AnyRow) -> dict[str, int]:
    """What a run's teachers take: trainings, and passes for each clip of the run's training.

    Teachers that go on learning do so in one training more: a clip passes backward through the teacher of its group,
    too, which costs about two passes. Of a search it is what the candidate takes that asks the most teachers, and all
    that was trained for some candidate.
    """
    run = _runs(study, dataset, row)[0]
    learners = [study.teacher_sets(learner) for learner in study.learners(run)] if run.student else [[]]
    passes = [sum(len(asked.teachers) + 2 * (not asked.frozen) for asked in sets) for sets in learners]
    learning = {asked.file for sets in learners for asked in sets if not asked.frozen}
    return {
        "teacher_passes": max(passes),
        "teacher_trainings": len(_trained_teachers(study, run)) + len(learning),
    }


def repeated(study: Study) -> dict[str, dict[str, dict[str, dict[str, list[str]]]]]:
    """The rows of `methods` that are compared with a baseline, of data sets where one has several seeds or lists.

    Dataset -> the first of the row's names -> list -> ``predictions`` and those of its ``baseline``.
    """
    shown: dict[str, Any] = {}
    for dataset, members in _baselines_and_students(study):
        lists = {str(number): _sides(study, dataset, row) for number, (_, row) in members.items()}
        if all(sides["baseline"] for sides in lists.values()):
            shown.setdefault(dataset, {})[next(iter(members.values()))[0]] = lists
    return {
        dataset: rows
        for dataset, rows in shown.items()
        if len(study.seeds) > 1 or any(len(lists) > 1 for lists in rows.values())
    }


def _each_method(study: Study, dataset: str) -> dict[str, tuple[str, Student]]:
    """Name and row of the chosen student and of one by each other method, by method; {} where there are no students.

    Of several students by a method the one that differs least: of the chosen one's list, split and outputs, the usual
    variant of its method, with the chosen one's KD_T and KD_alpha. Where no student has specialists, the first is taken
    for the chosen one. All of them are of its network.
    """
    students = {
        name: row
        for name, row in study.students_of(dataset).items()
        if not isinstance(row, Searched) or row.of_one_method
    }
    if not students:
        return {}
    chosen = study.chosen(dataset) or next(iter(students.items()))
    students = _of_network(study, students, chosen[1])

    def differs(item: tuple[str, Student]) -> tuple[int, ...]:
        def unlike(*keys: str) -> int:
            return sum(getattr(item[1], key, None) != getattr(chosen[1], key, None) for key in keys)

        variants = len(item[1].distillation.words())
        return unlike("list"), unlike("split", "teacher_outputs"), variants, unlike("KD_T", "KD_alpha")

    found = {chosen[1].method: chosen}
    for item in sorted(students.items(), key=differs):
        found.setdefault(item[1].method, item)
    return found


def _of_network(study: Study, rows: Mapping[str, AnyRow], row: Student) -> dict[str, AnyRow]:
    """Those of the rows that are of the same network as one of them."""
    return {name: each for name, each in rows.items() if study.own_network(each) == study.own_network(row)}


def each_method(study: Study) -> dict[str, dict[str, list[str]]]:
    """Predictions of the baseline, the chosen student and one by each other method, by dataset and name.

    All of the chosen student's list.
    """
    shown = {}
    for dataset in study.use:
        rows = list(_each_method(study, dataset).values())
        if not rows:
            continue
        number = rows[0][1].list
        baseline, row = study.reference_of(dataset, rows[0][1])
        shown[dataset] = {_with_kind(baseline, "baseline"): predictions(study, baseline_runs(study, dataset, row))} | {
            _with_kind(name, row.distillation.label): predictions(study, student_runs(study, dataset, row))
            for name, row in rows
            if row.list == number
        }
    return shown


def blocks(study: Study) -> dict[str, dict[str, dict[str, list[str]]]]:
    """Predictions of the baseline and of one student by each method, by dataset, list and method; each seed is a block.

    Of the methods that every data set has, and the lists that have all of these; {} with fewer than three methods or
    five blocks, of which ranks tell nothing.
    """
    by_method = {dataset: _each_method(study, dataset) for dataset in study.use if study.students_of(dataset)}
    shared = [name for name in next(iter(by_method.values()), {}) if all(name in own for own in by_method.values())]
    shown = {}
    for dataset, rows in by_method.items():
        groups = _over_lists(study, dataset, study.students_of(dataset))
        alike = {_alike(study, dataset, next(iter(group.values()))[1]): group for group in groups}
        members = {name: alike[_alike(study, dataset, rows[name][1])] for name in shared}
        for number in sorted(set.intersection(*(set(own) for own in members.values())) if shared else []):
            found = {own[number][1].distillation.label: own[number][1] for own in members.values()}
            _, baseline = study.reference_of(dataset, next(iter(found.values())))
            shown.setdefault(dataset, {})[str(number)] = {
                label: predictions(study, _runs(study, dataset, row))
                for label, row in {"baseline": baseline, **found}.items()
            }
    count = sum(map(len, shown.values())) * len(study.seeds)
    return shown if len(shared) >= 2 and count >= 5 else {}


def readings(study: Study) -> list[dict[str, Any]]:
    """Table 5's rows of students with specialists, each with how it reads the paper; of a run with two names one.

    Only of datasets where students differ in that, BSKD aside: of others there is nothing to compare.
    """
    rows = []
    for dataset in study.use:
        known = {name: row for name, row in study.of_specialists(dataset).items() if not isinstance(row, Searched)}
        papers = {name: row for name, row in known.items() if row.method in ("dtkd", "bskd")}
        words = {name: _reading(study, row) for name, row in papers.items()}
        if len({said for said in words.values() if PARTITION not in said}) < 2:
            continue
        runs = {}
        for row in table5(study):
            if row["dataset"] == dataset and (row["method"] == "baseline" or row["model"] in words):
                said = words.get(row["model"], "baseline") + (f", list {row['list']}" if row["list"] > 1 else "")
                runs.setdefault(tuple(row["predictions"]), row | {"reading": said})
        rows += runs.values()
    return rows


def _reading(study: Study, row: OfSpecialists) -> str:
    """How a student reads what the paper leaves open of its teachers' outputs and weights."""
    outputs = f"{row.teacher_outputs or study.teachers.outputs} teachers"
    weighting = getattr(row, "weighting", "partition")
    return f"{outputs}, {PARTITION}" if weighting == "partition" else f"{outputs}, {weighting}, {row.outside} outside"


def _hyperparameters(student: Student) -> dict[str, Any]:
    """Table 5's columns of a student; None for what its method does not look at, or what is searched for."""
    return {key: getattr(student, key, None) for key in ("method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha")}


def _variant(study: Study, row: Baseline | Student) -> str | None:
    """In a word, what Table 5 has no column of its own for; None where all of it is the usual."""
    said = [f"list {row.list}"] if row.list > 1 else []
    own = study.own_network(row)
    said += [f"weights {own.weights}"] * bool(own.weights) + [f"{own.pixels} pixels"] * bool(own.pixels)
    said += [] if own.dropout is None else [f"dropout {own.dropout:g}"]
    if isinstance(row, Baseline):
        said += [f"{key} {value}" for key, value in row.train.items()]
    if isinstance(row, OfGeneralist) and row.teacher:
        said.append(f"taught by {row.teacher}")
    if isinstance(row, OfSpecialists) and row.teacher_outputs not in (None, study.teachers.outputs):
        said.append(f"{row.teacher_outputs} teachers")
    if isinstance(row, OfSpecialists) and row.split:
        said.append(f"split {row.split}")
    if isinstance(row, Searched):
        said.append(f"best of {len(row.candidates)}")
    elif isinstance(row, Student):
        said += _unusual(row)
        said += [f"{word} {key}" if key == "outside" else word for key, word in row.distillation.words().items()]
    return ", ".join(said) or None


def _unusual(row: Student) -> list[str]:
    """Of a student's teachers and of its method's numbers those that Table 5 has no column for, and are not usual."""
    method = row.distillation
    taught = [] if row.teachers is None else [row.teachers] if isinstance(row.teachers, str) else row.teachers
    numbers = {key: getattr(method, key) for key in method.symbols.keys() - {"S_alpha", "KD_T", "KD_alpha"}}
    usual = {key: type(method).model_fields[key].default for key in numbers}
    return [f"taught by {' and '.join(taught)}"] * bool(taught) + [
        f"{key} {number:g}" for key, number in sorted(numbers.items()) if number != usual[key]
    ]


def _winner(study: Study, runs: list[Run]) -> dict[str, str]:
    """The record that says which settings a search has found (`tables.winners`); {} of a student without one."""
    return {"winner": f"{study.results}/{runs[0].folder}/run.json"} if runs[0].search else {}


def searches(study: Study) -> list[dict[str, Any]]:
    """Every search, with the values of its candidates and the rankings after its rungs."""
    rows = []
    for search in study.searches().values():
        row = search.winner.row
        assert isinstance(row, Searched)
        keys = combinations.labels(row.search.grid)
        values = product(*keys.values())  # in the candidates' order
        rows.append({
            "dataset": search.winner.dataset, "list": search.winner.list, "model": search.winner.search,
            "epochs": list(search.epochs), "numbers": list(search.numbers),
            "candidates": {
                name: ", ".join(f"{key} {value}" for key, value in zip(keys, own, strict=True))
                for name, own in zip(search.candidates, values, strict=True)
            },
            "rankings": [f"{study.results}/{search.ranking(epochs)}" for epochs in search.epochs],
        })  # fmt: skip
    return rows


def grids(study: Study) -> dict[str, dict[str, dict[str, Any]]]:
    """The grids of several students: dataset -> row -> ``keys`` with their values, and each student's values."""
    shown: dict[str, dict[str, dict[str, Any]]] = {}
    for dataset in study.use:
        for name, grid in study.grids_of(dataset).items():
            keys = grid.labels()
            if len(grid.students) > 1:
                values = map(list, product(*keys.values()))  # in the students' order
                students = dict(zip(grid.named(name), values, strict=True))
                shown.setdefault(dataset, {})[name] = {"keys": keys, "students": students}
    return shown


def costs(study: Study) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Of the chosen student's list, the baseline and one student by each method for each network that students have.

    Dataset -> method -> name -> ``predictions``, ``record``, ``backbone`` and ``clip``. Of several students by a method
    and of a network the first. Only of datasets whose students are of several networks.
    """
    shown: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    for dataset in study.use:
        students = study.students_of(dataset)
        number = min((row.list for row in students.values()), default=1)
        found: dict[str, dict[OwnNetwork, tuple[str, list[Run]]]] = {}
        for network, (name, row) in study.references(dataset, number).items():
            found.setdefault("baseline", {})[network] = name, baseline_runs(study, dataset, row)
        for name, student in students.items():
            if student.list == number:
                own = found.setdefault(student.distillation.label, {})
                own.setdefault(study.own_network(student), (name, student_runs(study, dataset, student)))
        if len({network for label, own in found.items() if label != "baseline" for network in own}) > 1:
            shown[dataset] = {
                label: {name: {"predictions": predictions(study, runs), **_network(study, runs[0])}
                        for name, runs in own.values()}
                for label, own in found.items()
            }  # fmt: skip
    return shown


def table6(study: Study) -> list[dict[str, Any]]:
    """The chosen student of each dataset and its teachers."""
    rows = []
    for dataset in study.use:
        if (chosen := study.chosen(dataset)) is None:
            continue
        name, student = chosen
        runs = student_runs(study, dataset, student)
        teachers = [study.teacher_runs(run) for run in runs]
        rows.append({
            "dataset": dataset, "model": name, "list": student.list, "student": predictions(study, runs),
            "teachers": {subset: predictions(study, [each[subset] for each in teachers]) for subset in teachers[0]},
            "as_published": _as_published(study, runs[0]), **study.divergences()[dataset],
        })  # fmt: skip
    return rows


def lists(study: Study) -> dict[str, dict[str, list[str]]]:
    """Figure 5: histories of the baselines that differ in the list alone, by dataset and name."""
    shown = {}
    for dataset in study.use:
        alike = {}
        for name, row in study.baselines_of(dataset).items():
            runs = baseline_runs(study, dataset, row)
            if runs[0].network == STUDYS_OWN and not row.frozen and not runs[0].recipe:
                alike[f"{name} (list {row.list})"] = histories(study, runs)
        if alike:
            shown[dataset] = alike
    return shown


def rivals(study: Study) -> dict[str, dict[str, list[str]]]:
    """Figure 6: histories of the chosen student, of one by each other method of specialists, and of the baseline.

    Of several students by a method the one that differs least: with the chosen one's outputs, KD_T and KD_alpha. BSKD
    first, and of more methods than lines can look different the first ones.
    """
    shown = {}
    for dataset in study.use:
        if (chosen := study.chosen(dataset)) is None:
            continue
        name, student = chosen
        alike = ("split", "teacher_outputs", "KD_T", "KD_alpha")
        others = sorted(
            (
                item
                for item in _of_network(study, study.of_specialists(dataset), student).items()
                if item[1].list == student.list
            ),
            key=lambda item: (
                item[1].method != "bskd",
                any(getattr(item[1], key, None) != getattr(student, key, None) for key in alike),
            ),
        )
        by_method = {student.method: (name, student)}
        for item in others:
            if len(by_method) < LINES:
                by_method.setdefault(item[1].method, item)
        shown[dataset] = {
            _with_kind(label, row.distillation.label): histories(study, student_runs(study, dataset, row))
            for label, row in by_method.values()
        }
        baseline, row = study.reference_of(dataset, student)
        shown[dataset][_with_kind(baseline, "baseline")] = histories(study, baseline_runs(study, dataset, row))
    return shown


def _with_kind(name: str, kind: str) -> str:
    """A run's label: its name and what it is, unless the name says so."""
    return name if name.casefold().startswith(kind.casefold()) else f"{name} ({kind})"


def against_baseline(study: Study) -> dict[str, dict[str, Any]]:
    """The chosen student beside its baseline: names and predictions, by dataset."""
    shown = {}
    for dataset in study.use:
        if (chosen := study.chosen(dataset)) is None:
            continue
        name, student = chosen
        baseline, row = study.reference_of(dataset, student)
        shown[dataset] = {
            "list": student.list,
            "baseline": [baseline, predictions(study, baseline_runs(study, dataset, row))],
            "student": [name, predictions(study, student_runs(study, dataset, student))],
        }
    return shown


def deployment(study: Study) -> list[dict[str, Any]]:
    """The chosen students and their baselines where these are measured, by their first seed."""
    rows = []
    for dataset in study.use if study.analysis.benchmark else ():
        if (chosen := study.chosen(dataset)) is None:
            continue
        baseline, row = study.reference(dataset, chosen[1].list)
        sides = {baseline: baseline_runs(study, dataset, row), chosen[0]: student_runs(study, dataset, chosen[1])}
        rows += [
            {
                "dataset": dataset, "model": name, "list": runs[0].list, "predictions": predictions(study, runs),
                "benchmark": f"{study.results}/{runs[0].folder}/benchmark.json",
            }
            for name, runs in sides.items()
        ]  # fmt: skip
    return rows


def pairs(study: Study) -> dict[str, dict[str, list[str]]]:
    """Predictions of the chosen student's baseline and, after it, of the student, by dataset and name."""
    return {dataset: dict([pair["baseline"], pair["student"]]) for dataset, pair in against_baseline(study).items()}


def student_and_teachers(study: Study) -> dict[str, dict[str, list[str]]]:
    """Predictions of the chosen student (``student``) and, by their groups, of its teachers, by dataset."""
    return {row["dataset"]: {"student": row["student"]} | row["teachers"] for row in table6(study)}


def baselines_to_beat(study: Study) -> dict[str, dict[str, list[str]]]:
    """Predictions of the baselines that Table 5's students are compared with, by dataset and name."""
    shown = {dataset: {} for dataset in study.use if study.students_of(dataset)}
    for row in table5(study):
        if row["method"] == "baseline" and row["dataset"] in shown:
            shown[row["dataset"]][row["model"]] = row["predictions"]
    return shown


def students(study: Study) -> dict[str, dict[str, list[str]]]:
    """Histories of every student that weighs its teachers, the chosen one first; of its split, as of others weights
    are those of other groups."""
    shown = {}
    for dataset in study.use:
        rows = {name: row for name, row in study.students_of(dataset).items() if row.distillation.weighs}
        if (chosen := study.chosen(dataset)) and chosen[0] in rows:
            rows = {chosen[0]: chosen[1]} | rows
        runs = {name: student_runs(study, dataset, row) for name, row in rows.items()}
        alike = {name: own for name, own in runs.items() if own[0].split == next(iter(runs.values()))[0].split}
        if alike:
            shown[dataset] = {name: histories(study, own) for name, own in alike.items()}
    return shown
