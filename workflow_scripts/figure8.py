"""Figure 8: how far a student is from its teachers on every test video."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import figures, figures_distillation
    from dtkd.metrics import Predictions

    runs = figures.read_runs(snakemake.params.shown, Predictions.read)  # noqa: F821
    divergences = figures_distillation.divergences(runs, snakemake.params.divergences)  # noqa: F821
    figures.save(figures_distillation.figure8(divergences), snakemake.output)  # noqa: F821
