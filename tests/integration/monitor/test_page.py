"""The monitor's page in a real browser, on a real Redis."""

import re

from playwright.async_api import expect

from captchad.broker.api_keys import ApiKeys
from captchad.broker.captcha_watch import CaptchaWatch
from captchad.broker.connection import Broker
from captchad.broker.housekeeping import LeaderLease
from captchad.broker.target_closures import TargetClosures
from captchad.config.settings import RedisSection
from captchad.domain.api_key import Scope
from captchad.domain.captcha_drift import CaptchaObservation, CaptchaState, DriftSignal
from captchad.domain.task import Priority
from captchad.runtime.clock import Clock
from tests.integration.monitor.fleet import CLOSED, MonitorUnderTest, SmallFleet, make_small_fleet
from tests.integration.protocol import close_fill
from tests.redis_server import RedisServer
from tests.watched_page import WatchedPage

HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\'"&lt;'


async def test_the_page_shows_the_fleet(monitor: MonitorUnderTest, fleet: SmallFleet, watched: WatchedPage) -> None:
    await fleet.report_all()
    page = watched.page
    await page.goto(monitor.url)
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    await expect(page.locator("#roles .card")).to_have_count(4)
    await expect(page.locator("#roles")).to_contain_text("scheduler-1")
    worker = page.locator("#workers tbody tr")
    await expect(worker).to_contain_text("2 of 4")
    await expect(worker).to_contain_text("Chromium 131")
    await expect(worker).to_contain_text("393 MiB")
    await expect(page.locator("#hosts")).to_contain_text("43 %")
    await expect(page.locator("#tasks")).to_contain_text("No task yet")


async def test_tasks_appear_and_change_while_one_looks(
    monitor: MonitorUnderTest, fleet: SmallFleet, watched: WatchedPage
) -> None:
    await fleet.report_all()
    page = watched.page
    await page.goto(monitor.url)
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    task_id = await fleet.submit(priority=Priority.HIGH)
    row = page.locator(f'#tasks tr[data-key="{task_id}"]')
    await expect(row.locator(".badge")).to_have_text("pending")
    await expect(page.locator("#queues")).to_contain_text("high")
    await fleet.complete("xK7pq")
    await expect(row.locator(".badge")).to_have_text("completed")
    await expect(row.locator(".captcha")).to_have_text("xK7pq")
    await expect(row).to_contain_text("93 %")
    await expect(row).to_contain_text("412 ms")
    await fleet.submit()
    await fleet.fail("no picture that looks like a captcha")
    await expect(page.locator("#tasks")).to_contain_text("captcha_not_found")
    await expect(page.locator("#throughput rect.failed")).to_have_count(1)


async def test_a_captcha_that_has_changed_is_named_with_its_target(
    monitor: MonitorUnderTest, broker: Broker, watched: WatchedPage
) -> None:
    page = watched.page
    await page.goto(monitor.url)
    await expect(page.locator("#captchas")).to_contain_text("No captcha has been read yet.")
    assert await LeaderLease(broker, "s.1", lease_seconds=60).hold()
    watch = CaptchaWatch(broker)
    await watch.add([CaptchaObservation(host, 160, 60, 0.9, "model") for host in ("a.example", HOSTILE)])
    states = {
        "a.example": CaptchaState(visits=1234),
        HOSTILE: CaptchaState(visits=7, changes=1, signals=(DriftSignal.SIZE, DriftSignal.CONFIDENCE)),
    }
    await watch.fold("s.1", await watch.read_observed(), states, {HOSTILE})
    quiet, changed = (page.locator("#captchas tbody tr").filter(has_text=text) for text in ("a.example", "onerror"))
    await expect(quiet).to_contain_text("watched")
    await expect(quiet).to_contain_text("1,234")
    await expect(changed).to_contain_text("learning")
    await expect(changed).to_contain_text("size, confidence")
    await expect(changed).to_contain_text("ago")
    await expect(page.locator("#alerts")).to_contain_text("CaptchaChanged")
    await expect(page.locator("#captchas-note")).to_have_text("2 targets")
    assert await page.evaluate("window.hacked") is None


async def test_a_target_where_no_form_is_filled_is_an_alert_and_a_metric(
    monitor: MonitorUnderTest, broker: Broker, watched: WatchedPage
) -> None:
    page = watched.page
    await page.goto(monitor.url)
    await close_fill(broker, CLOSED)
    await expect(page.locator("#alerts")).to_contain_text("FillClosed")
    await expect(page.locator("#alerts code")).to_have_text(f"captchad targets reopen {CLOSED}")
    text, _ = await monitor.exposition.render_fresh()
    assert f'captchad_fill_closed_timestamp_seconds{{target="{CLOSED}"}}'.encode() in text
    await TargetClosures(broker).reopen(CLOSED)
    await expect(page.locator("#alerts")).not_to_contain_text("FillClosed")
    text, _ = await monitor.exposition.render_fresh()
    assert b"captchad_fill_closed_timestamp_seconds{" not in text


