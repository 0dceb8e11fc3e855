"""What every student gains over its baseline."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis.figures import accuracy, base
    from dtkd.training.metrics import Predictions

    given, params = snakemake.input, snakemake.params  # noqa: F821
    runs = base.read_runs(params.shown, Predictions.read)
    base.save(accuracy.gains(base.read_table(given.table), runs), snakemake.output)  # noqa: F821
