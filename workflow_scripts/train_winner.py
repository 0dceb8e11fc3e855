"""Train the student whose settings a search has found: from where it has left that, or of another seed in full."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    import json
    from pathlib import Path

    from dtkd.training import halving, launch
    from dtkd.training.trainer import Plan

    given, params = snakemake.input, snakemake.params  # noqa: F821
    winner = json.loads(Path(given.ranking).read_text(encoding="utf-8"))["on"][0]
    plan = Plan.of(
        snakemake,  # noqa: F821
        settings=params.candidates[winner]["settings"],
        inputs=halving.inputs(given.items(), params.candidates[winner]),
        outputs={name: str(path) for name, path in snakemake.output.items()},  # noqa: F821
        state=str(halving.state(params.search, winner)) if params.search else None,
        search={"winner": winner, "settings": params.settings, "ranking": str(given.ranking)},
    )
    launch.start(plan)
