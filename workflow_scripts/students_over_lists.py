"""Students over the lists, beside the lists' baselines."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import tables

    tables.write(tables.students_over_lists(snakemake.params.rows), snakemake.output)  # noqa: F821
