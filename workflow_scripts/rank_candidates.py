"""Rank a search's candidates after a rung, and forget the states of those that are out."""

from dtkd.common.workflow_job import job, note

with job(snakemake):  # noqa: F821
    import json
    from pathlib import Path

    from dtkd.common.files import write_json
    from dtkd.training import halving

    tried = [json.loads(Path(file).read_text(encoding="utf-8")) for file in snakemake.input]  # noqa: F821
    found = halving.ranking(tried, snakemake.params.after)  # noqa: F821
    for row in found["ranking"]:
        if row["diverged"]:
            note(snakemake, f"{row['candidate']} is out of the search: {row['diverged']}")  # noqa: F821
    write_json(snakemake.output[0], found)  # noqa: F821
    halving.forget(Path(snakemake.output[0]).parents[1], found["on"])  # noqa: F821
