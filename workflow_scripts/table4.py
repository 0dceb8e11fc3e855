"""Table 4: the teachers on their own subsets."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis import tables
    from dtkd.common.files import read_parquet
    from dtkd.motion import subsets

    given, params = snakemake.input, snakemake.params  # noqa: F821
    splits = subsets.read_splits(params.get("splits") or params.datasets, given.splits)
    indexes = {name: read_parquet(path) for name, path in zip(params.datasets, given.indexes, strict=True)}
    tables.write(tables.table4(params.rows, splits, indexes), snakemake.output)  # noqa: F821
