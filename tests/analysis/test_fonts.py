"""Letters that the figures' font lacks: from a font that has them, or as their numbers."""

import shutil

import matplotlib
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from dtkd.analysis.figures import fonts
from dtkd.analysis.figures.base import FONT


def make_font(path, characters, family="Some Script", style="Regular", blank=""):
    """A TrueType font that has a square for each of ``characters``, and nothing to see for those of ``blank``."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 700), (800, 700), (800, 0)):
        pen.lineTo(point)
    pen.closePath()
    square, empty = pen.glyph(), TTGlyphPen(None).glyph()
    names = {ord(character): f"u{ord(character):X}" for character in characters + blank}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap(names)
    drawn = {names[ord(character)]: square for character in characters}
    builder.setupGlyf({name: drawn.get(name, empty) for name in (".notdef", *names.values())})
    builder.setupHorizontalMetrics({name: (900, 0) for name in (".notdef", *names.values())})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": style, "psName": f"{family}-{style}".replace(" ", "")})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return str(path)


@pytest.fixture
def installed(monkeypatch):
    """A list of font files; the machine has these and no others."""
    files, known = [], list(font_manager.fontManager.ttflist)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: list(files))
    monkeypatch.setattr(font_manager.fontManager, "ttflist", known)
    yield files
    font_manager.fontManager._findfont_cached.cache_clear()


def test_the_figures_own_font_comes_first():
    assert fonts.lacking("Čeština Ελληνικά Русский مرحبا → ≤ 10\n", FONT) == set()
    assert fonts.lacking("a图b书", FONT) == {"图", "书"}
    assert fonts.lettering(set()) == ([], {}, set())


def test_fonts_are_chosen_that_together_draw_all_and_the_rest_has_numbers(installed, tmp_path):
    installed += [make_font(tmp_path / "one.ttf", "图", "One"), make_font(tmp_path / "two.ttf", "图书馆", "Two"),
                  make_font(tmp_path / "kana.ttf", "か", "Kana")]  # fmt: skip
    (tmp_path / "broken.ttf").write_text("no font")
    installed.append(str(tmp_path / "broken.ttf"))
    families, table, unknown = fonts.lettering(set("图书馆か한"))
    assert families == ["Two", "Kana"]
    assert unknown == {"한"}
    assert "a한图".translate(table) == "aU+D55C图"


def test_notos_come_first_and_pixels_last(installed, tmp_path):
    given = [("Unifont", "Regular"), ("Another", "Bold"), ("Another Plain", "Regular"), ("Noto Sans X", "Regular")]
    files = [make_font(tmp_path / f"{n}.ttf", "图", *names) for n, names in enumerate(given)]
    for n, (family, _) in enumerate(given):
        installed[:] = files[: n + 1]
        assert fonts.lettering({"图"}).families == [family]


def test_a_glyph_with_nothing_to_see_is_none(installed, tmp_path):
    installed.append(make_font(tmp_path / "blank.ttf", "书", blank="图"))
    assert fonts.lettering({"图", "书"}) == (["Some Script"], {ord("图"): "U+56FE"}, {"图"})


def test_what_cannot_be_seen_needs_no_font(installed):
    assert fonts.lettering({"\u3000", "\t", "\u2066", "\U000e0100"}) == (
        [], {0x3000: " ", 9: " ", 0x2066: "", 0xE0100: ""}, set()
    )  # fmt: skip


def test_only_truetype_is_embedded_as_it_is(installed, tmp_path):
    assert fonts.truetype([FONT])
    make_font(tmp_path / "made.ttf", "图")
    font_manager.fontManager.addfont(shutil.copy(tmp_path / "made.ttf", tmp_path / "made.ttc"))
    assert not fonts.truetype([FONT, "Some Script"])


def test_the_figures_font_comes_with_matplotlib():
    assert font_manager.findfont(FONT).startswith(matplotlib.get_data_path())