async def test_hostile_text_stays_text(monitor: MonitorUnderTest, fleet: SmallFleet, watched: WatchedPage) -> None:
    await fleet.report_all(host=HOSTILE)
    page = watched.page
    await fleet.submit(target=HOSTILE)
    await fleet.complete(HOSTILE)
    await fleet.submit(target=HOSTILE)
    await fleet.fail(HOSTILE)
    await fleet.submit(target=HOSTILE)
    await page.goto(monitor.url)
    await expect(page.locator("#tasks .captcha")).to_have_text(HOSTILE)
    await expect(page.locator("#targets")).to_contain_text(HOSTILE)
    assert await page.evaluate("window.hacked") is None
    assert await page.locator("main img, main script").count() == 0


async def test_nothing_leaves_the_origin_and_nothing_is_complained_of(
    monitor: MonitorUnderTest, fleet: SmallFleet, watched: WatchedPage
) -> None:
    await fleet.report_all()
    page = watched.page
    await page.goto(monitor.url)
    await expect(page.locator("#roles .card")).to_have_count(4)
    await page.locator("#theme").click()
    await page.locator("#throughput svg").focus()
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator("#throughput .tip")).to_contain_text("completed")
    assert {url for url in watched.requested if not url.startswith(f"{monitor.url}/")} == set()
    assert watched.complaints == []


async def test_one_stream_serves_the_page_without_polling(
    monitor: MonitorUnderTest, fleet: SmallFleet, watched: WatchedPage
) -> None:
    page = watched.page
    await page.goto(monitor.url)
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    for _ in range(3):
        task_id = await fleet.submit()
        await expect(page.locator(f'#tasks tr[data-key="{task_id}"]')).to_be_visible()
    assert sum(url.endswith("/events") for url in watched.requested) == 1


class HastyClock(Clock):
    """A clock on which alerts need not be waited for."""

    def monotonic_seconds(self) -> float:
        return 20 * super().monotonic_seconds()


async def test_the_page_says_that_redis_is_away_and_recovers(own_redis: RedisServer, watched: WatchedPage) -> None:
    broker = Broker(RedisSection(), "test", url_override=own_redis.url)
    await broker.start()
    fleet, monitor = make_small_fleet(broker), MonitorUnderTest(broker, clock=HastyClock())
    await monitor.start()
    await fleet.report_all()
    page = watched.page
    await page.goto(monitor.url)
    connection = page.locator("#connection")
    await expect(connection).to_have_attribute("data-state", "live")
    own_redis.kill()
    await expect(connection).to_have_attribute("data-state", "away")
    await expect(page.locator("#alerts")).to_contain_text("BrokerUnavailable")
    await expect(page.locator("#roles .card")).to_have_count(4)
    own_redis.start()
    await expect(connection).to_have_attribute("data-state", "live")
    await expect(page.locator("#alerts")).not_to_contain_text("BrokerUnavailable")
    await monitor.stop()
    await broker.close()


async def test_a_page_opened_while_redis_is_away_says_so(own_redis: RedisServer, watched: WatchedPage) -> None:
    broker = Broker(RedisSection(), "test", url_override=own_redis.url)
    await broker.start()
    own_redis.kill()
    monitor = MonitorUnderTest(broker)
    await monitor.start()
    page = watched.page
    await page.goto(monitor.url)
    await expect(page.locator("#connection")).to_have_attribute("data-state", "away")
    await expect(page.locator("#tasks-unknown")).to_have_text("Redis is away, so nothing is known yet.")
    for nothing in await page.get_by_text(re.compile("No task yet|No worker has been heard of")).all():
        await expect(nothing).to_be_hidden()
    await expect(page.locator(".unknown:visible")).to_have_count(8)
    own_redis.start()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    await expect(page.locator("#tasks")).to_contain_text("No task yet")
    await expect(page.locator("#tasks .nothing")).to_be_visible()
    await expect(page.locator(".unknown:visible")).to_have_count(0)
    await monitor.stop()
    await broker.close()


async def test_a_page_opened_while_redis_is_away_shows_what_the_monitor_knew(
    own_redis: RedisServer, watched: WatchedPage
) -> None:
    broker = Broker(RedisSection(), "test", url_override=own_redis.url)
    await broker.start()
    fleet, monitor = make_small_fleet(broker), MonitorUnderTest(broker)
    await fleet.report_all()
    await fleet.submit()
    await monitor.start()
    # Nobody watches, so that tasks are not read.
    await monitor.monitor.refresh(max_age_seconds=0)
    own_redis.kill()
    page = watched.page
    await page.goto(monitor.url)
    await expect(page.locator("#connection")).to_have_attribute("data-state", "away")
    await expect(page.locator("#roles .card")).to_have_count(4)
    await expect(page.locator(".unknown:visible")).to_have_count(1)
    await expect(page.locator("#tasks-unknown")).to_be_visible()
    await expect(page.locator("#tasks .nothing")).to_be_hidden()
    await monitor.stop()
    await broker.close()


