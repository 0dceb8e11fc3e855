"""Sample frames of static and dynamic classes with their optical flow."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    import json
    from pathlib import Path

    import cv2

    from dtkd.analysis.figures import base, examples
    from dtkd.common.files import atomic, read_parquet
    from dtkd.config import Augment
    from dtkd.motion.flow import Settings

    cv2.setNumThreads(1)
    given, params, output = snakemake.input, snakemake.params, snakemake.output  # noqa: F821
    chosen = params.settings | {"algorithm": params.settings["algorithm"].removesuffix("_cuda")}  # there may be no GPU
    weights = {"weights": given.weights or None, "person_weights": given.person_weights or None}
    settings, shown = Settings(**chosen, **weights, device=params.device), {}
    augment = Augment(**params.augment)
    for (dataset, root), split, index in zip(params.roots.items(), given.splits, given.indexes, strict=True):
        flow = Path(index).with_name("flow")
        split = json.loads(Path(split).read_text(encoding="utf-8"))
        found = examples.examples(split, read_parquet(index), root, flow, settings, augment, params.crops)
        shown[dataset] = list(found)
    base.save(examples.draw(shown), output)
    with atomic(output.csv) as path:
        examples.table(shown).to_csv(path, index=False, float_format="%.3f")
