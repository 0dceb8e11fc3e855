"""One self-contained HTML page about the study."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.operations import recorded_settings
    from dtkd.reports import data_checks, report

    given, params = snakemake.input, snakemake.params  # noqa: F821
    found = recorded_settings.artefacts(recorded_settings.Expected(**each) for each in params.expected)
    text = report.page(
        params.study, tables=given.tables, figures=given.figures, decisions=given.decisions, runs=params.runs,
        records=given.records, histories=given.histories, pictures=given.get("pictures") or None,
        examples=given.get("examples") or None, recorded=recorded_settings.values(found),
        others={each.path: each.differences for each in found},
        checks=data_checks.of_data_sets(given.checks, params.checked),
    )  # fmt: skip
    report.write(snakemake.output[0], text)  # noqa: F821
