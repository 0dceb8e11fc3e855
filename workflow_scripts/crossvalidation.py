"""Table 3's baselines over the lists."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis import tables

    tables.write(tables.crossvalidation(snakemake.params.rows), snakemake.output)  # noqa: F821
