"""Readings of the paper side by side."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis import tables

    tables.write(tables.readings(snakemake.params.rows), snakemake.output)  # noqa: F821
