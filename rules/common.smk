# The study, and what the rules ask of it. Nothing here reads a video or imports torch.
import csv
import os
import re
from dataclasses import asdict
from functools import lru_cache

from snakemake.io import IOFile

from dtkd.analysis import contents, shown_runs
from dtkd.data import datasets, groups, synthetic
from dtkd.operations import recorded_settings
from dtkd.common import job_server
from dtkd.common.code_files import code_of
from dtkd.common.files import check_writable, write_json
from dtkd.common.published import HUB
from dtkd.config.places import within
from dtkd.config import Dataset, FeatureSet, Run, Search, TeacherSet, read
from dtkd.distillation.methods import METHODS
from dtkd.models.entries import NETWORKS
from dtkd.motion import algorithms
from dtkd.motion.detectors import DETECTOR
from dtkd.motion.thresholds import THRESHOLDS

STUDY = checked(read, config)
RESULTS = STUDY.results
RUNS = checked(STUDY.runs)
MODELS = {  # a run's folder -> what the tables call it
    str(Path(file).parent.relative_to(RESULTS)): row["model"]
    for row in shown_runs.table3(STUDY) + shown_runs.table4(STUDY) + shown_runs.table5(STUDY)
    for file in row["predictions"]
}
EXPECTED = [each._asdict() for each in checked(recorded_settings.expected, STUDY)]  # the settings that records should have
LIBRARY = f"{workflow.basedir}/workflow_scripts/dtkd"
os.environ["DTKD_SNAKEMAKE"] = str(os.getpid())  # a job looks whether it is still there


onstart:
    checked(check_writable, RESULTS)  # before hours of work, not after
    # what `make verify` holds the records against: --touch, too, takes what there is for this study's
    checked(write_json, f"{RESULTS}/settings.json", EXPECTED)
    # jobs of another machine, of other environments, or that compute for hours, import for themselves
    if workflow.local_exec and not on_gpu() and not workflow.deployment_settings.deployment_method:
        job_server.start()


def spelled_target(target: str) -> str:
    """A target as the rules spell it, whichever way it leads there; what the study cannot make ends the workflow."""
    places = [place for entry in STUDY.datasets.values() for place in (entry.videos, entry.annotations) if place]
    found = (within(target, place) for place in (RESULTS, *places))
    known = target if workflow.is_rule(target) else next(filter(None, found), None)
    if known is None and not os.path.exists(target):
        abort(f"{target}: the study makes no such file: its own begin with {RESULTS}/, as {RESULTS}/tables/table5.csv does")
    return known or target


class Spelling(type(workflow)):
    """A workflow that hears of its targets (after it has read the rules) as `spelled_target` has them."""

    def __setattr__(self, name, value):
        if name in ("dag_settings", "scheduling_settings"):
            for kind in ("targets", "forcerun", "until", "omit_from", "prioritytargets"):
                if given := getattr(value, kind, None):
                    setattr(value, kind, {spelled_target(target) for target in given})
        super().__setattr__(name, value)


workflow.__class__ = Spelling


wildcard_constraints:
    dataset="[^/]+",
    list="[0-9]+",
    run="[^/]+",
    role="[a-z]+",


@lru_cache(maxsize=None)
def videos_by_class(dataset: str) -> dict[str, list[str]]:
    """Class -> its videos' paths relative to the dataset's root, from its lists (or the renderer's plan)."""
    settings = dataset_settings(dataset)
    if settings.render:
        return synthetic.layout(settings.render)
    return checked(datasets.videos_by_class, settings.source())


def dataset_settings(name: str) -> Dataset:
    if name not in STUDY.datasets:
        abort(f"config: datasets: no dataset is called {name!r}")
    return STUDY.datasets[name]


def videos(dataset: str, class_name: str | None = None) -> list[str]:
    """Every video file of a dataset, or of one class."""
    by_class = videos_by_class(dataset)
    if class_name is not None and class_name not in by_class:
        abort(f"{dataset} has no class called {class_name!r}")
    root = dataset_settings(dataset).videos
    chosen = by_class.values() if class_name is None else [by_class[class_name]]
    return [f"{root}/{path}" for paths in chosen for path in paths]


@lru_cache(maxsize=None)
def annotation_files(dataset: str) -> list[str]:
    """The files that hold a dataset's lists."""
    settings = dataset_settings(dataset)
    if settings.render:
        return [f"{settings.annotations}/{name}" for name in synthetic.list_names(settings.render)]
    if settings.format == "csv":
        return [settings.annotations]
    if settings.format == "folders":
        return []
    if settings.format == "features" and not os.path.isdir(settings.annotations):
        return [settings.annotations]
    return sorted(str(path) for path in Path(settings.annotations).glob("*.txt"))


def run_of(wildcards, role: str) -> Run:
    """The run that a folder names; the study has to ask for it."""
    folder = f"{wildcards.dataset}/list{wildcards.list}/{role}/{wildcards.run}"
    if folder not in RUNS:
        known = [f"{path} ({MODELS.get(path, role)})" for path in sorted(RUNS) if RUNS[path].role == role]
        abort("\n  ".join([f"{RESULTS}/{folder}: the study has no such run; its {role} runs are", *known]))
    return RUNS[folder]


@lru_cache(maxsize=None)
def forgotten() -> dict[str, list[recorded_settings.Difference]]:
    return recorded_settings.of_forgotten_runs(STUDY, lambda file: workflow.persistence.metadata(IOFile(file)))


def refuse_forgotten(file: str, rule: str) -> None:
    """End where a training of other settings would stand, unless Snakemake was told to make it again."""
    forced = workflow.dag_settings.forcerun
    if workflow.is_main_process and not {file, rule} & set(forced):
        checked(recorded_settings.refuse_forgotten, file, forgotten())


def device(wildcards, resources) -> str:
    """The `device` parameter: as a function of resources, it is none whose change makes Snakemake train again."""
    return STUDY.device


def cache_mb(wildcards, resources) -> int:
    """The `cache_mb` parameter, which changes no result either."""
    return STUDY.cache_mb


def on_bad_video(wildcards, resources) -> str:
    """The `on_bad_video` parameter: where all videos are sound it changes nothing, so it makes nothing run again."""
    return STUDY.on_bad_video


def computing(role: str):
    """How a training computes, as `device`: none of it makes Snakemake train again."""
    return lambda wildcards, resources: STUDY.train_settings(role).computing()
