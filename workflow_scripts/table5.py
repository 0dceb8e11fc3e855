"""Table 5: the students beside the baseline."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis import tables

    tables.write(tables.table5(snakemake.params.rows), snakemake.output)  # noqa: F821
