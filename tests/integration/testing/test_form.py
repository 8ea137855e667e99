"""A form filled on a page of the caller's own, in a real Chromium, by both of Playwright's APIs."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.async_api import async_playwright
from playwright.sync_api import sync_playwright

from captchad.browser.launch.executable import find_executable
from captchad.client.errors import TaskFailed
from captchad.client.results import Failure, Solution, Task
from captchad.domain.task import TaskStatus
from captchad.runtime.clock import Clock
from captchad.testing.errors import CaptchaNotFilled
from captchad.testing.form import Filled, Form, FormFiller, run_on_page, run_on_page_async
from tests.integration.testing.captcha_page import CaptchaPage, serve_captcha_page

WRONG = "WRONG"
UNREADABLE = "UNREADABLE"
RIGHT = "RIGHT"
FORM = Form("#captcha", "[name=code]", submit="button", success="text:Welcome")

Fill = Callable[..., Filled]


@pytest.fixture
def site() -> Iterator[CaptchaPage]:
    with serve_captcha_page() as page:
        yield page


class Reader:
    """Reads pictures as a test tells it to; it has seen what it was sent."""

    def __init__(self, site: CaptchaPage, readings: list[str]) -> None:
        self._site = site
        self._readings = readings
        self.seen: list[bytes] = []

    def read(self, picture: bytes) -> Solution:
        self.seen.append(picture)
        reading = self._readings.pop(0)
        if reading == UNREADABLE:
            raise TaskFailed(Task("task_1", TaskStatus.FAILED, error=Failure("captcha_unreadable", "", True)))
        return Solution("task_1", self._site.truth if reading == RIGHT else reading, 0.9)

    async def read_async(self, picture: bytes) -> Solution:
        await asyncio.sleep(0)
        return self.read(picture)


def fill_sync(url: str, form: Form, reader: Reader, prepare: str = "", limit_ms: int = 30_000) -> Filled:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_executable(None, playwright.chromium.executable_path))
        page = browser.new_page()
        page.set_default_timeout(limit_ms)
        page.goto(url)
        if prepare:
            page.evaluate(prepare)
        try:
            return run_on_page(FormFiller(page, form, reader.read, Clock()).fill())
        finally:
            browser.close()


def fill_async(url: str, form: Form, reader: Reader, prepare: str = "", limit_ms: int = 30_000) -> Filled:
    async def run() -> Filled:
        async with async_playwright() as playwright:
            executable = find_executable(None, playwright.chromium.executable_path)
            browser = await playwright.chromium.launch(executable_path=executable)
            page = await browser.new_page()
            page.set_default_timeout(limit_ms)
            await page.goto(url)
            if prepare:
                await page.evaluate(prepare)
            try:
                return await run_on_page_async(FormFiller(page, form, reader.read_async, Clock()).fill())
            finally:
                await browser.close()

    return asyncio.run(run())


@pytest.fixture(params=[fill_sync, fill_async], ids=["sync", "async"])
def fill(request: pytest.FixtureRequest) -> Any:
    """Fill a form with one of the two APIs."""
    return request.param


def test_a_wrong_answer_is_tried_again_with_the_picture_that_the_page_shows_next(fill: Fill, site: CaptchaPage) -> None:
    reader = Reader(site, [WRONG, RIGHT])
    form = Form("#captcha", "[name=code]", submit="button", success="url:/welcome", fields={"[name=user]": "anna"})
    filled = fill(site.url, form, reader)
    assert (filled.tries, filled.verified) == (2, True)
    assert [answer["user"] for answer in site.answers] == ["anna", "anna"]
    assert len({hashlib.sha256(picture).digest() for picture in reader.seen}) == 2
    assert site.pictures == 2, "a picture was fetched a second time"


def test_a_page_that_stays_draws_another_picture_where_it_is_asked_to(fill: Fill, site: CaptchaPage) -> None:
    form = Form(
        "#captcha",
        "[name=code]",
        submit="button",
        success="text:Welcome",
        failure="text:Wrong code",
        refresh="#refresh",
    )
    # The message of the first wrong answer still stands there when the second is sent.
    filled = fill(f"{site.url}/script", form, Reader(site, [WRONG, UNREADABLE, WRONG, RIGHT]))
    assert (filled.tries, filled.verified, len(site.answers)) == (4, True, 3)


@pytest.mark.parametrize(
    ("argument", "form"),
    [
        ("picture", Form("#missing", "[name=code]")),
        ("input", Form("#captcha", "#missing")),
        ("submit", Form("#captcha", "[name=code]", submit="#missing")),
    ],
)
def test_a_wrong_selector_is_told_by_its_argument(fill: Fill, site: CaptchaPage, argument: str, form: Form) -> None:
    with pytest.raises(CaptchaNotFilled, match=f"{argument}= '#missing' matches nothing at {site.url}/"):
        fill(site.url, form, Reader(site, [RIGHT]), limit_ms=2_000)


def test_an_answer_that_is_never_right_says_what_was_tried(fill: Fill, site: CaptchaPage) -> None:
    form = Form("#captcha", "[name=code]", submit="button", success="text:Welcome", retry_count=1)
    with pytest.raises(CaptchaNotFilled, match="took none of 2 answers: ONE, TWO"):
        fill(site.url, form, Reader(site, ["ONE", "TWO"]))
    assert len(site.answers) == 2


def test_without_a_button_enter_is_pressed_and_without_conditions_nothing_is_judged(
    fill: Fill, site: CaptchaPage
) -> None:
    filled = fill(site.url, Form("#captcha", "[name=code]"), Reader(site, [WRONG]))
    assert (filled.text, filled.verified) == (WRONG, None)


def test_the_text_may_be_typed_alone(fill: Fill, site: CaptchaPage) -> None:
    filled = fill(
        site.url, Form("#captcha", "[name=code]", submit=False, success="text:Welcome"), Reader(site, [RIGHT])
    )
    assert (filled.verified, site.answers) == (None, [])


def test_a_page_that_shows_the_same_picture_again_is_told(
    fill: Fill, site: CaptchaPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("captchad.testing.form.PATIENCE_SECONDS", 2.0)
    with pytest.raises(CaptchaNotFilled, match="name what draws a new one with refresh="):
        fill(f"{site.url}/script", FORM, Reader(site, [WRONG]))


def test_a_form_that_is_gone_without_success_is_told(
    fill: Fill, site: CaptchaPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("captchad.testing.form.PATIENCE_SECONDS", 2.0)
    with pytest.raises(CaptchaNotFilled, match=r"the form is gone, but 'text:Welcome' does not show at http.*/gone"):
        fill(f"{site.url}/gone", FORM, Reader(site, [RIGHT]))


@pytest.mark.parametrize(
    "prepare",
    [
        # Its pixels belong to another origin, so that no script may see them.
        "document.querySelector('#captcha').src = location.href.replace('127.0.0.1', 'localhost') + 'picture'",
        "document.querySelector('#captcha').outerHTML = '<div id=captcha style=\"width:90px;height:30px\">7 K 3</div>'",
        "document.querySelector('#captcha').outerHTML = '<canvas id=captcha width=90 height=30></canvas>'",
    ],
    ids=["foreign", "element", "canvas"],
)
def test_what_no_script_may_see_and_what_is_no_image_is_taken_as_it_looks(
    fill: Fill, site: CaptchaPage, prepare: str
) -> None:
    reader = Reader(site, ["TEXT"])
    fill(f"{site.url}/", Form("#captcha", "[name=code]", submit=False), reader, prepare)
    assert reader.seen[0].startswith(b"\x89PNG")
