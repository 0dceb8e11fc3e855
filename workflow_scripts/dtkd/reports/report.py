"""The report: one HTML page about a study that needs no other file and no network, and runs no script.

What it shows is read from what the other stages wrote; what it says about each table and figure, and their order, is
``analysis/contents.yaml``, its look ``templates/report.css``. Here are plain values only: the template escapes all of
them, for names, paths and the config come from outside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import yaml

from dtkd.checks.wording import called
from dtkd.common.files import atomic
from dtkd.reports.data_checks import Checked
from dtkd.reports.decisions import markdown
from dtkd.reports.disagreements import disagreements
from dtkd.reports.page import TEMPLATES, shown_duration
from dtkd.reports.runs import alike, inputs, run_rows, totals
from dtkd.reports.sections import sections
from dtkd.reports.settings import Difference, Values, as_made, data_sets, differences, settings
from dtkd.reports.summary import findings
from dtkd.reports.tables import table
from dtkd.reports.words import by_dataset, joined, read_csv, shown_number, shown_p
from dtkd.training.metrics import NOISE


def page(
    study: Mapping[str, Any], *, tables: Sequence[str], figures: Sequence[str], decisions: str,
    runs: Sequence[Mapping[str, Any]], records: Sequence[str], histories: Sequence[str],
    pictures: str | None = None, examples: str | None = None,
    recorded: Mapping[str, Values] | None = None, others: Mapping[str, Sequence[Difference]] | None = None,
    checks: Sequence[Checked] = (),
) -> str:  # fmt: skip
    """The report as HTML.

    Args:
        study: the resolved config, ``Study.model_dump(mode="json")``.
        tables: CSV files, ``disagreements.csv`` among them; figures: PNG files.
        decisions: the Markdown file of open choices; what it has in further sections is left out.
        runs: per run its ``dataset``, ``list``, ``role``, ``run`` (the folder's name), ``seed`` and, where tables have
            a name for it, ``model``; ``records`` and ``histories`` are their files, in the same order.
        pictures: the JSON of ``disagreements.pictures``; examples: the CSV of ``examples.table``.
        recorded: the settings that results were made with (``recorded_settings.values``).
        others: path -> where these differ from ``study``'s (``recorded_settings.Artefact.differences``).
        checks: what the checks of the data sets have found (`data_checks.of_data_sets`).
    """
    by_name = {Path(path).stem: path for path in tables}
    table5 = read_csv(by_name["table5"]) if "table5" in by_name else []
    differing = read_csv(by_name["disagreements"]) if "disagreements" in by_name else []
    taken = json.loads(Path(pictures).read_text(encoding="utf-8")) if pictures else {}
    rows = run_rows(runs, records, histories)
    config = yaml.safe_dump(dict(study), sort_keys=False, allow_unicode=True, width=100)
    study = as_made(study, recorded or {})
    answer, *rest = sections(study, tables, figures)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"duration": shown_duration, "number": shown_number, "joined": joined, "p": shown_p}
    environment.globals["called"] = called
    return environment.get_template("report.html.j2").render(
        study=study,
        noise=NOISE,
        checks=checks,
        findings=findings(table5, (study.get("analysis") or {}).get("chosen") or {}),
        settings=settings(study, recorded or {}),
        differences=differences(others or {}),
        data_sets=data_sets(study),
        config=config,
        answer=[item for item in answer["items"] if "missing" not in item],
        sections=rest,
        examples=table(examples) if examples else None,
        disagreements=disagreements(differing, taken),
        disagreements_file=table(by_name["disagreements"]) if differing else None,
        decisions=markdown(Path(decisions).read_text(encoding="utf-8").partition("\n## ")[0]),
        runs=rows,
        runs_of=by_dataset(rows),
        totals=totals(rows),
        versions=alike(row["versions"] for row in rows),
        commits=alike(row["git"] for row in rows),
        inputs=inputs(rows),
    )


def write(path: str | Path, text: str) -> None:
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
