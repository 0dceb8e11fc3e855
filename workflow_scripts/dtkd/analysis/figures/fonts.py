"""Names in any script: fonts of this machine for what the figures' own font lacks, a substitute where none has it."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

# a fallback need not have a bold face: it is taken as it is
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

PLAIN = {"Regular", "Book", "Roman", "Normal", "Medium"}
VARIATION_SELECTORS = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}


class Face(NamedTuple):
    """One font of a file (a .ttc holds several)."""

    file: str
    index: int

    def open(self) -> FT2Font:
        return FT2Font(self.file, face_index=self.index)


class Lettering(NamedTuple):
    """How to draw some characters."""

    families: list[str]  # of fonts to fall back on
    table: dict[int, str]  # for `str.translate`: the number of what no font has, U+56FE; nothing for the invisible
    unknown: set[str]  # what no font has


def lacking(text: str, family: str) -> set[str]:
    """The characters of ``text`` that a font family has no glyph for; a newline needs none."""
    font = FT2Font(font_manager.findfont(family))
    return {character for character in set(text) - {"\n"} if not font.get_char_index(ord(character))}


def lettering(characters: Collection[str]) -> Lettering:
    """How to draw ``characters`` that the figures' own font lacks.

    Of the fonts installed here, Noto's sans-serifs come first, which are made to go together, then plain fonts before
    bold and oblique ones, and of alike fonts the one that draws most. matplotlib's own list of fonts is from an earlier
    day, so the folders are read.
    """
    missing, families = {each for each in characters if not _invisible(each)}, []
    faces = {face: drawn for face in _installed() if (drawn := _drawn(face, missing))} if missing else {}
    while missing and faces:
        best = min(faces, key=lambda face: (*_rank(face), -len(faces[face]), face))
        font_manager.fontManager.addfont(best.file)
        families.append(best.open().family_name)
        missing -= faces[best]
        faces = {face: left for face, drawn in faces.items() if (left := drawn & missing)}
    numbers = {ord(each): f"U+{ord(each):04X}" for each in missing}
    blanks = {ord(each): " " if each.isspace() else "" for each in characters if _invisible(each)}
    return Lettering(families, numbers | blanks, missing)


def truetype(families: Iterable[str]) -> bool:
    """Whether all of these fonts may be embedded in a PDF as they are, as TrueType (fonttype 42)."""
    return all(Path(font_manager.findfont(family)).suffix.lower() == ".ttf" for family in families)


def _invisible(character: str) -> bool:
    """Whether a character has no picture of its own: blanks, marks of direction, emoji's variation selectors."""
    kind = unicodedata.category(character)
    return character.isspace() or kind in ("Cc", "Cf") or ord(character) in VARIATION_SELECTORS


def _installed() -> Iterable[Face]:
    for file in sorted(font_manager.findSystemFonts()):
        try:
            faces = FT2Font(file).num_faces
        except (OSError, RuntimeError):  # no font that FreeType reads
            continue
        for index in range(faces):
            yield Face(file, index)


def _drawn(face: Face, characters: Collection[str]) -> set[str]:
    """Those of ``characters`` that a font has an outline for: emoji of coloured pixels and blank glyphs are none."""
    found = set()
    try:
        font = face.open()
        for character in characters:
            if font.get_char_index(ord(character)):
                font.load_char(ord(character))
                found |= {character} if len(font.get_path()[0]) else set()
    except (OSError, RuntimeError):  # a font of pixels has no outlines to load
        return set()
    return found


def _rank(face: Face) -> tuple[bool, bool, bool]:
    font = face.open()
    last = font.family_name.startswith(("Unifont", "Last Resort", "LastResort"))  # pixels; pictures of whole scripts
    return last, not font.family_name.startswith("Noto Sans"), font.style_name not in PLAIN
