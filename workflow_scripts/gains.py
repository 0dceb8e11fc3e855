"""What every student gains over its baseline."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import figures, figures_accuracy
    from dtkd.metrics import Predictions

    given, params = snakemake.input, snakemake.params  # noqa: F821
    runs = figures.read_runs(params.shown, Predictions.read)
    figures.save(figures_accuracy.gains(figures.read_table(given.table), runs), snakemake.output)  # noqa: F821
