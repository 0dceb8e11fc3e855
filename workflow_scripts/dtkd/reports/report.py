"""The report: one HTML page about a study that needs no other file and no network, and runs no script.

What it shows is read from what the other stages wrote; what it says about each table and figure, and their order, is
``templates/contents.yaml``, its look ``templates/report.css``. Here are plain values only: the template escapes all of
them, for names, paths and the config come from outside.
"""

from __future__ import annotations

import base64
import csv
import json
import re
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
import yaml

from dtkd.checks.wording import called
from dtkd.common.files import atomic, read_parquet
from dtkd.data.groups import SUBSETS
from dtkd.reports.data_checks import Checked
from dtkd.reports.page import TEMPLATES, shown_duration
from dtkd.training.metrics import NOISE

Values = Sequence[tuple[Any, int]]  # of a setting, and how many artefacts were made with each
Difference = tuple[str, Any, Any]  # a setting, its recorded and its configured value (`recorded_settings.Difference`)
NESTED = ("train",)  # a section's keys that are sections: `pretrain.train`


# Words and numbers


def shown_number(text: str) -> str:
    """A number of a table as a reader sees it: with a minus sign that is one."""
    return f"−{text[1:]}" if re.fullmatch(r"-[\d.]+(e-?\d+)?", text) else text


def shown_p(value: float) -> str:
    """A p value.

    >>> shown_p(0.0347), shown_p(1e-9)
    ('0.035', '< 0.001')
    """
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def joined(words: Iterable[str]) -> str:
    """Words as a sentence lists them.

    >>> joined(["a"]), joined(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *some, last = words
    return f"{', '.join(some)} and {last}" if some else last


def data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


# Tables

LABELS = {
    "S_alpha": "S_α", "KD_T": "KD_T", "KD_alpha": "KD_α", "top1": "top-1 (%)", "top5": "top-5 (%)",
    "top1_last": "top-1, last epoch", "top5_last": "top-5, last epoch", "gain_low": "95 % interval",
    "p_holm": "p (Holm)", "q1": "Q1", "std": "STD", "iqr": "IQR", "params": "parameters (M)", "gflops": "GFLOPs",
    "params_published": "parameters, 400 classes (M)", "trainable": "trainable (M)",
    "baseline_top1": "baseline, top-1 (%)", "teacher_top1": "teacher, top-1 (%)",
}  # fmt: skip
PREFIXES = {"paper_": "the paper", "diff_": "minus the paper"}
SUMMED = ("test_videos", "chance", "smallest_gain")  # of a list, not of a row: the summary says them
NAMES = {"model", "models", "class", "video"}  # whose texts are shown as they are, be it "True" or "-1"
WORDS = {"True": "yes", "False": "no", "true": "yes", "false": "no"}


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    over: str  # the heading above it: whose numbers these are
    numeric: bool


@dataclass(frozen=True)
class Cell:
    text: str
    spread: str = ""  # a standard deviation
    best: bool = False


def label_of(key: str) -> str:
    if teacher := re.fullmatch("kl_(.+)_teacher", key):
        return f"KL, {teacher[1]} teacher"
    return LABELS.get(key, key.replace("_", " "))


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_csv(path: str | Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def columns_of(rows: Sequence[Mapping[str, str]]) -> list[Column]:
    """The columns that a reader sees: those with values, without deviations, which stand beside their means."""
    keys = [key for key in (rows[0] if rows else []) if any(row[key] for row in rows)]
    parts = {"dataset", *SUMMED, *(f"{key}_std" for key in keys), *(f"{key}_high" for key in keys)}
    columns = []
    for key in (key for key in keys if key not in parts):
        prefix, over = next(((prefix, over) for prefix, over in PREFIXES.items() if key.startswith(prefix)), ("", ""))
        numeric = key not in NAMES and all(is_number(row[key]) for row in rows if row[key])
        columns.append(Column(key, label_of(key.removeprefix(prefix)), over, numeric))
    return columns


def cell_of(row: Mapping[str, str], column: Column, best: bool) -> Cell:
    """A value as the reader sees it: with its deviation, or as an interval with its other end."""
    text, end = row[column.key], row.get(column.key.replace("_low", "_high"), "")
    if not text or column.key in NAMES:
        return Cell(text)
    if column.key.endswith("_low") and end:
        return Cell(f"{shown_number(text)} to {shown_number(end)}")
    if column.key in ("p", "p_holm") and is_number(text):
        return Cell(shown_p(float(text)))
    return Cell(WORDS.get(text, shown_number(text)), row.get(f"{column.key}_std", ""), best)


def families(rows: Sequence[Mapping[str, str]]) -> list[list[int]]:
    """The numbers of the rows that compare: those of one data set and list.

    Where rows have a method, each baseline is the first of a list's.
    """
    found, lists = defaultdict(list), 0
    for number, row in enumerate(rows):
        lists += row.get("method") == "baseline"
        found[row.get("dataset"), row.get("list"), lists].append(number)
    return list(found.values())


def best_rows(rows: Sequence[Mapping[str, str]], key: str) -> set[int]:
    """The rows with the highest value of ``key`` in each family of several."""
    best = set()
    for family in families(rows):
        values = {number: float(rows[number][key]) for number in family if is_number(rows[number].get(key, ""))}
        if len(values) > 1:
            best |= {number for number, value in values.items() if value == max(values.values())}
    return best


def table(path: str | Path, marked: Sequence[str] = ()) -> dict[str, Any]:
    """A CSV file as the template shows it: columns, the rows of each data set, the file itself as a link.

    ``marked`` are columns whose best values are set off.
    """
    rows = read_csv(path)
    columns = columns_of(rows)
    best = {key: best_rows(rows, key) for key in marked}
    cells = [
        (row.get("dataset", ""), [cell_of(row, column, number in best.get(column.key, ())) for column in columns])
        for number, row in enumerate(rows)
    ]
    return {
        "columns": columns,
        "overs": [(over, len(list(some))) for over, some in groupby(columns, key=lambda column: column.over)],
        "groups": [(name, [row for _, row in some]) for name, some in groupby(cells, key=lambda row: row[0])],
        "file": Path(path).name,
        "link": data_uri("text/csv;charset=utf-8", Path(path).read_bytes()),
    }


def figure(path: str | Path) -> dict[str, Any]:
    """A PNG of 200 dots an inch as the template shows it: its letters are about as high as the page's small ones."""
    content = Path(path).read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    size = {"width": round(width / 1.5), "height": round(height / 1.5)}
    return {"link": data_uri("image/png", content), "file": Path(path).name} | size


