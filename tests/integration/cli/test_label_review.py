"""A review in a real browser: exported, corrected by hand, saved beside the pictures, and imported."""

import json
import shutil
from pathlib import Path

import pytest
from playwright.async_api import expect

from captchad.config.settings import RecognitionSection
from captchad.domain.label import Verdict
from captchad.operations.labels.label_store import LabelStore, open_label_store
from captchad.runtime.clock import Clock
from captchad.sample_site.drawing import Artist
from tests.accessibility import find_grave_faults, measure_overflow
from tests.integration.cli.conftest import Run
from tests.unit.operations.labels.test_label_store import make_label
from tests.watched_page import PHONE, WatchedPage

HOST = "localhost"


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    """Five labels; the answer to the last was refused."""
    store = open_label_store(tmp_path / "state", RecognitionSection(), Clock())
    artist, now_ms = Artist(), Clock().now_ms()
    for number in range(1, 6):
        verdict = Verdict.WRONG if number == 5 else Verdict.RIGHT
        store.add(make_label(number, now_ms + number, host=HOST, verdict=verdict), artist.draw(f"ab{number}"))
    return store


async def test_a_corrected_sheet_is_imported_back(
    captchad: Run, store: LabelStore, watched: WatchedPage, tmp_path: Path
) -> None:
    folder = tmp_path / "review"
    for arguments in (("export", HOST, "--out", str(folder)), ("review", str(folder))):
        ended = captchad("labels", *arguments)
        assert ended.returncode == 0, ended.stderr
    page = watched.page
    await page.goto((folder / "review.html").as_uri())
    fields = page.get_by_role("textbox")
    assert await fields.count() == 5
    assert await fields.first.input_value() == "", "what nobody knows comes first"
    assert await page.locator("img").evaluate_all("images => images.every((image) => image.naturalWidth > 0)")
    await fields.first.fill("7KM4")
    await page.keyboard.press("Enter")
    await page.keyboard.type("Ab1")
    await fields.nth(2).fill("")
    await expect(page.get_by_role("status")).to_have_text("3 changed, 1 without a text")
    assert await find_grave_faults(page) == []
    async with page.expect_download() as saving:
        await page.get_by_role("button", name="Save labels.tsv").click()
    download = await saving.value
    assert download.suggested_filename == "labels.tsv"
    shutil.copy(await download.path(), folder / "labels.tsv")
    await page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert await measure_overflow(page) == 0
    assert watched.complaints == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in watched.requested)
    ended = captchad("labels", "import", HOST, str(folder), "--json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["corrected"] == 2
    # A field left empty changes nothing.
    assert [(one.text, one.verdict) for one in store.read(HOST)] == [
        ("Ab1", Verdict.RIGHT),
        ("ab2", Verdict.RIGHT),
        ("ab3", Verdict.RIGHT),
        ("ab4", Verdict.RIGHT),
        ("7KM4", Verdict.RIGHT),
    ]
