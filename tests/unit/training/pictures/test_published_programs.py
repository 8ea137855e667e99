import random
import sys
from pathlib import Path

import numpy as np
import pytest

from captchad.training.pictures import published_programs
from captchad.training.pictures.published_programs import Program, ProgramFamily
from captchad.training.pictures.source import FamilyUnavailable
from captchad.training.pictures.texts import ShownText, draw_text

ANSWERING = """
import io, sys
from PIL import Image
for line in sys.stdin:
    seed, text = line.rstrip("\\n").split("\\t")
    buffer = io.BytesIO()
    Image.new("RGBA", (60, 20), (int(seed) % 200, 0, 0, 128)).save(buffer, "PNG")
    data = buffer.getvalue()
    sys.stdout.buffer.write(f"{len(data)}\\t{text.upper()}\\n".encode() + data)
    sys.stdout.flush()
"""


def draw_lower(source: random.Random) -> ShownText:
    return draw_text(source, {"abc": 1})


def make_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Program:
    (tmp_path / "program.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(published_programs, "FOLDER", tmp_path)
    return Program(sys.executable, "program.py", "any", draw_lower)


def test_a_program_is_asked_for_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family = ProgramFamily("any", make_program(tmp_path, monkeypatch, ANSWERING))
    one, other = (family.draw(random.Random(4)) for _ in range(2))
    family.close()
    assert np.array_equal(one.picture, other.picture)
    assert one.picture.shape[:2] == (20, 60)
    assert set(one.text) <= set("ABC")


def test_a_program_that_gives_nothing_makes_the_family_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FamilyUnavailable, match="could not draw it"):
        ProgramFamily("any", make_program(tmp_path, monkeypatch, "import sys; sys.exit(1)"))


def test_an_interpreter_that_is_not_there_makes_the_family_unavailable() -> None:
    with pytest.raises(FamilyUnavailable, match="is not installed"):
        ProgramFamily("any", Program("no-such-interpreter", "program.py", "any", draw_lower))


def test_django_simple_captcha_is_unavailable_where_no_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAPTCHAD_DJANGO_CAPTCHA_PATH", raising=False)
    name = "django-simple-captcha-sum"
    with pytest.raises(FamilyUnavailable, match="could not draw it"):
        ProgramFamily(name, published_programs.PROGRAMS[name])


@pytest.mark.parametrize("name", published_programs.PROGRAMS)
def test_every_program_knows_the_family_it_is_asked_for(name: str) -> None:
    script = published_programs.FOLDER / published_programs.PROGRAMS[name].script
    assert name.removesuffix("-sum") in script.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["svg-captcha-fixed", "captcha-canvas", "vue-client-recaptcha"])
def test_a_family_is_unavailable_where_its_package_is_not_installed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_programs, "_find_npm_folder", lambda: "")
    monkeypatch.delenv("NODE_PATH", raising=False)
    with pytest.raises(FamilyUnavailable):
        ProgramFamily(name, published_programs.PROGRAMS[name])


@pytest.mark.parametrize("name", ["svg-captcha-fixed-sum", "gregwar/captcha-sum"])
def test_arithmetic_is_drawn_with_signs_that_every_font_has(name: str) -> None:
    shown_texts = [published_programs.PROGRAMS[name].draw_shown(random.Random(number)) for number in range(200)]
    assert all(shown.drawn.isascii() and len(shown.drawn) == len(shown.text) for shown in shown_texts)
    assert all(set(shown.text) <= set("0123456789+-×/=?") for shown in shown_texts)


def test_django_arithmetic_is_read_with_the_sign_of_multiplication() -> None:
    shown_texts = [
        published_programs.PROGRAMS["django-simple-captcha-sum"].draw_shown(random.Random(n)) for n in range(50)
    ]
    assert all(shown.text == shown.drawn.replace("*", "×") for shown in shown_texts)
    differences = [shown.drawn[:-1].split("-") for shown in shown_texts if "-" in shown.drawn]
    assert all(int(first) >= int(second) for first, second in differences)
