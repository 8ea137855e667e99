"""The page that tries the API, in a real browser."""

import json
from typing import Any

from playwright.async_api import Locator, Page, expect

from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Consumer, Settlement
from captchad.broker.dead_letter_limits import DeadLetterLimits
from captchad.domain.api_key import Scope
from captchad.domain.page import Evidence
from captchad.domain.recognition import CaptchaKind
from captchad.domain.task import TaskResult
from captchad.web.api.schema import TaskBody
from captchad.web.api.session_schema import Cookie, Fill, SessionBody
from tests.accessibility import find_grave_faults, measure_overflow
from tests.integration.gateway.conftest import RunningGateway, StartGateway, configure
from tests.integration.gateway.requests_to_send import make_png
from tests.watched_page import WatchedPage

SITE = "http://captcha.example.com/"
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><script>window.hacked=1</script></svg>'


async def open_docs(gateway: RunningGateway, watched: WatchedPage) -> Page:
    await watched.page.goto(f"{gateway.url}/docs")
    await expect(watched.page.locator(".route").first).to_be_visible()
    return watched.page


def route(page: Page, name: str) -> Locator:
    return page.locator(f"#{name}")


async def send(page: Page, name: str, body: Any = None) -> Locator:
    """Send a route's form, opened if need be; return where the answer shows."""
    form = route(page, name)
    if await form.get_attribute("open") is None:
        await form.locator("summary").first.click()
    if body is not None:
        await form.locator("textarea").fill(json.dumps(body))
    await form.get_by_role("button", name="Send").click()
    return form.locator(".output")


async def complete(broker: Broker, text: str, evidence: Evidence | None = None) -> None:
    consumer = Consumer(broker, broker.partitions[0], "worker", "worker.1", DeadLetterLimits(100, 1_000_000))
    [delivery] = await consumer.take(1)
    result = TaskResult(text, 0.9, CaptchaKind.TEXT, "test")
    settlement = Settlement(delivery, AttemptOutcome.COMPLETED, result=result, evidence=evidence)
    assert await consumer.settle([settlement]) == ["completed"]


async def test_with_keys_the_page_opens_and_asks_for_one(start_gateway: StartGateway, watched: WatchedPage) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        text, _ = await gateway.keys.create("tester", frozenset({Scope.READ, Scope.SUBMIT}), ())
        page = watched.page
        answer = await page.goto(f"{gateway.url}/docs")
        assert answer is not None
        assert answer.status == 200
        await expect(page.locator("#key-form")).to_be_visible()
        await page.get_by_label("API key").fill("ck_wrong_key")
        await page.keyboard.press("Enter")
        await expect(page.locator("#key-reason")).to_have_text(
            "This key is not valid. Keys with the scope “read”, “read_all” or “admin” may read this page’s document. "
            "The key is kept in this tab only."
        )
        await page.get_by_label("API key").fill(text)
        await page.keyboard.press("Enter")
        await expect(await send(page, "submit_task", {"url": SITE})).to_contain_text("202")
        await expect(page.locator("#key-form")).to_be_hidden()
        await expect(page.locator("#key-line")).not_to_contain_text(text)
        await page.reload()
        await expect(await send(page, "list_tasks")).to_contain_text("captcha.example.com")


async def test_a_key_that_may_not_read_is_told_so_and_may_still_submit(
    start_gateway: StartGateway, watched: WatchedPage
) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        reader, _ = await gateway.keys.create("reader", frozenset({Scope.READ}), ())
        submitter, _ = await gateway.keys.create("submitter", frozenset({Scope.SUBMIT}), ())
        page = watched.page
        await page.goto(f"{gateway.url}/docs")
        await page.get_by_label("API key").fill(submitter)
        await page.keyboard.press("Enter")
        await expect(page.locator("#key-reason")).to_contain_text("lacks the scope read")
        await page.get_by_label("API key").fill(reader)
        await page.keyboard.press("Enter")
        output = await send(page, "submit_task", {"url": SITE})
        await expect(output).to_contain_text("lacks the scope submit")
        await page.locator("#key-change").click()
        await page.get_by_label("API key").fill(submitter)
        await page.keyboard.press("Enter")
        await route(page, "submit_task").get_by_role("button", name="Send").click()
        await expect(output).to_contain_text("202")


