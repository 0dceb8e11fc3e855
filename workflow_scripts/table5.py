"""Table 5: the students beside the baseline."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import tables

    tables.write(tables.table5(snakemake.params.rows), snakemake.output)  # noqa: F821
