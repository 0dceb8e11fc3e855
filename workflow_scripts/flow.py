"""Optical flow of one class's videos: a parquet per video, and the class's summary."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from functools import partial
    from pathlib import Path

    import cv2
    from tqdm import tqdm

    from dtkd import flow
    from dtkd.files import atomic

    cv2.setNumThreads(1)
    params = snakemake.params  # noqa: F821
    videos = [
        (name, Path(params.root) / path, Path(params.folder) / f"{name}.parquet") for path, name in params.names.items()
    ]
    table = flow.class_flow(
        videos,
        flow.Settings(**params.settings, weights=snakemake.input.weights or None, device=params.device),  # noqa: F821
        progress=partial(tqdm, desc=f"flow {snakemake.wildcards.cls}", unit="video", mininterval=5),  # noqa: F821
        threads=snakemake.threads,  # noqa: F821
    )
    with atomic(snakemake.output[0]) as path:  # noqa: F821
        table.to_parquet(path, index=False)
