"""Index one dataset: its videos, classes, labels and lists, as one table; and inspect every video."""

from dtkd.common.workflow_job import job, note

with job(snakemake, unread={"videos"}):  # noqa: F821
    from functools import partial
    from pathlib import Path

    from tqdm import tqdm

    from dtkd.common.files import atomic
    from dtkd.config import Augment
    from dtkd.data import datasets, features, inspection, unlisted
    from dtkd.data.features import FeatureInfo
    from dtkd.data.video_info import VideoInfo
    from dtkd.training import cropping

    source = datasets.Source(**snakemake.params.source)  # noqa: F821
    folder = Path(snakemake.output[0]).parent  # noqa: F821
    listed = folder / "problems.csv"
    everything = datasets.index(source)
    if snakemake.params.may_part_scenes:  # noqa: F821
        datasets.check_scenes(source.videos, everything["path"])
    if unused := unlisted.passed_over(source):
        note(snakemake, unused)  # noqa: F821
    shown = partial(tqdm, desc=f"inspect {snakemake.wildcards.dataset}", unit="video", mininterval=5)  # noqa: F821
    threads, paths = snakemake.threads, everything["path"]  # noqa: F821
    if source.of_features:
        sound, reasons = features.inspect(source.videos, paths, threads=threads, progress=shown)
    else:
        known = folder / "inspection.parquet"
        sound, reasons = inspection.inspect(source.videos, paths, known=known, threads=threads, progress=shown)
    problems = inspection.problems(everything, reasons)
    with atomic(listed) as path:
        problems.to_csv(path, index=False)
    if snakemake.params.on_bad_video == "fail":  # noqa: F821
        inspection.refuse(source.videos, problems, len(everything), listed)
    usable = inspection.described(everything, sound, FeatureInfo if source.of_features else VideoInfo)
    inspection.check_classes(everything, usable, listed)
    if len(problems):
        note(snakemake, f"goes on without {len(problems)} of {len(everything)} videos, see {listed}")  # noqa: F821
    seen, warning = snakemake.params.views, None  # noqa: F821
    if not source.of_features:
        sizes = usable[["height", "width"]].itertuples(index=False)
        warning = cropping.much_unseen(sizes, Augment(**seen["augment"]), seen["crops"])
    if warning:
        note(snakemake, f"warning: {snakemake.wildcards.dataset}: {warning}")  # noqa: F821
    with atomic(snakemake.output[0]) as path:  # noqa: F821
        usable.to_parquet(path, index=False)