# The sections, each with its tables and figures


def sections(study: Mapping[str, Any], tables: Sequence[str], figures: Sequence[str]) -> list[dict[str, Any]]:
    """The sections of ``contents.yaml`` with what there is for them, and a sentence for what there is not."""
    given = [("table", path) for path in tables] + [("figure", path) for path in figures]
    files = {(kind, Path(path).stem): path for kind, path in given}
    files.pop(("table", "disagreements"), None)  # has a section of its own
    contents = yaml.safe_load((TEMPLATES / "contents.yaml").read_text(encoding="utf-8"))
    other = not _groups(tables) <= set(SUBSETS)
    found = []
    for section in (_worded(section, other) for section in contents):
        items = [_item(study, _worded(entry, other), files) for entry in section["items"]
                 if not entry.get("optional") or (_kind(entry), entry[_kind(entry)]) in files]  # fmt: skip
        text = section.get("by_source", {}).get(study["split"]["source"], section["text"])
        found.append(section | {"items": items, "text": text})
    titled = [(kind, name, name.replace("_", " ")) for kind, name in files]
    rest = [{kind: name, "title": title, "caption": title, "alt": f"Figure {title}"} for kind, name, title in titled]
    if rest:
        items = [_item(study, entry, files) for entry in rest]
        found.append({"id": "further", "title": "Further tables and figures", "text": "", "items": items})
    return found


def _groups(tables: Sequence[str]) -> set[str]:
    """The groups of classes that Table 2 counts."""
    rows = [row for path in tables if Path(path).stem == "table2" for row in read_csv(path)]
    return {row["subset"] for row in rows} - {"overall"}