async def test_submitting_comes_first_and_every_field_is_explained(
    gateway: RunningGateway, watched: WatchedPage
) -> None:
    page = await open_docs(gateway, watched)
    first = page.locator(".route").first
    await expect(first).to_have_id("submit_task")
    await expect(first.get_by_role("button", name="Send")).to_be_visible()
    await first.get_by_text("Fields of the body").click()
    names = await first.locator("dt code").all_text_contents()
    meanings = await first.locator("dd").all_text_contents()
    fields = dict(zip(names, meanings, strict=True))
    assert [name for name, meaning in fields.items() if not meaning] == []
    assert set(TaskBody.model_fields) <= set(fields)
    for prefix, model in (("session.", SessionBody), ("session.cookies[].", Cookie), ("fill.", Fill)):
        assert {prefix + name for name in model.model_fields} <= set(fields)
    assert {"hints.charset", "hints.kind"} <= set(fields)
    kinds = await first.locator("dt", has_text="priority").text_content()
    assert kinds is not None
    assert all(f'"{priority}"' in kinds for priority in ("high", "normal", "low"))


async def test_examples_show_what_a_body_may_hold(gateway: RunningGateway, watched: WatchedPage) -> None:
    page = await open_docs(gateway, watched)
    body = route(page, "submit_task").get_by_label("Body", exact=True)
    seen = set()
    for name in await route(page, "submit_task").get_by_label("Begin with").locator("option").all_text_contents():
        await page.get_by_label("Begin with").first.select_option(name)
        seen |= set(json.loads(await body.input_value()))
    assert {"url", "image", "target", "priority", "hints", "session", "fill", "evidence", "return_session"} <= seen


async def test_a_task_is_submitted_and_its_evidence_seen(
    gateway: RunningGateway, broker: Broker, watched: WatchedPage
) -> None:
    page = await open_docs(gateway, watched)
    await expect(await send(page, "submit_task", {"url": SITE, "evidence": True})).to_contain_text(
        '"status": "pending"'
    )
    await complete(broker, HOSTILE, Evidence(SVG, make_png(60, 20), "img"))
    output = await send(page, "task_status")
    await expect(output.locator("pre")).to_contain_text("window.hacked=1")
    await expect(output.locator("figcaption")).to_have_text(["The captcha’s picture", "The page as it was"])
    for name in ("task_image", "task_screenshot"):
        await expect((await send(page, name)).locator("img")).to_have_count(1)
    for picture in await page.locator("img").all():
        await expect(picture).not_to_have_js_property("naturalWidth", 0)
    assert await page.evaluate("window.hacked") is None
    await expect(page.locator("main script")).to_have_count(0)
    assert {url for url in watched.requested if not url.startswith((f"{gateway.url}/", "blob:", "data:"))} == set()
    assert watched.complaints == []


async def test_a_refusal_is_shown_with_its_reason(gateway: RunningGateway, watched: WatchedPage) -> None:
    page = await open_docs(gateway, watched)
    output = await send(page, "submit_task", {"url": SITE, HOSTILE: 1})
    await expect(output.locator("p")).to_contain_text("400")
    await expect(output.locator("pre")).to_contain_text("<img src=x")
    assert await page.evaluate("window.hacked") is None


async def test_the_event_stream_is_shown_until_it_is_stopped(gateway: RunningGateway, watched: WatchedPage) -> None:
    page = await open_docs(gateway, watched)
    output = await send(page, "stream")
    await expect(output.locator("p")).to_contain_text("200")
    task_id = await gateway.submit()
    await expect(output.locator("pre")).to_contain_text(task_id)
    await route(page, "stream").get_by_role("button", name="Stop").click()
    await expect(output.locator("p")).to_have_text("Stopped.")
    await expect(route(page, "stream").get_by_role("button", name="Send")).to_be_visible()


async def test_everybody_can_read_the_page(gateway: RunningGateway, broker: Broker, watched: WatchedPage) -> None:
    page = await open_docs(gateway, watched)
    await expect(await send(page, "submit_task", {"url": SITE, "evidence": True})).to_contain_text("202")
    await complete(broker, "7KMP", Evidence(make_png(2000, 40), make_png(60, 20), "img"))
    await expect((await send(page, "task_status")).locator("img")).to_have_count(2)
    await expect(await send(page, "submit_batch", {"tasks": []})).to_contain_text("400")
    await page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert await find_grave_faults(page) == []
    assert await measure_overflow(page) == 0


async def test_everybody_can_read_that_a_key_is_needed(start_gateway: StartGateway, watched: WatchedPage) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        page = watched.page
        await page.goto(f"{gateway.url}/docs")
        await expect(page.locator("#key-form")).to_be_visible()
        assert await find_grave_faults(page) == []
        assert await measure_overflow(page) == 0
