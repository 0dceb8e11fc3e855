"""Which classes a baseline and a student take for one another."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis.figures import accuracy, base
    from dtkd.motion import subsets
    from dtkd.training.metrics import Predictions

    given, params = snakemake.input, snakemake.params  # noqa: F821
    splits = subsets.read_splits(params.datasets, given.splits, given.indexes)
    runs = base.read_runs(params.shown, Predictions.read)
    base.save(accuracy.confusion(runs, splits), snakemake.output)  # noqa: F821
