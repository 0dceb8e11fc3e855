"""Train a candidate of a search up to a rung: one that is named, or whoever has a place in the ranking before."""

from dtkd.common.workflow_job import job

# who has a place is decided by the ranking, but what is found of it does not depend on that
with job(snakemake, unread=("ranking",)):  # noqa: F821
    from pathlib import Path

    from dtkd.common.files import write_json
    from dtkd.training import halving

    given, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards  # noqa: F821
    output, until = snakemake.output[0], int(wildcards.epochs)  # noqa: F821
    name = wildcards.get("candidate") or halving.at_place(given.ranking, int(wildcards.place))
    found = halving.NOBODY
    if name is not None:
        settings = params.candidates[name]["settings"]
        inputs = halving.inputs(given.items(), params.candidates[name])
        state, mark = halving.state(Path(output).parents[1], name), halving.fingerprint(settings, inputs)
        found = halving.known(state, mark, until)
        if found is None:
            from dtkd.training import launch
            from dtkd.training.trainer import Plan

            state.parent.mkdir(parents=True, exist_ok=True)
            plan = Plan.of(snakemake, settings=settings, inputs=inputs, outputs={}, state=str(state), until=until)  # noqa: F821
            launch.start(plan)
            found = halving.known(state, mark, until)
    write_json(output, {"candidate": name, **found})
