"""The report: one file, nothing loaded, everything escaped and named, and a sentence where a study has less to show."""

import csv
import doctest
import json
import re
import shutil
import struct
import subprocess
import zlib
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
import yaml

from dtkd.analysis import contents, disagreements
from dtkd.checks import findings
from dtkd.checks.findings import Finding
from dtkd.config import Split, read
from dtkd.operations.recorded_settings import Difference
from dtkd.reports import data_checks, decisions, report, settings, summary, tables, words
from dtkd.reports.runs import alike, inputs, run_rows, totals

PROJECT = Path(__file__).parents[2]
EVIL = "<script>alert(1)</script>"
FIGURES = ("figure1", "gains", "teachers", "examples", "unheard_of")
VOID = {"meta", "link", "img", "br", "hr", "line"}
TABLE5 = """dataset,model,method,LT,FT,S_alpha,KD_T,KD_alpha,top1,top5,gain,gain_low,gain_high,p,p_holm
demo_ucf,U1,baseline,,,,,,40.00,80.00,,,,,
demo_ucf,SU1,dtkd,True,True,0.3,2,0.2,45.00,79.00,+5.00,-2.00,+12.00,0.3,0.6
demo_ucf,SU2,bskd,True,False,,2,0.4,38.00,90.00,-2.00,-9.00,+5.00,0.7,0.7
demo_hmdb,H1,baseline,,,,,,30.00,60.00,,,,,
demo_hmdb,SH1,dtkd,True,True,0.3,2,0.2,50.00,85.00,+20.00,+9.00,+31.00,0.0002,0.0004
demo_hmdb,SH2,dtkd,True,True,0.3,2,0.2,50.00,84.00,+20.00,+9.00,+31.00,0.0002,0.0004
"""
DIFFERING = f"""{",".join(disagreements.COLUMNS)}
demo_ucf,1,student,{EVIL}/a.avi,{EVIL},static,SU1,{EVIL},0.9000,U1,Typing,0.8000
demo_ucf,1,student,b/b.avi,b,dynamic,SU1,b,0.7000,U1,Typing,0.6000
demo_ucf,1,baseline,c/c.avi,c,dynamic,SU1,,,U1,c,0.5000
"""
PICTURES = {"demo_ucf": {f"{EVIL}/a.avi": "AAAA", "c/c.avi": "BBBB"}}


def png(path, width=30, height=20):
    """A white PNG."""
    chunk = lambda kind, data: (  # noqa: E731
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    )
    rows = zlib.compress((b"\x00" + b"\xff" * width) * height)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    return str(path)


def one_run(folder, name, **changes):
    """The record and history of a run; both paths."""
    folder = folder / name
    folder.mkdir(parents=True)
    record = {
        "settings": {"train": {"selection": "best"}}, "device": "cpu", "versions": {"python": "3.11.7", "torch": "2.0"},
        "inputs": {"index": {"path": f"results/{EVIL}.parquet", "sha256": "ab" * 32}},
        "git": {"commit": "0123456789abcdef", "changed": True},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(record | changes))
    history = {"epoch": [1, 2, 3], "top1": [10.0, 30.0, 20.0], "train_seconds": [50.0, 60.0, 70.0],
               "wait_seconds": [1.0, 2.0, 3.0], "test_seconds": [5.0, 5.0, 5.0]}  # fmt: skip
    pd.DataFrame(history).to_parquet(folder / "history.parquet")
    return str(folder / "run.json"), str(folder / "history.parquet")


