"""The study: a valid config, and the training runs that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import PurePosixPath
from typing import Any

from pydantic import ValidationError, model_validator

from dtkd.common.errors import DtkdError
from dtkd.config import checks
from dtkd.config.explain import explain
from dtkd.config.model import OwnNetwork
from dtkd.config.rows import Baseline, OfBaselines, OfGeneralist, OfSpecialists, Student
from dtkd.config.runs import FeatureSet, Run, Search, TeacherSet, spelled
from dtkd.config.searches import Searched
from dtkd.config.sections import Sections
from dtkd.config.training import Outputs, Train
from dtkd.models.entries import NETWORKS


class Study(Sections):
    """Everything a study is; `read` makes one of a config mapping."""

    @model_validator(mode="after")
    def _fit_together(self) -> Study:
        for check in checks.CHECKS:
            check(self)
        return self

    def baseline_run(self, dataset: str, row: Baseline, seed: int) -> Run:
        own, network = self.with_recipe(row), self.own_network(row)
        recipe = tuple((key, value) for key, value in own if value != getattr(self.train, key))
        window = self.window_for(network)
        # what students are compared with sees the windows that they see; others go by their own clip alone
        if window and all(self.own_network(student) != network for student in self.students_of(dataset).values()):
            window = None
        return Run(dataset, row.list, "baseline", self._backbone(network), seed, row.frozen, recipe=recipe,
                   network=network, window=window)  # fmt: skip

    def _backbone(self, network: OwnNetwork) -> str:
        return network.backbone or self.model.backbone

    def train_of(self, run: Run) -> Train:
        """How a run is trained."""
        return self.train_settings(run.role).model_copy(update=dict(run.recipe))

    def student_run(self, dataset: str, row: Student, seed: int) -> Run:
        baselines: list[Baseline] = []
        if isinstance(row, OfGeneralist):
            baselines = [self._teaching(dataset, row)]
        elif isinstance(row, OfBaselines):
            baselines = [self.baselines_of(dataset)[name] for name in row.named]
        outputs, split = (row.teacher_outputs, row.split) if isinstance(row, OfSpecialists) else (None, None)
        search = self._row_of(dataset, row) if isinstance(row, Searched) else None
        network = self.own_network(row)
        return Run(dataset, row.list, "student", self._backbone(network), seed, student=row, network=network,
                   window=self.window_for(network),
                   baselines=tuple(self.baseline_run(dataset, baseline, seed) for baseline in baselines),
                   outputs=outputs if outputs != self.teachers.outputs else None, split=split,
                   search=search)  # fmt: skip

    def _row_of(self, dataset: str, row: Searched) -> str:
        """The name of a row: candidates that exist stay when a search is changed."""
        return next(name for name, other in self.students_of(dataset).items() if other is row or other == row)

    def candidates(self, run: Run) -> dict[str, Run]:
        """The runs from which a search chooses a student, by name; of any other student none."""
        rows = run.student.candidates if isinstance(run.student, Searched) else {}
        return {name: self.student_run(run.dataset, row, run.seed) for name, row in rows.items()}

    def learners(self, run: Run) -> list[Run]:
        """Who learns from a student's teachers: itself, or a search's candidates."""
        return list(self.candidates(run).values()) or [run]

    def searches(self) -> dict[str, Search]:
        """Every search, by its folder.

        It is with the first seed; students of other seeds have the settings that it finds, so that a row of the tables
        is one setting.
        """
        found = {}
        for dataset in self.use:
            for name, row in self.students_of(dataset).items():
                if isinstance(row, Searched):
                    run = self.student_run(dataset, row, self.seeds[0])
                    folder = str(PurePosixPath(dataset, f"list{row.list}", "search", f"{name}-seed{run.seed}"))
                    epochs, candidates = (*row.search.rungs, self.train_of(run).epochs), self.candidates(run)
                    numbers = tuple(row.search.numbers(len(candidates)))
                    found[folder] = Search(folder, run, candidates, epochs, numbers)
        return found

    def search_of(self, run: Run) -> Search | None:
        """The search that finds a student's settings; of any other run None."""
        of = (run.dataset, run.list, run.search)
        found = (own for own in self.searches().values()
                 if of == (own.winner.dataset, own.winner.list, own.winner.search))  # fmt: skip
        return next(found, None)

    def _teaching(self, dataset: str, row: OfGeneralist) -> Baseline:
        """The baseline that teaches a student."""
        if row.teacher:
            return self.baselines_of(dataset)[row.teacher]
        usual = self.reference(dataset, row.list)
        assert usual, "checks.students_have_their_teachers"
        return usual[1]

    def teacher_runs(self, student: Run) -> dict[str, Run]:
        """A student's specialists by subset; none where baselines alone teach it."""
        if not student.has_specialists:
            return {}
        return {
            subset: Run(student.dataset, student.list, "teacher", self._backbone(network), student.seed,
                        frozen=student.specialists_row.LT, subset=subset, outputs=student.outputs, split=student.split,
                        network=network, window=self.window_for(network))
            for subset in self.split_called(student.split).group_names(student.dataset)
            for network in [self.teachers_network(subset)]
        }  # fmt: skip

    def finished(self, run: Run) -> str | None:
        """The file of a teacher that was made elsewhere; None where it is trained here."""
        if run.role != "teacher" or run.split is not None:
            return None
        file = self.teachers.checkpoints.get(run.dataset, {}).get(str(run.subset))
        return file and file.replace("{list}", str(run.list)).replace("{seed}", str(run.seed))

    def teacher_sets(self, student: Run) -> list[TeacherSet]:
        """Who teaches a student, specialists first, and where what they say to every training clip is.

        All students of the same teachers, list and seed share it. Of a student whose settings are searched for, all
        candidates' are there.
        """
        if candidates := self.candidates(student).values():
            asked = {each.file: each for candidate in candidates for each in self.teacher_sets(candidate)}
            return list(asked.values())
        folder = PurePosixPath(student.folder).parents[1] / "targets"
        found = []
        if student.has_specialists:
            row = student.specialists_row
            kept = ["LT" if row.LT else None, student.outputs, student.split, f"seed{student.seed}"]
            name = "-".join(["frozen" if row.FT else "continued", *filter(None, kept)])
            found.append(TeacherSet(f"{folder}/{name}.pt", self.teacher_runs(student), row.FT))
        features = student.row.distillation.needs_features
        more = "-features" if features else ""
        return found + [
            TeacherSet(f"{folder}/frozen-{run.name}{more}.pt", {"teacher": run}, features=features)
            for run in student.baselines
        ]

    def all_teacher_sets(self) -> dict[str, tuple[TeacherSet, Run]]:
        """Every set by its file, and a student that learns from it: all of them agree on what it holds."""
        found: dict[str, tuple[TeacherSet, Run]] = {}
        students = [learner for run in self.runs().values() if run.student for learner in self.learners(run)]
        for run in students:
            for teachers in self.teacher_sets(run):
                if found.setdefault(teachers.file, (teachers, run))[0] != teachers:
                    raise DtkdError(f"config: two kinds of teachers would share the file {teachers.file}; give the "
                                    "split of one another name")  # fmt: skip
        return found

    def features_file(self, run: Run) -> str | None:
        """Where what a run's frozen backbone makes of its clips is, relative to the results folder.

        None where the run has to compute it: it trains all of its network, or a head of several layers, or mixes clips.
        """
        train = self.train_of(run)
        apart = self.of_features or self.finished(run) or train.mixup or train.cutmix
        if not run.frozen or apart or not NETWORKS[run.backbone].head.linear:
            return None
        words = [run.backbone, *run.network.words(), *([f"of_{run.window}"] if run.window else [])]
        words += [spelled(key, value) for key, value in self._seen_by(train).items() if value not in (None, "auto")]
        name = "-".join([*words, f"seed{run.seed}.pt"])
        return str(PurePosixPath(run.dataset, f"list{run.list}", "features", name))

    @staticmethod
    def _seen_by(train: Train) -> dict[str, Any]:
        """What of a training, beside the number of its clips, says what these are, of which videos, and how exact."""
        keys = ("rand_augment", "validation_fraction", "precision")
        return {key: getattr(train, key) for key in keys if key in train.learning()}

    def frozen_features(self) -> dict[str, FeatureSet]:
        """All such files of the study's runs."""
        readers: dict[str, list[Run]] = {}
        for run in self.runs().values():
            if file := self.features_file(run):
                readers.setdefault(file, []).append(run)
        found = {}
        for file, runs in readers.items():
            clips = (self.train_of(run).epochs * self.train_of(run).clips_per_video for run in runs)
            found[file] = FeatureSet(file, tuple(runs), max(clips))
            if any(self.features_settings(FeatureSet(file, (run,), found[file].clips)) !=
                   self.features_settings(found[file]) for run in runs):  # fmt: skip
                raise DtkdError(f"config: runs with different settings would share the file {file}; make their "
                                "settings equal, or differ by more")  # fmt: skip
        return found

    def features_settings(self, asked: FeatureSet) -> dict[str, Any]:
        """What determines what such a file holds, beside its inputs."""
        settings = self.settings(asked.runs[0])
        names = ("backbone", "weights", "seed", "clip", "window", "pixels", "augment")
        return {name: settings[name] for name in names if name in settings} | {
            "train": {key: settings["train"][key] for key in self._seen_by(self.train_of(asked.runs[0]))},
            "clips": asked.clips,
        }

    def split_file(self, dataset: str, split: str | None = None) -> str:
        """Where a split of a data set is, relative to the results folder."""
        return str(PurePosixPath(dataset, "split.json" if split is None else f"splits/{split}.json"))

    def validation_file(self, run: Run) -> str | None:
        """The training videos of a run's list that are held out, relative to the results folder; None: none are."""
        train = self.train_of(run)
        if train.selection != "validation" or self.finished(run):
            return None
        return str(PurePosixPath(run.dataset, f"list{run.list}", f"validation-{train.validation_fraction:g}.csv"))

    def pretrain_run(self, backbone: str) -> Run:
        assert self.pretrain, "checks.pretraining_is_described"
        return Run(self.pretrain.dataset, 1, "pretrain", backbone, self.pretrain.seed)

    def runs(self) -> dict[str, Run]:
        """Every run that the study can ask for, by folder."""
        runs = []
        for dataset, seed in product(self.use, self.seeds):
            runs += [self.baseline_run(dataset, row, seed) for row in self.baselines_of(dataset).values()]
            for row in self.students_of(dataset).values():
                student = self.student_run(dataset, row, seed)
                runs += [student]
                runs += [teacher for own in self.learners(student) for teacher in self.teacher_runs(own).values()]
        started = {run.backbone for run in runs if self.weights_of(run) == "pretrain"}
        runs += [self.pretrain_run(backbone) for backbone in sorted(started)]
        by_folder: dict[str, Run] = {}
        for run in runs:
            other = by_folder.setdefault(run.folder, run)
            if other != run and self.settings(other) != self.settings(run):
                raise DtkdError(f"config: two runs with different settings would share the folder {run.folder}; "
                                "make their settings equal, or differ by more")  # fmt: skip
        return by_folder

    def settings(self, run: Run) -> dict[str, Any]:
        """All that determines a run's result beside its input files, as plain values: a change of it is a rerun."""
        pretrain = self.pretrain if run.role == "pretrain" else None
        settings: dict[str, Any] = {
            "backbone": run.backbone,
            "weights": "none" if pretrain else self.weights_of(run),
            "dropout": pretrain.dropout if pretrain else self.dropout_of(run),
            "frozen": run.frozen,
            "seed": run.seed,
            "clip": (run.clip or self.clip).model_dump(exclude_none=True),
            **({} if self.of_features else {"augment": self.augment.settings}),
            "train": self.train_of(run).learning(),
        }
        settings |= self._seen_otherwise(run)
        if run.subset:
            settings["subset"] = run.subset
        if isinstance(run.student, Searched):
            return settings | {"search": self._search_settings(run)}
        if run.student:
            kept = {"method", "LT", "FT"}
            settings["student"] = run.student.model_dump(include=kept) | run.student.distillation.settings()
            if teachers := run.student.teachers:  # not the usual ones of its method
                names = [baseline.settings_name for baseline in run.baselines]
                settings["student"]["teachers"] = teachers if isinstance(teachers, str) else names
        if run.subset or run.has_specialists:
            settings |= {"teacher_outputs": "full"} if self.outputs_of(run) == "full" else {}
        return settings

    def _seen_otherwise(self, run: Run) -> dict[str, Any]:
        """What a network of its own sees otherwise than its clip says: another span's windows, other pixels' scale."""
        window = {"window": run.window.model_dump(exclude_none=True)} if run.window else {}
        return window | ({"pixels": run.network.pixels} if run.network.pixels else {})

    def weights_of(self, run: Run) -> str:
        """What a run starts from, as `model.weights` says it; "none": random."""
        return "none" if run.role == "pretrain" else run.network.weights or self.model.weights

    def dropout_of(self, run: Run) -> float:
        return self.model.dropout if run.network.dropout is None else run.network.dropout

    def _search_settings(self, run: Run) -> dict[str, Any]:
        """What determines which settings a search finds, beside those that all its candidates have."""
        assert isinstance(run.student, Searched)
        own = {name: self.settings(candidate) for name, candidate in self.candidates(run).items()}
        keys = ("student", "teacher_outputs")
        candidates = {name: {key: each[key] for key in keys if key in each} for name, each in own.items()}
        search = run.student.search
        return {"candidates": candidates, "rungs": list(search.rungs), "eta": search.eta, "seed": self.seeds[0]}

    def outputs_of(self, run: Run) -> Outputs:
        """Which classes a teacher, or a student's specialists, can predict.

        Settings have it where it is ``full`` alone: before there was a choice, all were masked.
        """
        return run.outputs or self.teachers.outputs

    def targets_settings(self, student: Run, asked: TeacherSet) -> dict[str, Any]:
        """What targets are made with: of frozen teachers those settings say which clips there are.

        Teachers that go on learning do so as the student does. Where their networks differ, ``teachers`` has what each
        has of its own.
        """
        own = {name: self._asked_network(teacher) for name, teacher in asked.teachers.items()}
        first = next(iter(own.values()))
        alike = first if all(each == first for each in own.values()) else {"teachers": own}
        of_student = self.settings(student)
        settings = {name: of_student[name] for name in ("seed", "augment", "train") if name in of_student} | alike
        order = ("teachers", "backbone", "dropout", "seed", "clip", "window", "pixels", "augment", "train")
        kept = {name: settings[name] for name in order if name in settings}  # in another one, Snakemake sees others
        if asked.features:
            kept["features"] = True
        if not asked.frozen:
            kept["teacher_outputs"] = self.outputs_of(student)
        return kept

    def _asked_network(self, teacher: Run) -> dict[str, Any]:
        """A teacher's network, and what it sees of the clips that the study draws for its students."""
        settings = self.settings(replace(teacher, window=self.window_for(teacher.network)))
        return {name: settings[name] for name in ("backbone", "dropout", "clip", "window", "pixels")
                if name in settings}  # fmt: skip

    def divergences(self) -> dict[str, dict[str, Any]]:
        """Of each data set with such a student, what Table 6 and Figure 8 compute of the chosen one."""
        chosen = {dataset: self.chosen(dataset) for dataset in self.use}
        runs = {name: self.student_run(name, pair[1], self.seeds[0]) for name, pair in chosen.items() if pair}
        return {name: self.analysis.divergence(self.outputs_of(run)) for name, run in runs.items()}


def read(config: Mapping[str, Any]) -> Study:
    """Validate a config.

    Raises:
        DtkdError: naming every wrong key, what was given, and the remedy.
    """
    try:
        return Study.model_validate(dict(config))
    except DtkdError as error:  # of a section that is not pydantic's own: `render`
        raise DtkdError(f"config: {error}") from None
    except ValidationError as error:
        raise DtkdError("config: " + "\n        ".join(explain(error, Study))) from None
