"""Table 2: classes and videos of each list and subset."""

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
    tables.write(tables.table2(indexes, splits), snakemake.output)  # noqa: F821
