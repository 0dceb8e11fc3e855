"""Table 3: the baselines."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis import tables

    tables.write(tables.table3(snakemake.params.rows), snakemake.output)  # noqa: F821
