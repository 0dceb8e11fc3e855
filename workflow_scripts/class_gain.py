"""The gain of a student over the baseline in every class."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis.figures import accuracy, base
    from dtkd.motion import subsets
    from dtkd.training.metrics import Predictions

    given, params = snakemake.input, snakemake.params  # noqa: F821
    splits = subsets.read_splits(params.datasets, given.splits, given.indexes)
    runs = base.read_runs(params.shown, Predictions.read)
    base.save(accuracy.class_gain(runs, splits), snakemake.output)  # noqa: F821
