"""Table 1: statistics of the classes' mean flow."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    import json
    from pathlib import Path

    from dtkd import tables

    given, params = snakemake.input, snakemake.params  # noqa: F821
    splits = {
        name: json.loads(Path(path).read_text(encoding="utf-8"))
        for name, path in zip(params.datasets, given.splits, strict=True)
    }
    tables.write(tables.table1(splits), snakemake.output)  # noqa: F821
