"""Check whether static and dynamic classes differ in motion by more than the choice of their videos does."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from pathlib import Path

    from dtkd.checks import findings, registry
    from dtkd.checks.card import Card, Settings
    from dtkd.common.files import read_parquet
    from dtkd.data import inspection

    name, settings = snakemake.wildcards.dataset, snakemake.params.settings  # noqa: F821
    folder = Path(snakemake.output[0]).parent  # noqa: F821
    problems = inspection.read_problems(folder / "problems.csv")
    card = Card(name, Settings.of(settings), read_parquet(snakemake.input.index), problems, folder)  # noqa: F821
    found, _ = registry.run(card, registry.needing(registry.FLOW))
    findings.write(snakemake.output[0], name, settings, found)  # noqa: F821
