"""Table 3's baselines over the lists."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import tables

    tables.write(tables.crossvalidation(snakemake.params.rows), snakemake.output)  # noqa: F821