@pytest.fixture
def content(tmp_path):
    """What `page` is given for a small study with everything in it."""
    config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
    resolved = read(config).model_dump(mode="json") | {"name": EVIL}
    tables = {"table5": TABLE5, "disagreements": DIFFERING}
    tables |= {name: "dataset,model,top1\ndemo_ucf,a,1.00\ndemo_ucf,b,2.00\n" for name in ("table3", "table9")}
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text)
    (tmp_path / "pictures.json").write_text(json.dumps(PICTURES))
    (tmp_path / "examples.csv").write_text(f"dataset,subset,class\ndemo_ucf,static,{EVIL}\n")
    files = [one_run(tmp_path, name) for name in ("a", "b")]
    runs = [{"dataset": "demo_ucf", "list": 1, "role": role, "run": f"{role}-{EVIL}", "seed": 0, "model": "U1"}
            for role in ("baseline", "student")]  # fmt: skip
    return {
        "study": resolved, "tables": [str(tmp_path / f"{name}.csv") for name in tables],
        "figures": [png(tmp_path / f"{name}.png") for name in FIGURES],
        "decisions": str(PROJECT / "docs" / "explanation" / "decisions.md"), "runs": runs,
        "records": [record for record, _ in files], "histories": [history for _, history in files],
        "pictures": str(tmp_path / "pictures.json"), "examples": str(tmp_path / "examples.csv"),
    }  # fmt: skip


