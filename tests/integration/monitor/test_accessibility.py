"""Whether everybody can read the monitor's page: axe in both colour schemes, and a phone's width."""

from playwright.async_api import expect

from captchad.broker.api_keys import ApiKeys
from captchad.broker.connection import Broker
from captchad.config.settings import RedisSection
from captchad.domain.node import SystemLoad
from captchad.runtime.clock import Clock
from tests.accessibility import find_grave_faults, measure_overflow
from tests.integration.monitor.fleet import MonitorUnderTest, SmallFleet, make_small_fleet
from tests.redis_server import RedisServer
from tests.watched_page import WatchedPage


class ClockAhead(Clock):
    """A clock that may be put forward, past the time that something must last to be an alert."""

    ahead_seconds = 0.0

    def monotonic_seconds(self) -> float:
        return super().monotonic_seconds() + self.ahead_seconds


async def show_every_colour(fleet: SmallFleet) -> None:
    """Have the fleet show tasks in every state, nodes that drain, and alerts of every severity."""
    await fleet.report_all(load=SystemLoad(95.0, 95.0, 80.0), is_draining=True)
    await fleet.submit()
    await fleet.complete("m9Qra")
    await fleet.submit()
    await fleet.fail("no picture that looks like a captcha")
    await fleet.store.cancel(await fleet.submit())
    await fleet.submit()
    await fleet.consumer.take(1)
    await fleet.submit("a-rather-long-name-of-a-captcha-host.internal.example.com")


async def test_everybody_can_read_the_page(broker: Broker, fleet: SmallFleet, watched: WatchedPage) -> None:
    clock = ClockAhead()
    monitor = MonitorUnderTest(broker, clock=clock)
    await monitor.start()
    await show_every_colour(fleet)
    page = watched.page
    await page.goto(monitor.url)
    await expect(page.locator("#tasks tbody tr")).to_have_count(5)
    clock.ahead_seconds = 86_400.0
    for severity in ("critical", "warning", "info"):
        await expect(page.locator(f'.banner[data-severity="{severity}"]').first).to_be_visible()
    assert await find_grave_faults(page) == []
    await page.emulate_media(color_scheme="light")
    for _ in ("light", "dark"):
        await page.locator("#theme").click()
        assert await find_grave_faults(page) == [], "a theme chosen by hand"
    assert await measure_overflow(page) == 0
    await monitor.stop()


async def test_everybody_can_read_that_redis_is_away(own_redis: RedisServer, watched: WatchedPage) -> None:
    broker = Broker(RedisSection(), "test", url_override=own_redis.url)
    await broker.start()
    fleet, monitor = make_small_fleet(broker), MonitorUnderTest(broker)
    await show_every_colour(fleet)
    await monitor.start()
    page = watched.page
    await page.goto(monitor.url)
    await expect(page.locator("#tasks tbody tr")).to_have_count(5)
    own_redis.kill()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "away")
    assert await find_grave_faults(page) == [], "with the last figures"
    await page.reload()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "away")
    assert await find_grave_faults(page) == [], "with those of the monitor"
    assert await measure_overflow(page) == 0
    await monitor.stop()
    await broker.close()


async def test_everybody_can_read_that_a_key_is_needed(broker: Broker, watched: WatchedPage) -> None:
    monitor = MonitorUnderTest(broker, ApiKeys(broker).authenticate)
    await monitor.start()
    page = watched.page
    await page.goto(monitor.url)
    await expect(page.locator("#key-form")).to_be_visible()
    assert await find_grave_faults(page) == []
    assert await measure_overflow(page) == 0
    await monitor.stop()
