"""Students' accuracy over their hyperparameters."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import figures, figures_distillation

    table = figures.read_table(snakemake.input.table)  # noqa: F821
    figures.save(figures_distillation.sensitivity(table), snakemake.output)  # noqa: F821