def _worded(entry: Mapping[str, Any], other_groups: bool) -> dict[str, Any]:
    """A section or an item with its words for other groups than the paper's, where there are such."""
    return {**entry, **entry.get("other_groups", {})} if other_groups else dict(entry)


def _kind(entry: Mapping[str, Any]) -> str:
    return "table" if "table" in entry else "figure"


def _item(study: Mapping[str, Any], entry: Mapping[str, Any], files: dict[tuple[str, str], str]) -> dict[str, Any]:
    kind = _kind(entry)
    path = files.pop((kind, entry[kind]), None)
    item = {"id": f"{kind}-{entry[kind]}", "kind": kind, **{key: entry[key] for key in ("title", "caption")}}
    if path is None:
        return item | {"missing": _why_missing(study, entry.get("needs"))}
    if kind == "figure":
        return item | {"alt": entry["alt"].format(datasets=joined(study["use"])), "content": figure(path)}
    content = table(path, entry.get("best", ()))
    return item | ({"content": content} if content["groups"] else {"missing": _why_missing(study, entry.get("needs"))})


def _why_missing(study: Mapping[str, Any], needs: str | None) -> str:
    if needs == "lists":
        return "No baseline of this study has a second list."
    if needs == "students" and not has_students(study):
        return "This study has no students to show here."
    return "This study has no data for it."


def has_students(study: Mapping[str, Any]) -> bool:
    return any(row for dataset in study["use"] for row in (study["students"].get(dataset) or {}).values())


# The summary


@dataclass(frozen=True)
class Finding:
    """The best student of a data set's list beside its baseline; numbers in per cent and points of top-1."""

    dataset: str
    baseline: str
    baseline_top1: float
    students: int
    student: str | None = None
    top1: float | None = None
    gain: float | None = None
    low: float | None = None  # the 95 % interval of the gain
    high: float | None = None
    p: float | None = None
    corrected: float | None = None  # p, adjusted for the number of students
    chosen: str | None = None  # the student that the figures look at, where it is another
    chosen_gain: float | None = None
    test_videos: float | None = None
    chance: float | None = None
    smallest_gain: float | None = None  # that so many test videos are likely to show

    @property
    def verdict(self) -> str:
        """What the gain is worth: better, flattered (better before the correction only), noise, none, or unknown."""
        if self.gain is None or self.gain <= 0:
            return "none"
        if self.p is None:
            return "unknown"
        if self.p >= NOISE:
            return "noise"
        return "flattered" if self.corrected is not None and self.corrected >= NOISE else "better"

    def place(self, value: float) -> float:
        """Where a gain is on a scale from 0 to 100 that is the same on both sides of no gain."""
        reach = max(1.0, *(abs(end) for end in (self.gain, self.low, self.high) if end is not None)) * 1.1
        return round(50 + 50 * value / reach, 2)


def findings(rows: Sequence[Mapping[str, str]], chosen: Mapping[str, str]) -> list[Finding]:
    """What Table 5 found for each list of a data set; ``chosen`` are the students that the figures look at."""
    return [
        _finding(rows[family[0]], [rows[number] for number in family[1:]], chosen.get(rows[family[0]]["dataset"]))
        for family in families(rows)
        if rows[family[0]]["method"] == "baseline"
    ]


def number(row: Mapping[str, str], key: str) -> float | None:
    return float(row[key]) if is_number(row.get(key, "")) else None


def _finding(baseline: Mapping[str, str], students: Sequence[Mapping[str, str]], chosen: str | None) -> Finding:
    plain = {"dataset": baseline["dataset"], "baseline": baseline["model"], "baseline_top1": number(baseline, "top1")}
    plain |= {key: number(baseline, key) for key in SUMMED}
    students = [row for row in students if number(row, "top1") is not None]
    if not students:
        return Finding(**plain, students=0)
    best = max(students, key=lambda row: number(row, "top1"))
    other = next((row for row in students if row["model"] == chosen != best["model"]), None)
    return Finding(
        **plain, students=len(students), student=best["model"], top1=number(best, "top1"), gain=number(best, "gain"),
        low=number(best, "gain_low"), high=number(best, "gain_high"), p=number(best, "p"),
        corrected=number(best, "p_holm"), chosen=other and other["model"], chosen_gain=other and number(other, "gain"),
    )  # fmt: skip


