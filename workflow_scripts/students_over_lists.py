"""Students over the lists, beside the lists' baselines."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis import tables

    tables.write(tables.students_over_lists(snakemake.params.rows), snakemake.output)  # noqa: F821