class Page(HTMLParser):
    """The elements of a page with their attributes and text; fails where tags do not close in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements = [], []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        element = {"tag": tag, "text": "", "inside": [each["tag"] for each in self.open], **dict(attributes)}
        assert len(attributes) == len(dict(attributes)), f"an attribute twice: {attributes}"
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open[-1]["tag"] == tag, f"</{tag}> closes <{self.open[-1]['tag']}>"
            self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, *tags):
        return [element for element in self.elements if element["tag"] in tags]

    @property
    def text(self):
        return re.sub(r"\s+", " ", self.all("body")[0]["text"])


@pytest.fixture
def text(content):
    return report.page(**content)


@pytest.fixture
def page(text):
    return Page(text)


# One file, and safe


def test_nothing_is_loaded_and_nothing_runs(page, text):
    for element in page.elements:
        assert element["tag"] not in ("script", "iframe", "object", "embed", "base", "form", "video", "audio")
        for name, value in element.items():
            assert not name.startswith("on") or name == "open", (name, value)
            if name in ("src", "srcset", "data", "poster", "action"):
                assert value.startswith("data:"), value[:80]
        if element["tag"] == "link":
            assert element["href"].startswith("data:")
        if element["tag"] == "a":
            assert element["href"].startswith(("#", "data:text/csv", "https://doi.org/"))
    style = page.all("style")[0]["text"]
    assert "url(" not in style
    assert "@import" not in style
    policy = next(element for element in page.all("meta") if "http-equiv" in element)
    assert policy["content"].startswith("default-src 'none'; img-src data:")


def test_names_from_outside_are_text(page, text):
    assert EVIL not in text
    assert "alert(1)" not in [element["text"] for element in page.all("script")]
    assert page.all("h1")[0]["text"] == f"Study {EVIL}"
    shown = [element["text"] for element in page.all("td", "th", "code", "pre")]
    assert shown.count(EVIL) >= 1  # the class of an example
    for fragment in (f"{EVIL}/a.avi", f"results/{EVIL}.parquet", f"baseline-{EVIL}", f"name: {EVIL}"):
        assert any(fragment in each for each in shown), fragment


def test_it_is_written_whole_or_not_at_all(tmp_path, text):
    report.write(tmp_path / "report.html", text)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == text
    assert [path.name for path in tmp_path.glob("*report*")] == ["report.html"]


# Readable by everybody


def test_ids_are_unique_and_every_link_inside_has_its_target(page):
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(ids) == len(set(ids))
    inside = [element["href"][1:] for element in page.all("a") if element["href"].startswith("#")]
    assert len(inside) > 12
    assert not set(inside) - set(ids)
    references = [element["aria-labelledby"] for element in page.elements if "aria-labelledby" in element]
    assert not set(references) - set(ids)


def test_images_are_embedded_and_described(page):
    images = page.all("img")
    assert len(images) == 5 + 2
    for image in images:
        assert image["src"].startswith(("data:image/png;base64,", "data:image/jpeg;base64,"))
        assert len(image["alt"]) > 10
    figure1 = next(image for image in images if image["alt"].startswith("Histograms of the classes"))
    assert (figure1["width"], figure1["height"]) == ("20", "13")
    assert "demo_ucf and demo_hmdb" in figure1["alt"]


def test_tables_and_figures_have_captions_and_heads(page):
    captions = [element for element in page.all("caption") if element["text"].strip()]
    assert len(captions) == len(page.all("table")) > 10
    assert len(page.all("figcaption")) == len(page.all("figure")) == 5
    for head in page.all("th"):
        assert head["scope"] in ("col", "row", "rowgroup", "colgroup"), head
    for scrolling in (element for element in page.all("div") if element.get("class") == "scroll"):
        assert (scrolling["role"], scrolling["tabindex"]) == ("region", "0")


def test_headings_go_down_one_level_at_a_time(page):
    levels = [int(element["tag"][1]) for element in page.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.all("html")[0]["lang"] == "en"


def test_every_item_of_the_contents_has_what_the_template_asks_for():
    for section in contents.SECTIONS:
        assert {"id", "title", "text", "items"} == set(section) - {"by_source", "other_groups"}
        if "by_source" in section:
            assert {"flow", *section["by_source"]} == set(get_args(Split.model_fields["source"].annotation))
        for item in section["items"]:
            assert {"title", "caption"} <= set(item)
            assert ("figure" in item) == ("alt" in item)
            assert item.get("needs") in (None, "students", "lists")


def test_other_groups_than_the_papers_have_words_of_their_own(content, tmp_path):
    content["study"] = content["study"] | {"split": content["study"]["split"] | {"source": "flow"}}
    usual = Page(report.page(**content)).text
    assert "Static and dynamic classes" in usual
    (tmp_path / "table2.csv").write_text("dataset,list,subset\nd,1,overall\nd,1,fast\nd,1,slow\n")
    (tmp_path / "table6.csv").write_text("dataset,subset,kl_slow_teacher,kl_fast_teacher\nd,slow,1.0,2.0\n")
    content["tables"] += [str(tmp_path / f"table{n}.csv") for n in (2, 6)]
    page = Page(report.page(**content))
    prose = [each["text"] for each in page.all("h2", "h3", "figcaption", "caption", "p")]
    prose += [each["alt"] for each in page.all("img")]
    assert "Groups of classes" in [each["text"].strip() for each in page.all("h2")]
    assert not [text for text in prose if re.search(r"static|dynamic", text, re.IGNORECASE)]
    assert {"KL, slow teacher", "KL, fast teacher"} <= {each["text"].strip() for each in page.all("th")}


# Before the results: the checks of the data


def checked(folder, dataset, found, name="check.json", **settings):
    """A file that a check has written."""
    (folder / dataset).mkdir(exist_ok=True)
    findings.write(folder / dataset / name, dataset, {"augment": {"flip": 0.5}} | settings, found)
    return str(folder / dataset / name)


ERROR = Finding("error", f"two of {EVIL} are the same", "why", "what to do", "clip: {rate: 2}", check="copies")
WARNING = Finding("warning", "few test videos", "noise", "add some", check="test_size")
NOTE = Finding("note", "one place", "no other", "add some", check="shared_places")


def test_what_the_checks_found_stands_before_the_results(content, tmp_path):
    """Errors and warnings, the most serious first, with their remedies and a link to each page; notes stay there."""
    files = [checked(tmp_path, "demo_ucf", [WARNING, NOTE])]
    files += [checked(tmp_path, "demo_ucf", [ERROR], "check_groups.json"), checked(tmp_path, "demo_hmdb", [NOTE])]
    wanted = {name: {"augment": {"flip": 0.5}} for name in ("demo_ucf", "demo_hmdb")}
    found = data_checks.of_data_sets(files, wanted)
    text = report.page(**content, checks=found)
    page = Page(text)
    order = [page.text.index(words) for words in (f"two of {EVIL} are the same", "few test videos")]
    assert order == sorted(order)
    sections = [element["id"] for element in page.all("section")]
    assert sections.index("data") < sections.index("summary")
    assert "clip: {rate: 2}" in [element["text"] for element in page.all("code")]
    assert "one place" not in page.text
    links = [element["href"] for element in page.all("a") if element["href"].endswith("check.html")]
    assert links == ["demo_ucf/check.html"], "of the other data set there is nothing to say"
    assert EVIL not in text
    test_ids_are_unique_and_every_link_inside_has_its_target(page)
    test_headings_go_down_one_level_at_a_time(page)


def test_nothing_pressing_and_the_report_begins_with_the_results(content, page, tmp_path):
    files = [checked(tmp_path, "demo_ucf", [NOTE]), checked(tmp_path, "demo_hmdb", [])]
    found = data_checks.of_data_sets(files, {name: {"augment": {"flip": 0.5}} for name in ("demo_ucf", "demo_hmdb")})
    assert found == []
    assert report.page(**content, checks=found) == report.page(**content)
    assert "Before the results" not in page.text


def test_a_check_by_other_settings_is_not_repeated(content, tmp_path):
    """`python -m dtkd.check` may have written one: what it found need not hold for this study."""
    files = [checked(tmp_path, "demo_ucf", [ERROR], augment={"flip": 0})]
    found = data_checks.of_data_sets(files, {"demo_ucf": {"augment": {"flip": 0.5}}})
    page = Page(report.page(**content, checks=found))
    assert "The check was made with other settings" in page.text
    assert "--forcerun check" in page.text
    assert "are the same" not in page.text


def test_settings_are_compared_as_they_are_stored(tmp_path):
    files = [checked(tmp_path, "mine", [ERROR], augment={"short_side": [32, 36]})]
    assert not data_checks.of_data_sets(files, {"mine": {"augment": {"short_side": (32, 36)}}})[0].outdated


# What it says


def test_the_answer_comes_first_and_the_settings_last(page):
    sections = [element["id"] for element in page.all("section")]
    assert (sections[0], sections[-1]) == ("summary", "settings")
    items = [element["id"] for element in page.all("div") if element.get("class") == "item"]
    assert items[:2] == ["figure-gains", "figure-teachers"]
    heads = [element["text"] for element in page.all("h2", "h3")][:3]
    assert heads == ["Summary", "What students gain", "What teachers know that the baseline does not"]
    order = [element.get("id") or element.get("class") for element in page.elements]
    assert order.index("summary") < order.index("figure-gains") < order.index("lead") < order.index("figure-teachers")
    links = [element["href"] for element in page.all("a") if element["href"].startswith("#")]
    assert links[1:4] == ["#summary", "#figure-gains", "#figure-teachers"]
    assert links[-1] == "#settings"


def test_the_summary_weighs_gains(page):
    lead = re.sub(r"\s+", " ", next(element for element in page.all("p") if element.get("class") == "lead")["text"])
    assert "On demo_ucf the best of 2 students, SU1, reaches 45.00 % top-1, the baseline U1 40.00 %" in lead
    assert "a gain of +5.00 points that cannot be told from noise (p = 0.3)" in lead
    assert "a gain of +20.00 points that chance hardly explains (p < 0.001; with 2 students" in lead


@pytest.mark.parametrize(("smallest", "said"), [
    ("8.13", "Its 96 test videos are likely (80 %) to show gains from 8.1 points on, of one student that is chosen "
             "beforehand; guessing gives 6.2 %."),
    ("", "Its 96 test videos are too few to show any gain; guessing gives 6.2 %."),
])  # fmt: skip
def test_the_summary_says_what_the_test_videos_can_show(content, smallest, said):
    path = Path(next(path for path in content["tables"] if "table5" in path))
    head, *rows = TABLE5.splitlines()
    rows = [f"{head},test_videos,chance,smallest_gain", *(f"{row},96,6.25,{smallest}" for row in rows)]
    path.write_text("\n".join(rows))
    page = Page(report.page(**content))
    assert said in re.sub(r"\s+", " ", page.text)
    assert "smallest gain" not in page.text, "no column of every row"


def test_a_baseline_called_so_is_called_so_once(content):
    path = Path(next(path for path in content["tables"] if "table5" in path))
    path.write_text(TABLE5.replace(",U1,", ",baseline,").replace(",H1,", ",baseline-2,"))
    text = re.sub(r"\s+", " ", Page(report.page(**content)).text)
    assert "45.00 % top-1, the baseline 40.00 %" in text
    assert "the baseline-2 " in text
    assert "baseline baseline" not in text


@pytest.mark.parametrize(
    ("gain", "p", "corrected", "verdict"),
    [(5.0, 0.001, 0.01, "better"), (5.0, 0.04, 0.4, "flattered"), (5.0, 0.2, 1.0, "noise"), (5.0, 0.04, None, "better"),
     (5.0, None, None, "unknown"), (0.0, 1.0, 1.0, "none"), (-3.0, 0.01, 0.01, "none"), (None, None, None, "none")],
)  # fmt: skip
def test_verdicts(gain, p, corrected, verdict):
    found = summary.Finding("d", "U1", 50.0, 3, "SU1", 55.0, gain, p=p, corrected=corrected)
    assert found.verdict == verdict


def test_no_student_that_is_better_is_said_so(content):
    path = Path(next(path for path in content["tables"] if "table5" in path))
    path.write_text("\n".join(line for line in TABLE5.splitlines() if "SU1" not in line and "hmdb" not in line))
    assert "no student does better than the baseline, though this difference cannot be told from noise (p = 0.7)" in (
        Page(report.page(**content)).text.replace("\xa0", " ")
    )


def test_the_chosen_student_is_named_where_it_is_not_the_best():
    rows = list(csv.DictReader(TABLE5.splitlines()))
    first, second = summary.findings(rows, {"demo_ucf": "SU2", "demo_hmdb": "SH1"})
    assert (first.student, first.chosen, first.chosen_gain) == ("SU1", "SU2", -2.0)
    assert (second.student, second.chosen) == ("SH1", None)
    assert first.place(0) == 50
    assert 50 < first.place(5) < first.place(12) < 100


def test_a_control_is_no_student():
    rows = list(csv.DictReader(TABLE5.splitlines()))
    control = rows[0] | {"model": "longer", "method": "control", "top1": "90.00", "gain": "+50.00"}
    (first, _) = summary.findings([rows[0], control, *rows[1:]], {})
    assert (first.student, first.students) == ("SU1", 2)


def test_each_baseline_starts_a_family():
    rows = list(csv.DictReader((TABLE5 + TABLE5.split("\n", 1)[1]).splitlines()))
    assert [len(family) for family in tables.families(rows)] == [3, 3, 3, 3]
    assert tables.best_rows(rows, "top1") == {1, 4, 5, 7, 10, 11}
    assert tables.best_rows([{"dataset": "a", "top1": "1"}, {"dataset": "b", "top1": "2"}], "top1") == set()


def test_values_are_merged_for_the_reader(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "dataset,model,LT,top1,top1_std,gain,gain_low,gain_high,p,paper_top1,diff_top1,empty\n"
        "d,a,True,41.00,1.20,-1.00,-3.00,+1.00,0.0001,95.00,-54.00,\nd,b,,,,,,,,,,\n"
    )
    found = tables.table(path, ["top1"])
    assert [column.label for column in found["columns"]] == [
        "model", "LT", "top-1 (%)", "gain", "95 % interval", "p", "top-1 (%)", "top-1 (%)"
    ]  # fmt: skip
    assert found["overs"] == [("", 6), ("the paper", 1), ("minus the paper", 1)]
    ((name, (row, blank)),) = found["groups"]
    assert name == "d"
    assert [cell.text for cell in row] == ["a", "yes", "41.00", "−1.00", "−3.00 to +1.00", "< 0.001", "95.00", "−54.00"]
    assert row[2].spread == "1.20"
    assert {cell.text for cell in blank[1:]} == {""}


def test_names_are_not_taken_for_values(tmp_path):
    path, names = tmp_path / "t.csv", ["-1", "True", "false", "1e5"]
    rows = [f"d,{name},{name},{name},True,-1\n" for name in names]
    path.write_text("dataset,class,model,video,LT,mean\n" + "".join(rows))
    found = tables.table(path)
    assert [column.numeric for column in found["columns"]] == [False, False, False, False, True]
    ((_, rows),) = found["groups"]
    assert [[cell.text for cell in row] for row in rows] == [[name, name, name, "yes", "−1"] for name in names]


def test_the_papers_columns_are_told_apart(content):
    Path(content["tables"][2]).write_text("dataset,model,top1,paper_top1,diff_top1\nd,a,1.00,2.00,-1.00\n")
    over = [element["text"] for element in Page(report.page(**content)).all("th") if element.get("scope") == "colgroup"]
    assert over == ["the paper", "minus the paper"]


def test_disagreements_are_counted_in_full_and_pictured(page):
    assert "The student is right, the baseline wrong: 2 videos, 1 shown." in page.text
    assert "The baseline is right, the student wrong: 1 video." in page.text
    assert "no answer – (wrong)" in page.text


def test_decisions_are_the_documents(page):
    lines = (PROJECT / "docs" / "explanation" / "decisions.md").read_text(encoding="utf-8").splitlines()
    numbers = [line.split("|")[1].strip() for line in lines if re.match(r"\| \d", line)]
    shown = [element["text"] for element in page.all("th") if "tbody" in element["inside"]]
    assert [number for number in shown if number in numbers][: len(numbers)] == numbers
    assert "split.boundary: inclusive" in [element["text"] for element in page.all("code")]


def test_what_the_demo_gave_is_no_part_of_another_studys_decisions(page):
    """The document goes on with the numbers of studies/readings.yaml."""
    document = PROJECT / "docs" / "explanation" / "decisions.md"
    assert "\n## What the readings give" in document.read_text(encoding="utf-8")
    assert "studies/readings.yaml" not in page.text
    assert "<!--" not in page.text


def test_a_table_that_few_studies_have_is_not_missed_in_the_others(content, page, tmp_path):
    assert "Readings of the paper" not in page.text
    (tmp_path / "readings.csv").write_text("dataset,reading,top1\ndemo_ucf,masked teachers,1.00\n")
    other = Page(report.page(**content | {"tables": [*content["tables"], str(tmp_path / "readings.csv")]}))
    assert "Readings of the paper" in other.text
    assert "masked teachers" in other.text


def test_markdown_of_every_kind():
    text = "# Title\n\nA `b|c` [link](x) and **more**\n\n| a | b |\n|---|---|\n| 1 | x\\|y |\n\nend"
    heading, table, last = decisions.markdown(text)
    assert heading["spans"] == [("", "A "), ("code", "b|c"), ("", " "), ("", "link"), ("", " and "), ("strong", "more")]
    assert table["head"] == [[("", "a")], [("", "b")]]
    assert table["rows"] == [[[("", "1")], [("", "x|y")]]]
    assert last == {"kind": "paragraph", "spans": [("", "end")]}


def test_runs_their_time_and_what_made_them(tmp_path):
    other = {"index": {"path": f"results/{EVIL}.parquet", "sha256": "cd"}}
    last = {"train": {"selection": "last"}}
    files = [one_run(tmp_path, "a"), one_run(tmp_path, "b", git=None, settings=last, inputs=other)]
    runs = [{"dataset": "d", "list": 1, "role": role, "run": role, "seed": 3} for role in ("baseline", "student")]
    rows = run_rows(runs, *zip(*files, strict=True))
    assert [(row["selected"], row["top1"], row["epochs"]) for row in rows] == [(2, "30.00", 3), (3, "20.00", 3)]
    assert [(row["train"], row["wait"], row["test"], row["total"]) for row in rows] == [(180, 6, 15, 195)] * 2
    *_, everything = totals(rows)
    assert (everything["role"], everything["runs"], everything["total"]) == ("all", 2, 390)
    assert [(row["sha256"], row["changed"]) for row in inputs(rows)] == [("ab" * 32, True), ("cd", True)]
    assert [git.get("commit") for git, _ in alike(row["git"] for row in rows)] == ["0123456789abcdef", None]


def test_the_epoch_that_a_validation_chose(tmp_path):
    record, file = one_run(tmp_path, "a", settings={"train": {"selection": "validation"}})
    history = pd.read_parquet(file).assign(val_top1=[50.0, 40.0, 45.0], top1=[33.0, float("nan"), 44.0])
    history.to_parquet(file)
    run = {"dataset": "d", "list": 1, "role": "baseline", "run": "a", "seed": 3}
    (row,) = run_rows([run], [record], [file])
    assert (row["selected"], row["top1"]) == (1, "33.00")


@pytest.mark.parametrize("module", [words, decisions])
def test_examples_in_docstrings(module):
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


# What it was made with


def test_settings_are_those_on_record(content):
    recorded = {
        "train.lr": [(0.05, 8)], "train.devices": [(4, 8)], "train.selection": [("last", 8)], "seed": [(0, 9)],
        "clip.rate": [(3, 6), (2, 1)], "pretrain.train.epochs": [(77, 1)], "split.source": [("random", 2)],
        "student.KD_T": [(2, 1)],
    }  # fmt: skip
    text = report.page(**content, recorded=recorded)
    tables = dict(settings.settings(content["study"], recorded))
    assert dict(tables["train"])["lr"] == "0.05"
    assert dict(tables["train"])["devices"] == "4"
    assert dict(tables["train"])["epochs"] == str(content["study"]["train"]["epochs"])  # not on record
    assert dict(tables["clip"])["rate"] == "3 (6 ×); 2 (1 ×)"
    assert dict(tables["pretrain"])["train.epochs"] == "77"
    page = Page(text)
    assert "The groups were drawn at random" in page.text
    assert "after the epoch that is best on the test videos" not in page.text
    assert "name: <script>" in page.all("pre")[0]["text"]
    assert f"lr: {content['study']['train']['lr']}" in page.all("pre")[0]["text"]  # the config, as it is


def test_other_settings_in_the_config_are_named_first_with_both_values(content, page):
    assert not any(element.get("id") == "differences" for element in page.elements)
    paths = [f"results/d/list1/baseline/{EVIL}", *(f"results/d/list1/student/{n}" for n in range(4))]
    others = {path: [Difference("train.lr", 0.05, 0.1)] for path in paths}
    others |= {"results/d/split.json": [Difference("split.quantile", 0.25, None), Difference("split.value", None, 1.5)]}
    text = report.page(**content, others=others)
    assert EVIL not in text
    alarm = Page(text)
    sections = [element["id"] for element in alarm.all("section")]
    assert sections[:2] == ["differences", "summary"]
    rows = [element for element in alarm.all("tr") if "tbody" in element["inside"]][:3]
    shown = [re.sub(r"\s+", " ", row["text"]).strip() for row in rows]
    assert shown[0].startswith(f"train.lr0.050.1results/d/list1/baseline/{EVIL}, results/d/list1/student/0, ")
    assert shown[0].endswith("and 2 moreresults/d/list1/student/2, results/d/list1/student/3")
    assert shown[1:] == ["split.quantile0.25–results/d/split.json", "split.value–1.5results/d/split.json"]


# Studies with less in them


def test_a_study_of_one_dataset_without_students(content, tmp_path):
    published = content["study"]["split"] | {"source": "published"}
    small = content["study"] | {"use": ["demo_ucf"], "students": {}, "split": published, "analysis": {}}
    content |= {"study": small, "tables": [], "figures": [], "pictures": None, "examples": None}
    page = Page(report.page(**content))
    assert "This study has no table of students" in page.text
    assert "This study has no students to show here." in page.text
    assert "The static classes are those of the paper" in page.text
    assert "up to a threshold (Eq. 1" not in page.text
    assert "There is nothing to compare" in page.text
    inside = {element["href"][1:] for element in page.all("a") if element["href"].startswith("#")}
    assert "figure-figure1" not in inside


def test_a_table5_of_the_baseline_alone(content):
    path = Path(next(path for path in content["tables"] if "table5" in path))
    path.write_text("\n".join(TABLE5.splitlines()[:2]))
    assert "the baseline U1 reaches 40.00 % top-1; there are no students" in Page(report.page(**content)).text


def test_a_table_without_rows_and_no_disagreement(content):
    Path(content["tables"][1]).write_text(DIFFERING.splitlines()[0] + "\n")
    Path(content["tables"][2]).write_text("dataset,model\n")
    page = Page(report.page(**content))
    assert "This study has no data for it." in page.text
    assert "There is nothing to compare" in page.text


def test_what_nobody_described_is_shown_at_the_end(page):
    assert "Further tables and figures" in page.text
    assert {"table-table9", "figure-unheard_of"} <= {element.get("id") for element in page.elements}


# In a browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


OPENED = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: the page is only parsed, not opened")


def opened(page, tmp_path, *options):
    """What a browser makes of a page, and says of it."""
    report.write(tmp_path / "report.html", page)
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr",
         "--v=0", f"--user-data-dir={tmp_path / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND",
         "--disable-background-networking", *options, "--dump-dom", (tmp_path / "report.html").as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


@OPENED
def test_wide_tables_scroll_by_themselves(content, tmp_path):
    """The page is as wide as the window, whatever stands in a table's far columns."""
    heads, values = (",".join(word.format(n) for n in range(40)) for word in ("column {}", "value {}"))
    wide = f"dataset,model,{heads},top1\ndemo_ucf,a,{values},1.00\ndemo_ucf,b,{values},2.00\n"
    (tmp_path / "table3.csv").write_text(wide)  # whose best value, at its far end, says so to who cannot see it
    allowed = re.sub(r'<meta http-equiv="Content-Security[^>]*>', "", report.page(**content))
    measure = "<script>let D = document.documentElement; D.title = D.scrollWidth + ' of ' + D.clientWidth</script>"
    shown = opened(allowed.replace("</body>", f"{measure}</body>"), tmp_path, "--window-size=1200,900").stdout
    (wide, window) = re.search(r'<html[^>]* title="(\d+) of (\d+)"', shown).groups()
    assert wide == window


@OPENED
def test_a_browser_shows_it_without_a_complaint_or_a_request(content, tmp_path):
    log = tmp_path / "net.json"
    done = opened(report.page(**content), tmp_path, f"--log-net-log={log}")
    assert "CONSOLE" not in done.stderr
    shown = Page(re.sub(r"^.*?(?=<html)", "", done.stdout, flags=re.S))
    assert len(shown.all("table")) == len(Page(report.page(**content)).all("table"))
    assert not shown.all("script")
    requested = re.findall(r'"url":"((?:https?|wss?)://[^"]+)"', log.read_text(errors="replace"))
    own = [url for url in requested if "google" not in url and "gvt1" not in url]  # the browser's own errands
    assert own == []
