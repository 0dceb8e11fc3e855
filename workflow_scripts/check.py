"""Check one data set before anything trains on it."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from functools import partial
    from pathlib import Path

    import cv2
    from tqdm import tqdm

    from dtkd.checks.card import Card, Settings
    from dtkd.common.files import read_parquet
    from dtkd.data import inspection
    from dtkd.reports import check_page

    cv2.setNumThreads(1)
    name, index = snakemake.wildcards.dataset, read_parquet(snakemake.input.index)  # noqa: F821
    folder = Path(snakemake.output.page).parent  # noqa: F821
    card = Card(
        name,
        Settings.of(snakemake.params.settings),  # noqa: F821
        index,
        inspection.read_problems(folder / "problems.csv"),
        folder,
        snakemake.threads,  # noqa: F821
        lambda what: partial(tqdm, desc=f"{what} of {name}", unit="video", mininterval=5),
        flow=False,
    )
    again = [f"snakemake --cores {snakemake.threads} {folder}/split.json", f"python -m dtkd.check {name}"]  # noqa: F821
    check_page.write(card, again)
