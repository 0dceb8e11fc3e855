"""How often classes keep their subset where their videos are redrawn, drawn."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    import json
    from pathlib import Path

    from dtkd.analysis.figures import base, stability
    from dtkd.motion import subsets

    given, datasets = snakemake.input, snakemake.params.datasets  # noqa: F821
    files = zip(datasets, given.stability, strict=True)
    kept = {dataset: json.loads(Path(file).read_text(encoding="utf-8")) for dataset, file in files}
    splits = subsets.read_splits(datasets, given.splits)
    base.save(stability.split_stability(splits, kept), snakemake.output)  # noqa: F821
