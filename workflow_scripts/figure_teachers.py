"""The teachers beside the baseline on their own subsets, drawn."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import figures, figures_accuracy

    table = figures.read_table(snakemake.input.table)  # noqa: F821
    figures.save(figures_accuracy.teachers(table), snakemake.output)  # noqa: F821
