"""Figure 5: training loss and test accuracy of the baselines over epochs."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis.figures import base, training
    from dtkd.common.files import read_parquet

    histories = base.read_runs(snakemake.params.shown, read_parquet)  # noqa: F821
    base.save(training.figure5(histories), snakemake.output)  # noqa: F821
