"""The gain of a student over the baseline in every class."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import figures, figures_accuracy, subsets
    from dtkd.metrics import Predictions

    given, params = snakemake.input, snakemake.params  # noqa: F821
    splits = subsets.read_splits(params.datasets, given.splits, given.indexes)
    runs = figures.read_runs(params.shown, Predictions.read)
    figures.save(figures_accuracy.class_gain(runs, splits), snakemake.output)  # noqa: F821
