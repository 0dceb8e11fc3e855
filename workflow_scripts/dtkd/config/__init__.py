"""The config as typed, validated, frozen objects, and the training runs that it asks for.

Imported by the Snakefile at every start, so it imports no torch, pandas or OpenCV.
"""

from dtkd.config.analysis import Analysis
from dtkd.config.augment import Augment
from dtkd.config.datasets import Dataset
from dtkd.config.flow import Flow
from dtkd.config.model import Backbone, Clip, Model
from dtkd.config.rows import Baseline, OfBaselines, OfGeneralist, OfSpecialists, Student, student
from dtkd.config.runs import FeatureSet, Run, Search, TeacherSet
from dtkd.config.searches import Searched
from dtkd.config.split import Split
from dtkd.config.study import Study, read
from dtkd.config.training import Evaluation, Pretrain, Teachers, Train

__all__ = [
    "Analysis",
    "Augment",
    "Backbone",
    "Baseline",
    "Clip",
    "Dataset",
    "Evaluation",
    "FeatureSet",
    "Flow",
    "Model",
    "OfBaselines",
    "OfGeneralist",
    "OfSpecialists",
    "Pretrain",
    "Run",
    "Search",
    "Searched",
    "Split",
    "Student",
    "Study",
    "TeacherSet",
    "Teachers",
    "Train",
    "read",
    "student",
]
