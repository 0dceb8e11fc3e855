"""The test videos that exactly one of the chosen student and its baseline gets right, with pictures of the surest."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    import json
    from pathlib import Path

    import cv2
    import pandas as pd

    from dtkd.analysis import disagreements
    from dtkd.common.files import atomic, read_parquet, write_json
    from dtkd.config import Augment
    from dtkd.data.datasets import class_names
    from dtkd.training.metrics import Predictions

    cv2.setNumThreads(1)
    given, params, output = snakemake.input, snakemake.params, snakemake.output  # noqa: F821
    tables = [pd.DataFrame(columns=disagreements.COLUMNS)]
    for dataset, split, index in zip(params.datasets, given.splits, given.indexes, strict=True):
        if dataset not in params.shown:  # it has no students
            continue
        shown, classes = params.shown[dataset], class_names(read_parquet(index))
        subsets = json.loads(Path(split).read_text(encoding="utf-8"))["classes"]
        names = {role: shown[role][0] for role in ("student", "baseline")}
        # of several seeds the first: one pair of models, not an average that nobody trained
        models = {role: Predictions.read(shown[role][1][0]) for role in names}
        table = disagreements.disagreements(**models, classes=classes)
        subset = [subsets[name]["subset"] for name in table["class"]]
        tables.append(table.assign(dataset=dataset, list=shown["list"], subset=subset, **names))
    table = pd.concat(tables[1:] or tables)[disagreements.COLUMNS]
    with atomic(output.csv) as path:
        table.to_csv(path, index=False, float_format="%.4f")
    pictures = {}  # of features there is nothing to look at
    if params.augment:
        pictures = disagreements.pictures(table, params.roots, Augment(**params.augment), params.crops)
    write_json(output.pictures, pictures)
