"""Tables written as CSV, Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dtkd.common.files import atomic


def _fixed(decimals: int) -> Callable[[float], str]:
    return lambda value: f"{value:.{decimals}f}"


def _significant(value: float) -> str:
    """Four significant digits, without an exponent."""
    return np.format_float_positional(value, precision=4, unique=False, fractional=False, trim="k").rstrip(".")


class Column(NamedTuple):
    """How a column is headed and, if it holds numbers, shown."""

    head: str
    show: Callable[[float], str] | None = None
    tex: str | None = None  # the head in LaTeX, where it is not the same words


COLUMNS = {
    "dataset": Column("Dataset"), "model": Column("Model"), "models": Column("Models"), "list": Column("List"),
    "lists": Column("Lists"), "subset": Column("Subset"), "backbone": Column("Backbone"), "clip": Column("Clip"),
    "frozen": Column("Frozen"), "method": Column("Method"), "LT": Column("LT"), "FT": Column("FT"),
    "variant": Column("Variant"), "outputs": Column("Outputs"), "reading": Column("Reading"), "split": Column("Split"),
    "S_alpha": Column("S_α", "{:g}".format, r"$S_\alpha$"),
    "KD_T": Column("KD_T", "{:g}".format, "$KD_T$"),
    "KD_alpha": Column("KD_α", "{:g}".format, r"$KD_\alpha$"),
    "seeds": Column("Seeds", _fixed(0)),
    "classes": Column("Classes", _fixed(0)), "videos": Column("Videos", _fixed(0)),
    "train": Column("Train", _fixed(0)), "test": Column("Test", _fixed(0)), "total": Column("Total", _fixed(0)),
    "q1": Column("Q1", _fixed(3)), "mean": Column("Mean", _fixed(3)),
    "std": Column("STD", _fixed(3)), "iqr": Column("IQR", _fixed(3)),
    "params_published": Column("Parameters, 400 classes (M)", _fixed(2)),
    "params": Column("Parameters (M)", _fixed(2)), "trainable": Column("Trainable (M)", _fixed(2)),
    "gflops": Column("GFLOPs", _significant),
    "top1": Column("Top-1 (%)", _fixed(2)), "top5": Column("Top-5 (%)", _fixed(2)),
    "baseline_top1": Column("Baseline top-1 (%)", _fixed(2)), "teacher_top1": Column("Teacher top-1 (%)", _fixed(2)),
    "top1_last": Column("Top-1, last epoch (%)", _fixed(2)), "top5_last": Column("Top-5, last epoch (%)", _fixed(2)),
    "gain": Column("Gain [95 % CI]", _fixed(2)),
    "test_videos": Column("Test videos", _fixed(0)), "chance": Column("Chance (%)", _fixed(2)),
    "smallest_gain": Column("Smallest gain", _fixed(2)),
    "p": Column("p", "{:.3g}".format, "$p$"), "p_holm": Column("p (Holm)", "{:.3g}".format, "$p$ (Holm)"),
    "settings": Column("Settings"), "epochs": Column("Epochs", _fixed(0)), "rank": Column("Rank", _fixed(0)),
    "out": Column("Out"),
    "nll": Column("NLL", _fixed(3)), "ece": Column("ECE (%)", _fixed(2)), "brier": Column("Brier", _fixed(3)),
    "recordings": Column("Recordings", _fixed(0)),
    "teacher_passes": Column("Teachers' passes", "{:g}".format),
    "teacher_trainings": Column("Teachers' trainings", "{:g}".format),
    "weights_mib": Column("Weights (MiB)", _significant), "memory_mib": Column("Memory (MiB)", _significant),
    "p50_ms": Column("Median (ms)", _significant), "p95_ms": Column("95 % (ms)", _significant),
    "batch": Column("Batch", _fixed(0)), "throughput": Column("Clips a second", _significant),
    "hours": Column("Hours", _significant), "teacher_hours": Column("Teachers' hours", _significant),
    "kl_static_teacher": Column("KL(S ‖ St-T)", _significant, r"KL(S $\|$ St-T)"),
    "kl_dynamic_teacher": Column("KL(S ‖ Dy-T)", _significant, r"KL(S $\|$ Dy-T)"),
    "SM": Column("SM", _significant), "SIR": Column("SIR", _significant),
}  # fmt: skip
_PREFIXES = {"paper_": "paper", "diff_": "difference"}
_SUFFIXES = ("_std", "_low", "_high")  # columns that Markdown and LaTeX merge with the one before
LIST = ["test_videos", "chance", "smallest_gain"]  # columns of Table 5 that a list's rows have in common
_TEX = str.maketrans({character: f"\\{character}" for character in "&%$#_{}"} | {
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "|": r"\textbar{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    '"': r"\symbol{34}",
})  # fmt: skip
_LINES = str.maketrans(dict.fromkeys("\n\r\v\f\x85\u2028\u2029", " "))  # a cell is one line


def escaped_tex(text: str) -> str:
    r"""Text as LaTeX prints it, whatever is in it; two hyphens stay two.

    >>> print(escaped_tex(r"US$5 & a_b--\c"))
    US\$5 \& a\_b-{}-\textbackslash{}c
    """
    text = re.sub("-(?=-)", "-{}", text.translate(_LINES).translate(_TEX))
    return f"{{}}{text}" if text.startswith(("[", "*")) else text  # an option of the end of the row before, otherwise


def escaped_markdown(text: str) -> str:
    r"""Text as Markdown shows it, whatever is in it; an underscore inside of a word is no markup.

    >>> print(escaped_markdown("demo_ucf *a* | <b> $_$"))
    demo_ucf \*a\* \| \<b\> \$\_\$
    """
    return re.sub(r"[\\`*\[\]<>|&$~^]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", text.translate(_LINES))


def write(table: pd.DataFrame, output: Mapping[str, str]) -> None:
    """Write ``table`` to ``output["csv"]``, ``["md"]`` and ``["tex"]``; where no value is, a blank.

    The CSV has every column by its name in the code. Markdown and LaTeX have readable heads and no empty columns, merge
    a mean with its standard deviation and a gain with its interval, and have the table's notes below.
    """
    csv = pd.DataFrame({name: [_shown(name, value) for value in table[name]] for name in table}, columns=table.columns)
    merged = _merged(table)
    name, caption, notes = table.attrs["name"], table.attrs["caption"], table.attrs.get("notes", [])
    writers = {
        "csv": lambda path: csv.to_csv(path, index=False),
        "md": lambda path: path.write_text(_markdown(merged, caption, notes), encoding="utf-8"),
        "tex": lambda path: path.write_text(_latex(merged, name, caption, notes), encoding="utf-8"),
    }
    for kind, writer in writers.items():
        with atomic(output[kind]) as path:
            writer(path)


def _column(name: str) -> Column:
    if group := re.fullmatch("top1_(.+)_classes", name):
        return Column(f"Top-1, {group[1]} (%)", _fixed(2), rf"Top-1, {escaped_tex(group[1])} (\%)")
    if rung := re.fullmatch("val_top1_rung(.+)", name):
        return Column(f"Validation top-1, rung {rung[1]} (%)", _fixed(2))
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    for suffix in _SUFFIXES if name not in COLUMNS else ():
        name = name.removesuffix(suffix)
    if name not in COLUMNS and (teacher := re.fullmatch("kl_(.+)_teacher", name)):
        return Column(f"KL(S ‖ {teacher[1]}-T)", _significant, rf"KL(S $\|$ {escaped_tex(teacher[1])}-T)")
    return COLUMNS[name]


def _shown(name: str, value: Any) -> str:
    if value is None or value != value:
        return ""
    show = _column(name).show
    text = str(value) if show is None else show(value)
    if show and not text.strip("-0."):  # -0.00
        text = text.removeprefix("-")
    signed = name.startswith(("gain", "diff_")) and not text.startswith("-")
    return f"+{text}" if signed else text


def _merged(table: pd.DataFrame) -> pd.DataFrame:
    """Cells for a reader: 41.67 ± 1.20, +1.39 [-2.78, +5.56], <0.001; without columns that are blank throughout."""
    cells = {name: [_shown(name, value) for value in table[name]] for name in table}
    for name in ("p", "p_holm"):
        if name in cells:
            cells[name] = [
                "<0.001" if value < 0.001 else cell for value, cell in zip(table[name], cells[name], strict=True)
            ]
    parts = {f"{name}{suffix}" for name in cells for suffix in _SUFFIXES} | {*LIST}
    for name in [name for name in cells if name not in parts]:
        if f"{name}_std" in cells:
            cells[name] = [
                f"{mean} ± {std:.{len(mean.partition('.')[2])}f}" if std == std else mean  # with the mean's decimals
                for mean, std in zip(cells[name], table[f"{name}_std"], strict=True)
            ]
        if f"{name}_low" in cells:
            cells[name] = [
                f"{value} [{low}, {high}]" if value else ""
                for value, low, high in zip(cells[name], cells[f"{name}_low"], cells[f"{name}_high"], strict=True)
            ]
    kept = [name for name in cells if name not in parts and (not len(table) or any(cells[name]))]
    return pd.DataFrame(cells, columns=kept, dtype=object)


def _head(name: str, latex: bool = False) -> str:
    column = _column(name)
    head = (column.tex or escaped_tex(column.head)) if latex else column.head
    for prefix, word in _PREFIXES.items():
        if name.startswith(prefix):
            head = head.removesuffix(r" (\%)").removesuffix(" (%)")
            head = f"{word} {head[0].lower() if head[1:2].islower() else head[0]}{head[1:]}"
    return head


def _markdown(cells: pd.DataFrame, caption: str, notes: Sequence[str]) -> str:
    align = ["left" if _column(name).show is None else "right" for name in cells]
    body = pd.DataFrame({
        _head(column): [escaped_markdown(cell) if side == "left" else cell for cell in cells[column]]
        for column, side in zip(cells, align, strict=True)
    })  # fmt: skip
    below = "".join(f"\n{escaped_markdown(note)}\n" for note in notes)
    return f"{caption}\n\n{body.to_markdown(index=False, disable_numparse=True, colalign=align)}\n{below}"


def _latex(cells: pd.DataFrame, name: str, caption: str, notes: Sequence[str]) -> str:
    """A booktabs table, shrunk to the line where it is wider."""
    align = ["l" if _column(column).show is None else "r" for column in cells]
    body = pd.DataFrame({
        _head(column, latex=True): [escaped_tex(cell) if side == "l" else _number(cell) for cell in cells[column]]
        for column, side in zip(cells, align, strict=True)
    })  # fmt: skip
    below = "".join(f"\\par\\smallskip\\footnotesize {escaped_tex(note)}\n" for note in notes)
    tabular = body.to_latex(index=False, escape=False, column_format="".join(align))
    return (
        "% \\usepackage{booktabs,graphicx}\n\\begin{table}\n\\centering\n"
        f"\\caption{{{escaped_tex(caption)}}}\n\\label{{tab:{name}}}\n"
        "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n"
        f"{tabular.rstrip()}%\n}}\n{below}\\end{{table}}\n"
    )


def _number(cell: str) -> str:
    """A number in math mode, where - is a minus and < a less-than sign."""
    for words, symbol in (("±", r"\pm"), (" [", r"\ ["), ("inf", r"\infty")):
        cell = cell.replace(words, symbol)
    return f"${cell}$" if cell else ""
