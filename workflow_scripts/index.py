"""Index one dataset: its videos, classes, labels and lists, as one table."""

from dtkd.job import job

with job(snakemake, unread={"videos"}):  # noqa: F821
    from dtkd import datasets
    from dtkd.files import atomic

    table = datasets.index(datasets.Source(**snakemake.params.source))  # noqa: F821
    with atomic(snakemake.output[0]) as path:  # noqa: F821
        table.to_parquet(path, index=False)
