import os
import random
import shutil
from pathlib import Path

import pytest

from captchad.training.pictures import font_kinds
from captchad.training.pictures.font_kinds import choose_kind
from captchad.training.pictures.fonts import FONTS_VARIABLE, has_characters, list_fonts


def test_fonts_are_of_the_kinds_asked_for_and_as_many() -> None:
    fonts = choose_kind(random.Random(1), "aB3", "bold", "serif", count=8)
    names = font_kinds.KINDS["bold"] + font_kinds.KINDS["serif"]
    assert len(fonts) == 8
    assert all(any(name in font.name.lower() for name in names) for font in fonts)


def test_fonts_have_the_signs_of_the_text() -> None:
    for number in range(20):
        [font] = choose_kind(random.Random(number), "3÷1=?", "mono")
        assert has_characters(font, "÷=?")


def test_any_font_will_do_where_none_of_the_kind_is_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(font_kinds.KINDS, "narrow", ("no font is called this",))
    font_kinds._list_kinds.cache_clear()
    try:
        assert choose_kind(random.Random(1), "abc", "narrow")
    finally:
        font_kinds._list_kinds.cache_clear()


def test_fonts_lie_where_the_environment_says_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = list_fonts()
    shutil.copy(known[0], tmp_path / f"another{known[0].suffix}")
    monkeypatch.setenv(FONTS_VARIABLE, os.pathsep.join((str(tmp_path), str(tmp_path / "nowhere"))))
    list_fonts.cache_clear()
    try:
        assert {font.name for font in list_fonts()} - {font.name for font in known} == {f"another{known[0].suffix}"}
    finally:
        list_fonts.cache_clear()
