"""Table 3: the baselines."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import tables

    tables.write(tables.table3(snakemake.params.rows), snakemake.output)  # noqa: F821
