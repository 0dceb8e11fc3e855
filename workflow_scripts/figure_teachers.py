"""The teachers beside the baseline on their own subsets, drawn."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis.figures import accuracy, base

    table = base.read_table(snakemake.input.table)  # noqa: F821
    base.save(accuracy.teachers(table), snakemake.output)  # noqa: F821
