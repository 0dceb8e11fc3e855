"""Divide a dataset's classes into groups: static and dynamic (Eq. 1), or those that the config makes or lists."""

from dtkd.common.workflow_job import job, note

with job(snakemake):  # noqa: F821
    from dtkd.common.files import read_parquet, write_json
    from dtkd.data.datasets import class_names
    from dtkd.data.groups import group_names, members
    from dtkd.motion import subsets

    settings = snakemake.params.settings  # noqa: F821
    index = read_parquet(snakemake.input.index)  # noqa: F821
    means = None
    if "measure" in settings:
        flows = subsets.read_flows(snakemake.input.flow, index, settings)  # noqa: F821
        means = subsets.class_means(subsets.counted(flows, settings), measure=settings["measure"])
        if "on_no_person" in settings:
            for name, lacking in sorted(subsets.without_person(flows).items()):
                note(snakemake, f"warning: the mean of {name} is without {len(lacking)} of its {len(flows[name])} "  # noqa: F821
                                f"videos, in which no person was found: {', '.join(lacking)}")  # fmt: skip
    dataset = snakemake.wildcards.dataset  # noqa: F821
    split = subsets.of_settings(settings, dataset, class_names(index), means)
    for subset in group_names(split):
        own = members(split, subset)
        if len(own) == 1:
            note(snakemake, f"warning: {dataset}: {own[0]} is the only {subset} class: its teacher knows one answer, "  # noqa: F821
                            "and has nothing to tell a student; change split, or add classes")  # fmt: skip
    if means is not None and settings["source"] == "flow" and means.attrs["unit"] == "frame":
        for warning in subsets.differing_rates(index):
            note(snakemake, f"warning: {dataset}: {warning}")  # noqa: F821
    write_json(snakemake.output[0], split)  # noqa: F821