async def test_with_keys_a_page_opened_while_redis_is_away_says_so_too(
    own_redis: RedisServer, watched: WatchedPage
) -> None:
    broker = Broker(RedisSection(), "test", url_override=own_redis.url)
    await broker.start()
    keys = ApiKeys(broker)
    text, _ = await keys.create("viewer", frozenset({Scope.READ}), ())
    monitor = MonitorUnderTest(broker, keys.authenticate)
    await monitor.start()
    own_redis.kill()
    page = watched.page
    await page.goto(monitor.url)
    await page.locator("#key").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator("#connection")).to_have_text("Redis is away")
    await expect(page.locator("#tasks-unknown")).to_have_text("Redis is away, so nothing is known yet.")
    own_redis.start()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    await monitor.stop()
    await broker.close()


async def test_the_page_comes_back_when_the_monitor_does(broker: Broker, watched: WatchedPage) -> None:
    first = MonitorUnderTest(broker)
    await first.start()
    port, page = first.port, watched.page
    await page.goto(first.url)
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    await first.stop()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "lost")
    second = MonitorUnderTest(broker, port=port)
    await second.start()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    await second.stop()


async def test_with_keys_the_page_asks_for_one_and_says_what_it_hides(
    broker: Broker, fleet: SmallFleet, watched: WatchedPage
) -> None:
    keys = ApiKeys(broker)
    text, key = await keys.create("viewer", frozenset({Scope.READ}), ())
    await fleet.submit(key_id="another")
    monitor = MonitorUnderTest(broker, keys.authenticate)
    await monitor.start()
    page = watched.page
    await page.goto(monitor.url)
    links = page.locator("footer a")
    await expect(page.locator("#key-form")).to_be_visible()
    advice = (
        "Keys with the scope “read”, “read_all” or “admin” may look at the fleet. The key is kept in this tab only."
    )
    await expect(page.locator("#key-reason")).to_have_text(advice)
    await expect(links.first).to_be_hidden()
    await page.locator("#key").fill("ck_wrong_key")
    await page.keyboard.press("Enter")
    await expect(page.locator("#key-reason")).to_have_text(f"This key is not valid. {advice}")
    await page.locator("#key").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    await expect(page.locator("#key-form")).to_be_hidden()
    note = page.locator("#tasks-note")
    await expect(note).to_have_text("0 of the newest 1; this key may not see the others")
    await expect(page.locator("#tasks")).to_contain_text("None of the newest tasks can be seen with this key.")
    await fleet.submit(key_id=key.key_id)
    await expect(note).to_have_text("1 of the newest 2; this key may not see the others")
    await expect(links.first).to_be_hidden()
    await monitor.stop()


async def test_the_number_of_submitted_tasks_has_room(monitor: MonitorUnderTest, watched: WatchedPage) -> None:
    page = watched.page
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.goto(monitor.url)
    note = page.locator("#overview .note", has_text="submitted")
    await expect(note).to_have_text("0 submitted")
    is_cut = "(note) => { note.textContent = `10,00${note.textContent}`; return note.scrollWidth > note.clientWidth; }"
    assert not await note.evaluate(is_cut)


async def test_on_a_phone_nothing_is_cut_off(
    monitor: MonitorUnderTest, fleet: SmallFleet, watched: WatchedPage
) -> None:
    await fleet.report_all()
    await fleet.submit(target="a-rather-long-name-of-a-captcha-host.internal.example.com")
    await fleet.complete("m9Qra")
    await fleet.submit(target="a-rather-long-name-of-a-captcha-host.internal.example.com")
    page = watched.page
    await page.set_viewport_size({"width": 375, "height": 800})
    await page.goto(monitor.url)
    await expect(page.locator("#tasks tbody tr")).to_have_count(2)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 375


async def test_everything_can_be_reached_by_keyboard(monitor: MonitorUnderTest, watched: WatchedPage) -> None:
    page = watched.page
    await page.goto(monitor.url)
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    reached = []
    for _ in range(7):
        await page.keyboard.press("Tab")
        reached.append(
            await page.evaluate("((at) => at.id || at.closest('.chart')?.id || at.textContent)(document.activeElement)")
        )
    assert reached == ["Skip to the overview", "theme", "throughput", "latency", "metrics", "health", "snapshot"]
