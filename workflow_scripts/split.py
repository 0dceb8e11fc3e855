"""Divide a dataset's classes into static and dynamic (Eq. 1)."""

from dtkd.common.workflow_job import job, note

with job(snakemake):  # noqa: F821
    from pathlib import Path

    from dtkd.common.files import read_parquet, write_json
    from dtkd.data.datasets import class_names
    from dtkd.data.groups import SUBSETS
    from dtkd.motion import subsets

    settings = snakemake.params.settings  # noqa: F821
    index = read_parquet(snakemake.input.index)  # noqa: F821
    means = None
    if snakemake.input.flow:  # noqa: F821
        flows = {Path(path).stem: read_parquet(path) for path in snakemake.input.flow}  # noqa: F821
        if settings["over"] == "train":
            flows = subsets.train_flows(flows, index, "list1")
        means = subsets.class_means(flows, measure=settings["measure"])
    dataset = snakemake.wildcards.dataset  # noqa: F821
    split = subsets.of_settings(settings, dataset, class_names(index), means)
    for subset in SUBSETS:
        own = [name for name, entry in split["classes"].items() if entry["subset"] == subset]
        if len(own) == 1:
            note(snakemake, f"warning: {dataset}: {own[0]} is the only {subset} class: its teacher knows one answer, "  # noqa: F821
                            "and has nothing to tell a student; change split, or add classes")  # fmt: skip
    if means is not None and settings["source"] == "flow" and means.attrs["unit"] == "frame":
        for warning in subsets.differing_rates(index):
            note(snakemake, f"warning: {dataset}: {warning}")  # noqa: F821
    write_json(snakemake.output[0], split)  # noqa: F821
