"""Optical flow of one video."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import flow

    flow.write_video_flow(snakemake.input.video, snakemake.output[0], flow.Settings(**snakemake.params.settings))  # noqa: F821
