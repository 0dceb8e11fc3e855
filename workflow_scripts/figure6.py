"""Figure 6: training loss and test accuracy of DTKD and BSKD over epochs."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import figures, figures_training
    from dtkd.files import read_parquet

    histories = figures.read_runs(snakemake.params.shown, read_parquet)  # noqa: F821
    figures.save(figures_training.figure6(histories), snakemake.output)  # noqa: F821
