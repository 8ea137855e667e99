"""A page that floods its browser costs other pages in that browser time, but no attempt."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.recognition.decoding import decode_picture
from captchad.runtime.spawn import TaskSet
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAPTCHA = '<img id="captcha" src="/picture">'
FLOOD_SECONDS = 8.0

BLANK_GIF = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
FLOODS = {
    "five thousand frames": "<iframe src=/small></iframe>" * 5000,
    "frames without end": "<script>setInterval(() => { for (let i = 0; i < 20; i++) document.body.append("
    "Object.assign(document.createElement('iframe'), { src: '/small?' + Math.random() })) }, 5)</script>",
    "three million elements": "<script>for (let i = 0; i < 60; i++) document.body.insertAdjacentHTML("
    "'beforeend', '<p>x'.repeat(5e4))</script>",
    "elements without end": "<script>setInterval(() => document.body.insertAdjacentHTML('beforeend', "
    "'<p><b>x</b>'.repeat(5e3)), 1)</script>",
    "twenty thousand pictures": "".join(f"<img width=150 height=50 src=/picture?{number}>" for number in range(20000)),
    "pictures without end": "<script>setInterval(() => { for (let i = 0; i < 50; i++) document.body.append("
    "Object.assign(new Image(150, 50), { src: '/picture?' + Math.random() })) }, 5)</script>",
    "places without end": "<script>setInterval(() => { for (let i = 0; i < 400; i++) "
    "location.hash = Math.random() + 'x'.repeat(1000) }, 1)</script>",
    "long addresses without end": "<script>let i = 0; setInterval(() => { for (let j = 0; j < 100; j++) "
    "history.replaceState(0, '', '/?' + (i++) + 'x'.repeat(50000)) }, 1)</script>",
    "titles without end": "<script>setInterval(() => { for (let j = 0; j < 1000; j++) "
    "document.title = Math.random() + 'x'.repeat(50000) }, 1)</script>",
    "workers without end": "<script>const u = URL.createObjectURL(new Blob(['setInterval(() => 0, 1000)'])); "
    "setInterval(() => { for (let i = 0; i < 20; i++) new Worker(u) }, 5)</script>",
    "fifty thousand pictures of its own": f"<img width=150 height=50 src='{BLANK_GIF}'>" * 50000,
}


@pytest_asyncio.fixture(loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    """A browser for each flood: one that still clears up after the flood before is no fair start for the next."""
    stage = Stage()
    await stage.start()
    yield stage
    await stage.close()


@pytest.mark.parametrize("html", FLOODS.values(), ids=FLOODS.keys())
async def test_a_good_page_is_read_at_its_first_attempt_beside(html: str, site: LocalSite, stage: Stage) -> None:
    site.put_page("/flood", html)
    site.put_page("/good", CAPTCHA)
    site.put_page("/small", "<p>small")
    site.put_picture("/picture", CAPTCHA_PNG)
    await stage.capture(site.url("/good"))
    before = stage.engine.figures()
    flood = stage.capture(site.url("/flood"), timeout_seconds=FLOOD_SECONDS)
    flooding = TaskSet("flood").spawn(flood, "flood")
    while not flooding.done():
        seen = await stage.capture(site.url("/good"))
        # Where the flood has pushed the response's bytes out, the same pixels come from the page.
        assert np.array_equal(decode_picture(seen.picture), decode_picture(CAPTCHA_PNG))
    # One more, while the browser clears up.
    await stage.capture(site.url("/good"))
    assert stage.engine.figures().crashes == before.crashes
    with pytest.raises(AttemptFailed) as failed:
        await flooding
    assert failed.value.task_error_code in {TaskErrorCode.ATTEMPT_TIMEOUT, TaskErrorCode.CAPTCHA_NOT_FOUND}


async def test_a_page_that_makes_hundreds_of_frames_is_ended(site: LocalSite, stage: Stage) -> None:
    site.put_silence("/silence")
    # It keeps loading, so that nothing else ends the visit before.
    site.put_page("/", "<iframe></iframe>" * 400 + "<script src=/silence></script>")
    with pytest.raises(AttemptFailed) as failed:
        await stage.capture(site.url())
    assert failed.value.task_error_code is TaskErrorCode.CAPTCHA_NOT_FOUND
    assert "300 frames" in failed.value.message
