"""Figure 7: accuracy of a baseline and a student per subset."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import figures, figures_accuracy, published, subsets
    from dtkd.metrics import Predictions

    given, params = snakemake.input, snakemake.params  # noqa: F821
    splits = subsets.read_splits(params.datasets, given.splits, given.indexes)
    runs = figures.read_runs(params.shown, Predictions.read)
    paper = {dataset: published.gains(dataset, *runs[dataset]) for dataset in params.as_published}
    figures.save(figures_accuracy.figure7(runs, splits, paper), snakemake.output)  # noqa: F821
