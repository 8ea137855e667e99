"""The figures and charts of the monitor's page, in a real browser: their words and scales are true."""

from playwright.async_api import expect

from tests.integration.monitor.fleet import MonitorUnderTest, SmallFleet
from tests.integration.protocol import deferred, retryable
from tests.watched_page import WatchedPage

READ_SCALES = """
async () => {
  const charts = await import("./static/charts.js");
  const box = document.createElement("div");
  box.style.cssText = "width: 400px; height: 200px";
  document.body.append(box);
  const read = (chart, minute) => {
    chart.update([minute]);
    return [...chart.drawing.querySelectorAll("text")].slice(0, 3).map((text) => text.textContent);
  };
  const counts = new charts.ThroughputChart(box, "counts");
  const times = new charts.LatencyChart(box, "times");
  const found = { counts: [], times: [] };
  for (let value = 0; value <= 1300; value += 1) {
    found.counts.push(read(counts, { minute_ms: 0, completed: value, failed: 0 }));
    found.times.push(read(times, { minute_ms: 0, mean_seconds: value / 2 }));
  }
  return found;
}
"""
UNIT_MS = {"ms": 1, "s": 1000, "min": 60_000}


def read_duration(text: str) -> float:
    number, unit = text.split(" ")
    return float(number) * UNIT_MS[unit]


async def test_tiles_tell_retries_from_what_waits_for_its_target(
    monitor: MonitorUnderTest, fleet: SmallFleet, watched: WatchedPage
) -> None:
    page = watched.page
    pending, processing = (page.locator(".tile").filter(has_text=name) for name in ("Pending", "Processing"))
    await page.goto(monitor.url)
    await expect(pending).to_contain_text("nothing waits")
    await fleet.submit(retry_count=1)
    await expect(pending).to_contain_text("oldest")
    await fleet.consumer.settle([retryable(one) for one in await fleet.consumer.take(1)])
    await expect(pending).to_contain_text("none due yet")
    await expect(processing).to_contain_text("1 to retry")
    await fleet.submit()
    await fleet.submit()
    await fleet.consumer.settle([deferred(one) for one in await fleet.consumer.take(2)])
    await expect(pending).to_contain_text("2 deferred")
    await expect(processing).to_contain_text("1 to retry")
    await expect(page.locator("#targets")).to_contain_text("3 waiting · 2 deferred")


async def test_every_scale_is_labelled_with_what_it_shows(monitor: MonitorUnderTest, watched: WatchedPage) -> None:
    await watched.page.goto(monitor.url)
    scales = await watched.page.evaluate(READ_SCALES)
    for value, (lowest, middle, highest) in enumerate(scales["counts"]):
        top = int(highest.replace(",", ""))
        assert (lowest, 2 * int(middle.replace(",", ""))) == ("0", top)
        assert value <= top
    for value, (lowest, middle, highest) in enumerate(scales["times"]):
        assert (lowest, 2 * read_duration(middle)) == ("0", read_duration(highest))
        assert value / 2 * 1000 <= read_duration(highest)
