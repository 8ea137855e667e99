"""A page says which characters of its captcha count; a real browser and the real engine read it."""

import functools
import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image, ImageDraw, ImageFont

from captchad.broker.consumer import Delivery
from captchad.domain.errors import AttemptFailed
from captchad.domain.recognition import Hints, Position, Recognition, Side
from captchad.domain.task import TaskRequest, TaskResult
from captchad.recognition.captchad_engine import CaptchadEngine, load_captchad_engine
from captchad.recognition.service import read_pictures
from captchad.solving.reading import UNCLEAR_CONFIDENCE, PictureReader
from captchad.solving.solver import Solver
from captchad.solving.task_target import find_task_target
from captchad.telemetry.metrics import Metrics
from tests.integration.browser.stage import LocalSite, Stage
from tests.patience import PATIENCE_SECONDS
from tests.permits import make_permits

pytestmark = pytest.mark.asyncio(loop_scope="module")

LETTERS = (("7", "blue"), ("K", "red"), ("M", "green"), ("4", "red"), ("H", "black"), ("X", "red"))
PICTURE = '<img src="/captcha.png" alt="captcha">'


@functools.cache
def load_engine() -> CaptchadEngine:
    return load_captchad_engine()


def draw() -> bytes:
    picture = Image.new("RGB", (220, 60), "white")
    for number, (letter, ink) in enumerate(LETTERS):
        ImageDraw.Draw(picture).text((34 * number + 12, 6), letter, fill=ink, font=ImageFont.load_default(38))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


async def recognise(picture: bytes, hints: Hints, host: str) -> Recognition:
    with ThreadPoolExecutor(max_workers=1) as thread:
        [outcome] = thread.submit(lambda: read_pictures(load_engine(), [(picture, hints)])).result()
    if isinstance(outcome, AttemptFailed):
        raise outcome
    return outcome


async def solve(stage: Stage, site: LocalSite, form: str, hints: Hints | None = None) -> TaskResult:
    site.put_picture("/captcha.png", draw())
    site.put_page("/", f"<form><h1>Log in</h1>{form}</form>")
    solver = Solver(
        stage.engine,
        PictureReader(recognise, lambda: 0.0),
        make_permits(),
        Metrics("worker", "test", "0"),
        stage.clock,
        lambda _: False,
    )
    request = TaskRequest("127.0.0.1", url=site.url(), hints=hints or Hints(), timeout_seconds=PATIENCE_SECONDS)
    delivery = Delivery("id", 0, "token", 1, request, queued_ms=0.0, remaining_seconds=PATIENCE_SECONDS)
    settlement = await solver.solve(delivery, find_task_target(stage.policy.targets, request, stage.clock.today()))
    assert settlement.result is not None, settlement.error
    return settlement.result


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (f"<p>Please enter only the red letters:</p>{PICTURE}<input name=code>", "K4X"),
        (f"{PICTURE}<input name=code placeholder='只输入红色字符'>", "K4X"),
        (f"<label for=code>验证码（请输入后三位）</label>{PICTURE}<input id=code name=code>", "4HX"),
        (f"{PICTURE}<input name=code><small>Type the first two characters.</small>", "7K"),
        (f"<p>Enter the characters you see</p>{PICTURE}<input name=code>", "7KM4HX"),
    ],
)
async def test_what_the_page_asks_for_is_what_is_answered(stage: Stage, site: LocalSite, form: str, text: str) -> None:
    result = await solve(stage, site, form)
    assert result.captcha_text == text
    assert result.confidence > UNCLEAR_CONFIDENCE


@pytest.mark.parametrize(
    "instruction",
    ["Enter all letters except the red letters", "请倒序输入验证码", "Enter the orange letters"],
)
async def test_what_is_not_understood_or_not_there_is_answered_with_little_confidence(
    stage: Stage, site: LocalSite, instruction: str
) -> None:
    result = await solve(stage, site, f"<p>{instruction}</p>{PICTURE}<input name=code>")
    assert result.confidence <= UNCLEAR_CONFIDENCE


async def test_the_callers_own_hints_outweigh_the_page(stage: Stage, site: LocalSite) -> None:
    form = f"<p>Enter only the red letters</p>{PICTURE}<input name=code>"
    assert (await solve(stage, site, form, Hints(colour="blue"))).captcha_text == "7"
    assert (await solve(stage, site, form, Hints(position=Position(Side.FIRST, 3)))).captcha_text == "7KM"
