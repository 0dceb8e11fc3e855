"""Optical flow of one video."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    import cv2

    from dtkd.motion import flow

    cv2.setNumThreads(1)
    given, params = snakemake.input, snakemake.params  # noqa: F821
    weights = {"weights": given.weights or None, "person_weights": given.person_weights or None}
    settings = flow.Settings(**params.settings, **weights, device=params.device)
    flow.write_video_flow(given.video, snakemake.output[0], settings)  # noqa: F821
