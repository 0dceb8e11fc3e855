"""Figure 7: accuracy of a baseline and a student per subset."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis.figures import accuracy, base
    from dtkd.data import published
    from dtkd.motion import subsets
    from dtkd.training.metrics import Predictions

    given, params = snakemake.input, snakemake.params  # noqa: F821
    splits = subsets.read_splits(params.datasets, given.splits, given.indexes)
    runs = base.read_runs(params.shown, Predictions.read)
    paper = {dataset: published.gains(dataset, *runs[dataset]) for dataset in params.as_published}
    base.save(accuracy.figure7(runs, splits, paper), snakemake.output)  # noqa: F821
