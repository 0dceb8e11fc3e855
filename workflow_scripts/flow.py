"""Optical flow of one class's videos: a parquet per video, and the class's summary."""

from dtkd.common.workflow_job import job, note

with job(snakemake):  # noqa: F821
    from functools import partial
    from pathlib import Path

    import cv2
    from tqdm import tqdm

    from dtkd.common.errors import DtkdError
    from dtkd.common.files import atomic
    from dtkd.data import inspection
    from dtkd.motion import flow

    cv2.setNumThreads(1)
    params = snakemake.params  # noqa: F821
    names = params.names
    if params.on_bad_video == "skip":
        known = Path(params.folder).parents[1] / "inspection.parquet"  # the index's job goes first where it can
        _, reasons = inspection.inspect(params.root, names, known, threads=snakemake.threads, store=False)  # noqa: F821
        for path, reason in reasons.items():
            note(snakemake, f"goes on without {params.root}/{path}: {reason}")  # noqa: F821
        names = {path: name for path, name in names.items() if path not in reasons}
        if not names:
            raise DtkdError(f"{snakemake.output[0]}: none of the class's videos can be used: fix some, or remove it")  # noqa: F821
    videos = [(name, Path(params.root) / path, Path(params.folder) / f"{name}.parquet") for path, name in names.items()]
    settings = params.settings | params.get("summary", {})
    table = flow.class_flow(
        videos,
        flow.Settings(
            **settings,
            weights=snakemake.input.weights or None,  # noqa: F821
            person_weights=snakemake.input.person_weights or None,  # noqa: F821
            device=params.device,
        ),
        progress=partial(tqdm, desc=f"flow {snakemake.wildcards.cls}", unit="video", mininterval=5),  # noqa: F821
        threads=snakemake.threads,  # noqa: F821
    )
    with atomic(snakemake.output[0]) as path:  # noqa: F821
        table.to_parquet(path, index=False)