# The settings


def settings(study: Mapping[str, Any], recorded: Mapping[str, Values]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The sections of the resolved config that hold settings, as (section, [(key, value)]).

    What results were made with stands here as their records have it, not as the config has it now: where they differ
    among each other, every value with the number of artefacts that were made with it.
    """
    left_out = {"datasets", "baselines", "students"}
    plain = [
        (key, _plain(value)) for key, value in study.items() if key not in left_out and not isinstance(value, dict)
    ]
    parts = [("study", [(key, value) for key, value in plain if value])]
    for name, section in study.items():
        if isinstance(section, dict) and name not in left_out and section:
            flat = [
                (f"{key}.{part}", each) if part else (key, each)
                for key, value in section.items()
                for part, each in (value.items() if key in NESTED else [("", value)])
            ]
            parts.append((name, [(key, _recorded(recorded.get(f"{name}.{key}"), value)) for key, value in flat]))
    return parts


def _recorded(values: Values | None, configured: Any) -> str:
    if not values:
        return _plain(configured)
    if len(values) == 1:
        return _plain(values[0][0])
    return "; ".join(f"{_plain(value)} ({count} ×)" for value, count in values)


def as_made(study: Mapping[str, Any], recorded: Mapping[str, Values]) -> dict[str, Any]:
    """The resolved config with the values that results were made with; of several, what most were made with."""
    made = {name: dict(section) if isinstance(section, dict) else section for name, section in study.items()}
    for name, values in recorded.items():
        section, _, key = name.partition(".")
        if isinstance(made.get(section), dict) and key in made[section]:
            made[section][key] = values[0][0]
    return made


def differences(found: Mapping[str, Sequence[Difference]]) -> list[dict[str, Any]]:
    """What was made with another setting than the config has now, by the setting and both its values."""
    alike = defaultdict(list)
    for path, some in found.items():
        for setting, recorded, configured in some:
            alike[setting, _plain(recorded), _plain(configured)].append(path)
    return [
        {"setting": setting, "recorded": recorded, "configured": configured, "paths": paths}
        for (setting, recorded, configured), paths in alike.items()
    ]


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_plain(part)}" for key, part in value.items()) or "–"
    return ", ".join(map(_plain, value)) if isinstance(value, list) else str(value)


def data_sets(study: Mapping[str, Any]) -> list[dict[str, str]]:
    """The data sets that the study uses: what for, and where their videos are."""
    used = {name: "tables and figures" for name in study["use"]}
    if study.get("pretrain") and study["model"]["weights"] == "pretrain":
        used.setdefault(study["pretrain"]["dataset"], "pretraining")
    rows = []
    for name, purpose in used.items():
        own = study["datasets"][name]
        source = "rendered by the project" if own.get("render") else own.get("annotations") or "drawn from the folders"
        rows.append({"name": name, "purpose": purpose, "format": own["format"], "videos": own["videos"],
                     "lists": source, "number": str(own["lists"])})  # fmt: skip
    return rows


# Student against baseline, video by video


def disagreements(rows: Sequence[Mapping[str, str]], pictures: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """Per data set how many videos exactly one of the two got right, and of each side those that have a picture."""
    found = []
    for dataset, some in by_dataset(rows):
        sides = []
        for winner, loser in (("student", "baseline"), ("baseline", "student")):
            won = [row for row in some if row["right"] == winner]
            shown = [row | {"picture": pictures.get(dataset, {}).get(row["video"])} for row in won]
            shown = [_confident(row) for row in shown if row["picture"]]
            sides.append({"winner": winner, "loser": loser, "number": len(won), "rows": shown})
        found.append({"dataset": dataset, "list": some[0]["list"], "student": some[0]["student"],
                      "baseline": some[0]["baseline"], "sides": sides})  # fmt: skip
    return found


def _confident(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with confidences in per cent; of a model that diverged there is none."""
    per_cent = {
        key: f"{100 * float(row[key]):.0f} %" if is_number(row[key]) else "–"
        for key in ("student_confidence", "baseline_confidence")
    }
    return dict(row) | per_cent


# Decisions: a Markdown file of headings, paragraphs and tables

SPAN = re.compile(r"`([^`]+)`|\*\*(.+?)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\([^)]+\)")


def spans(text: str) -> list[tuple[str, str]]:
    """Markdown's text as (kind, text) pairs, kind being "", code, strong or em; of a link, its text.

    >>> spans("use `last`, *not* best")
    [('', 'use '), ('code', 'last'), ('', ', '), ('em', 'not'), ('', ' best')]
    """
    found, at = [], 0
    for match in SPAN.finditer(text):
        found += [("", text[at : match.start()])] if match.start() > at else []
        kind = ("code", "strong", "em", "")[match.lastindex - 1]
        found.append((kind, match[match.lastindex]))
        at = match.end()
    return [*found, ("", text[at:])] if at < len(text) else found


def markdown(text: str) -> list[dict[str, Any]]:
    """The blocks of a plain Markdown text: paragraphs, and tables with their head and rows. Headings are left out."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if len(lines) > 1 and re.fullmatch(r"[|\s:-]+", lines[1]):
            head, _, *rows = ([spans(cell.strip().replace(r"\|", "|")) for cell in _cells(line)] for line in lines)
            blocks.append({"kind": "table", "head": head, "rows": rows})
        elif lines:
            blocks.append({"kind": "paragraph", "spans": spans(" ".join(lines))})
    return blocks


def _cells(line: str) -> list[str]:
    return re.split(r"(?<!\\)\|", line.strip().strip("|"))


# What made each result


def run_rows(
    runs: Sequence[Mapping[str, Any]], records: Sequence[str], histories: Sequence[str]
) -> list[dict[str, Any]]:
    """Per run what it was, how long it took, and what its record says of device and code."""
    rows = []
    for run, record, history in zip(runs, records, histories, strict=True):
        record = json.loads(Path(record).read_text(encoding="utf-8"))
        epochs = read_parquet(history)
        seconds = {
            name: float(epochs[f"{name}_seconds"].sum()) if f"{name}_seconds" in epochs else 0.0
            for name in ("train", "wait", "test")
        }
        last = record["settings"].get("train", {}).get("selection") == "last"
        selected = epochs.iloc[-1] if last else epochs.loc[epochs["top1"].idxmax()]
        rows.append({
            **{key: run[key] for key in ("dataset", "list", "role", "run", "seed")}, "model": run.get("model") or "",
            "epochs": len(epochs), "selected": int(selected["epoch"]), "top1": f"{selected['top1']:.2f}",
            **seconds, "total": seconds["train"] + seconds["test"], "device": record["device"],
            "git": record["git"] or {}, "versions": record["versions"], "inputs": record["inputs"],
        })  # fmt: skip
    return rows


def by_dataset(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """The rows of each data set, in the order of their appearance."""
    names = dict.fromkeys(row["dataset"] for row in rows)
    return [(name, [row for row in rows if row["dataset"] == name]) for name in names]


def totals(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The runs of each role and of all together: how many, and their seconds."""
    roles = list(dict.fromkeys(row["role"] for row in rows))
    parts = [(role, [row for row in rows if row["role"] == role]) for role in roles]
    return [
        {
            "role": role,
            "runs": len(some),
            **{key: sum(row[key] for row in some) for key in ("train", "wait", "test", "total")},
        }
        for role, some in [*parts, ("all", rows)]
    ]


def alike(values: Iterable[Any]) -> list[tuple[Any, int]]:
    """Different values in the order of their appearance, and how often each is there."""
    counted: dict[str, list] = {}
    for value in values:
        counted.setdefault(json.dumps(value, sort_keys=True), [value, 0])[1] += 1
    return [(value, count) for value, count in counted.values()]


def inputs(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every file that runs read, with its hash and the number of runs; ``changed`` if runs read different contents."""
    counted = alike((file["path"], file["sha256"]) for row in rows for file in row["inputs"].values())
    hashes = defaultdict(set)
    for (path, sha256), _ in counted:
        hashes[path].add(sha256)
    return [
        {"path": path, "sha256": sha256, "runs": count, "changed": len(hashes[path]) > 1}
        for (path, sha256), count in sorted(counted)
    ]


# The page


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
