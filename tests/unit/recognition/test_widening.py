"""The packaged model and the wide one together, on the pictures in `wide_pictures`."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path
from string import ascii_letters, digits

import pytest

from captchad.domain.charsets import ARABIC_DIGITS, CYRILLIC, PERSIAN_DIGITS
from captchad.domain.recognition import WIDE_MODEL, CaptchaKind, Hints, Recognition
from captchad.recognition.captchad_engine import load_captchad_engine
from captchad.recognition.decoding import Pixels, decode_picture
from captchad.recognition.engines import load_engine
from captchad.recognition.model import find_packaged_model
from captchad.recognition.model_registry import ModelRegistry
from captchad.recognition.recognition_engine import RecognitionEngine
from captchad.recognition.service import RecognitionService
from captchad.recognition.wide_engine import find_wide_model
from captchad.recognition.widening import load_target_engine
from captchad.runtime.spawn import TaskSet
from tests.benchmarks.captcha_families import draw_wheezy

PICTURES = Path(__file__).parent / "wide_pictures"
MODEL_LIMIT_BYTES = 15_000_000


def decode(name: str) -> Pixels:
    return decode_picture((PICTURES / f"{name}.png").read_bytes())


@pytest.fixture(scope="module")
def engine() -> RecognitionEngine:
    return load_engine()


def read(engine: RecognitionEngine, name: str, hints: Hints | None = None) -> Recognition:
    return engine.recognise([decode(name)], [hints or Hints()])[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("chinese", "森林海洋"),
        ("chinese_latin", "桥7光K"),
        ("cyrillic", "БДЖЯФЩ"),
        ("persian", "۴۷۲۶۵"),
        ("arabic", "٤٧٢٦٥"),
        ("signs", "K#4@m&"),
    ],
)
def test_what_a_picture_shows_is_enough(engine: RecognitionEngine, name: str, text: str) -> None:
    found = read(engine, name)
    assert (found.text, found.kind) == (text, CaptchaKind.TEXT)
    assert [character.text for character in found.characters] == list(text)
    assert found.recogniser.startswith("captchad-wide-")


@pytest.mark.parametrize(
    ("name", "expression", "result"), [("sum_of_words", "7 + 5", "12"), ("sum_of_digits", "8 × 6", "48")]
)
@pytest.mark.parametrize("hints", [Hints(), Hints(kind=CaptchaKind.MATH)])
def test_chinese_arithmetic_is_worked_out(
    engine: RecognitionEngine, name: str, expression: str, result: str, hints: Hints
) -> None:
    found = read(engine, name, hints)
    assert (found.kind, found.expression, found.text) == (CaptchaKind.MATH, expression, result)


@pytest.mark.parametrize(
    ("name", "charset"),
    [
        ("cyrillic", CYRILLIC),
        ("persian", PERSIAN_DIGITS),
        ("arabic", ARABIC_DIGITS),
        ("signs", ascii_letters + digits + "@#&"),
        ("chinese", "森林海洋江河"),
    ],
)
def test_a_charset_of_wide_symbols_is_kept_to(engine: RecognitionEngine, name: str, charset: str) -> None:
    found = read(engine, name, Hints(charset=charset, min_length=3))
    assert found.text
    assert set(found.text) <= set(charset)
    assert found.recogniser.startswith("captchad-wide-")


def test_a_charset_of_the_packaged_models_own_symbols_never_asks_the_wide_one(engine: RecognitionEngine) -> None:
    found = read(engine, "cyrillic", Hints(charset=ascii_letters + digits))
    assert set(found.text) <= set(ascii_letters + digits)
    assert not found.recogniser.startswith("captchad-wide-")


def test_a_batch_is_read_as_one_after_another_is(engine: RecognitionEngine) -> None:
    names = ["chinese", "sum_of_words", "cyrillic", "signs"]
    hints = [Hints(), Hints(), Hints(charset=CYRILLIC), Hints(kind=CaptchaKind.TEXT)]
    together = engine.recognise([decode(name) for name in names], hints)
    alone = [read(engine, name, hint) for name, hint in zip(names, hints, strict=True)]
    assert [one.text for one in together] == [one.text for one in alone]


def test_the_packaged_models_own_pictures_are_read_as_by_it_alone(engine: RecognitionEngine) -> None:
    source = random.Random("own")
    pictures = [decode_picture(draw_wheezy(source).picture) for _ in range(20)]
    hints = [Hints()] * len(pictures)
    alone = load_captchad_engine().recognise(pictures, hints)
    assert [one.text for one in engine.recognise(pictures, hints)] == [one.text for one in alone]


def test_a_target_reads_with_the_wide_model_by_its_name_and_with_its_own_as_far_as_that_reads() -> None:
    wide = load_target_engine(Path(WIDE_MODEL))
    assert wide is load_target_engine(Path(WIDE_MODEL))
    assert read(wide, "cyrillic").text == "БДЖЯФЩ"
    own = load_target_engine(find_packaged_model())
    assert own.name == load_captchad_engine().name
    # Without a hint the site's own model is the one that knows the site.
    assert not read(own, "cyrillic").recogniser.startswith("captchad-wide-")
    assert read(own, "cyrillic", Hints(charset=CYRILLIC)).text == "БДЖЯФЩ"


async def test_a_worker_reads_wide_pictures_by_hint_by_target_and_by_what_they_show() -> None:
    service = RecognitionService(load_engine, 4, ModelRegistry(lambda: {"one.example": WIDE_MODEL}, load_target_engine))
    work = TaskSet("test")
    await service.start()
    try:
        work.spawn(service.run(), "run")
        picture = (PICTURES / "cyrillic.png").read_bytes()
        found = await asyncio.gather(
            service.recognise(picture, Hints()),
            service.recognise(picture, Hints(charset=CYRILLIC)),
            service.recognise(picture, Hints(), "one.example"),
            service.recognise((PICTURES / "sum_of_words.png").read_bytes(), Hints()),
        )
    finally:
        await service.close()
        await work.cancel_all()
    assert [one.text for one in found] == ["БДЖЯФЩ", "БДЖЯФЩ", "БДЖЯФЩ", "12"]


def test_the_wide_model_is_loaded_with_the_first_picture_that_needs_it() -> None:
    program = (
        "import numpy as np;"
        "from captchad.domain.recognition import Hints;"
        "from captchad.recognition.engines import load_engine;"
        "from captchad.recognition.widening import load_shared_wide_engine as wide;"
        "engine, blank = load_engine(), np.full((40, 120), 255, np.uint8);"
        "engine.recognise([blank], [Hints(charset='abc')]);"
        "print(wide.cache_info().currsize, end=' ');"
        "engine.recognise([blank], [Hints(charset='яЯ')]);"
        "print(wide.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "0 1\n"


def test_the_packaged_file_is_small_enough_for_the_wheel() -> None:
    assert find_wide_model().stat().st_size <= MODEL_LIMIT_BYTES
