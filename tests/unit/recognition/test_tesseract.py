"""The tesseract engine: the real program, and programs in its place that misbehave."""

import logging
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from captchad.domain.errors import DependencyMissing
from captchad.domain.recognition import CaptchaKind, Hints, Recognition
from captchad.recognition import tesseract
from captchad.recognition.decoding import Pixels
from captchad.recognition.tesseract import GREATEST_CONFIDENCE, TesseractEngine, load_tesseract
from tests.benchmarks.captcha_families import FONT

EMPTY = Recognition("", 0.0, "tesseract-0")


def write_line(text: str, ground: int = 255, ink: int = 0) -> Pixels:
    image = Image.new("L", (30 * len(text), 60), ground)
    ImageDraw.Draw(image).text((10, 10), text, font=ImageFont.truetype(FONT, 36), fill=ink)
    return np.asarray(image)


def replace_program(folder: Path, script: str) -> TesseractEngine:
    program = folder / "tesseract"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return TesseractEngine(str(program), "0")


@pytest.mark.parametrize(("ground", "ink"), [(255, 0), (0, 255)])
def test_plain_text_is_read_dark_on_light_and_light_on_dark(ground: int, ink: int) -> None:
    (found,) = load_tesseract().recognise([write_line("HELLO42", ground, ink)], [Hints()])
    assert (found.text, found.kind) == ("HELLO42", CaptchaKind.TEXT)
    assert 0 < found.confidence <= GREATEST_CONFIDENCE


@pytest.mark.parametrize("kind", [None, CaptchaKind.MATH])
def test_arithmetic_is_worked_out(kind: CaptchaKind | None) -> None:
    (found,) = load_tesseract().recognise([write_line("12+5=?")], [Hints(kind=kind)])
    assert (found.text, found.expression, found.kind) == ("17", "12 + 5", CaptchaKind.MATH)


def test_a_program_that_is_not_there_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(DependencyMissing, match="apt-get install tesseract-ocr"):
        load_tesseract()


@pytest.mark.parametrize(("script", "message"), [("exit 3", "can't be run"), ("echo osd", "no English model")])
def test_a_program_that_does_not_work_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    replace_program(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyMissing, match=message):
        load_tesseract()


@pytest.mark.parametrize(
    "script",
    ["exit 1", "kill -9 $$", "cat >/dev/null; printf 'rubbish\\t\\377'", "exec <&-; exit 0", "cat >/dev/null"],
)
def test_whatever_the_program_does_the_picture_is_only_unread(tmp_path: Path, script: str) -> None:
    source = random.Random(1)
    large = np.array([[source.randrange(256) for _ in range(900)] for _ in range(40)], dtype=np.uint8)
    assert replace_program(tmp_path, script).recognise([large], [Hints()]) == [EMPTY]


def test_a_program_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tesseract, "WALL_LIMIT_SECONDS", 0.2)
    with caplog.at_level(logging.WARNING):
        assert replace_program(tmp_path, "exec sleep 600").recognise([write_line("A")], [Hints()]) == [EMPTY]
    assert "took more than" in caplog.text


def test_memory_and_cpu_time_are_bounded(tmp_path: Path) -> None:
    limits = tmp_path / "limits"
    engine = replace_program(tmp_path, f"cat >/dev/null; (ulimit -t; ulimit -v) >{limits}")
    engine.recognise([write_line("A")], [Hints()])
    assert limits.read_text().split() == [
        str(tesseract.CPU_LIMIT_SECONDS),
        str(tesseract.MEMORY_LIMIT_BYTES // 1024),
    ]
