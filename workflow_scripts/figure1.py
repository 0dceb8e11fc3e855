"""Figure 1: histogram of the classes' mean flow."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    import json
    from pathlib import Path

    from dtkd import figures

    splits = {
        name: json.loads(Path(path).read_text(encoding="utf-8"))
        for name, path in zip(snakemake.params.datasets, snakemake.input.splits, strict=True)  # noqa: F821
    }
    figures.save(figures.figure1(splits), snakemake.output)  # noqa: F821
