"""Table 4: the teachers on their own subsets."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    import json
    from pathlib import Path

    from dtkd import tables
    from dtkd.files import read_parquet

    given, params = snakemake.input, snakemake.params  # noqa: F821
    splits = {
        name: json.loads(Path(path).read_text(encoding="utf-8"))
        for name, path in zip(params.datasets, given.splits, strict=True)
    }
    indexes = {name: read_parquet(path) for name, path in zip(params.datasets, given.indexes, strict=True)}
    tables.write(tables.table4(params.rows, splits, indexes), snakemake.output)  # noqa: F821
