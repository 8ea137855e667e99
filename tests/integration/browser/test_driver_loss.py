"""What goes on in the background says nothing of a driver that has ended, and lets go of everything all the same."""

import contextlib
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, CDPSession, Page

from captchad.config.settings import BrowserSection
from captchad.domain.errors import AttemptFailed
from captchad.domain.page import PageOrder, SessionState
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage
from tests.patience import until_true

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "<script>open('/popup')</script><img id=captcha src=/picture>"
OPENED, CLOSED, POPUP_CLOSED, SENT = "a context opened", "a context closed", "a popup closed", "a request continued"
CALLS: dict[str, tuple[type, str]] = {
    OPENED: (Browser, "new_context"),
    CLOSED: (BrowserContext, "close"),
    POPUP_CLOSED: (Page, "close"),
    SENT: (CDPSession, "send"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    """A stage with another browser for every page, so that tabs which wait go with theirs."""
    stage = Stage(BrowserSection(recycle_pages=1))
    await stage.start()
    yield stage
    await stage.close()


@pytest_asyncio.fixture(loop_scope="module")
async def honest_site(site: LocalSite) -> LocalSite:
    site.put_page("/", PAGE)
    site.put_page("/popup", "<p>hello")
    site.put_picture("/picture", CAPTCHA_PNG)
    return site


@pytest.mark.parametrize("call", CALLS)
async def test_nothing_is_logged_or_kept_of(
    call: str, stage: Stage, honest_site: LocalSite, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def visit() -> None:
        headers = SessionState(headers={"X-Tenant": "blue"}) if call == SENT else None
        await stage.read_page(PageOrder(honest_site.url(), "127.0.0.1", session=headers), 10)

    await visit()
    owner, name = CALLS[call]
    real = getattr(owner, name)

    async def fail(self: object, *arguments: object, **options: object) -> object:
        """Say what uvloop says of a pipe whose other end is gone."""
        if call == SENT and arguments[0] != "Fetch.continueRequest":
            return await real(self, *arguments, **options)
        raise RuntimeError("unable to perform operation on <WriteUnixTransport closed=True>; the handler is closed")

    with monkeypatch.context() as losing:
        losing.setattr(owner, name, fail)
        for _ in range(2):
            with contextlib.suppress(AttemptFailed):
                await visit()
        await until_true(lambda: not stage.engine.figures().open_pages)
    await visit()
    await until_true(lambda: stage.proxy.contexts == stage.engine.figures().waiting_tabs)
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []
