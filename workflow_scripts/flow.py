"""Optical flow of one class's videos: a parquet per video, and the class's summary."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from pathlib import Path

    from tqdm import tqdm

    from dtkd import flow
    from dtkd.files import atomic

    params = snakemake.params  # noqa: F821
    videos = [
        (name, Path(params.root) / path, Path(params.folder) / f"{name}.parquet") for path, name in params.names.items()
    ]
    table = flow.class_flow(
        videos,
        flow.Settings(**params.settings),
        progress=lambda items, **kind: tqdm(items, desc=f"flow {snakemake.wildcards.cls}", unit="video", mininterval=5, **kind),  # noqa: F821
        processes=snakemake.threads,  # noqa: F821
    )
    with atomic(snakemake.output[0]) as path:  # noqa: F821
        table.to_parquet(path, index=False)
