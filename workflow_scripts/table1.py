"""Table 1: statistics of the classes' mean flow."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis import tables
    from dtkd.motion import subsets

    given, params = snakemake.input, snakemake.params  # noqa: F821
    splits = subsets.read_splits(params.datasets, given.splits)
    tables.write(tables.table1(splits), snakemake.output)  # noqa: F821
