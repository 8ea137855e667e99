"""A stage for browser tests: sites on free loopback ports, and one browser engine that may visit them."""

import asyncio
import io
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from aiohttp import web
from PIL import Image, ImageDraw
from playwright.async_api import Page

from captchad.browser.browsers.connection import BrowserSource
from captchad.browser.engine import BrowserEngine
from captchad.browser.page_session import PageSession
from captchad.browser.scripts.isolated_world import MainFrame
from captchad.config.settings import BrowserSection
from captchad.domain.capture import CaptchaCapture
from captchad.domain.page import PageOrder
from captchad.domain.target import Target
from captchad.egress.proxy import FilteringProxy
from captchad.egress.scope import ScopePolicy
from captchad.runtime.clock import Clock
from captchad.runtime.deadline import Deadline
from tests.patience import PATIENCE_SECONDS, until_true

SourceMaker = Callable[[FilteringProxy, Clock], BrowserSource]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def draw_picture(text: str = "k7xw2", width: int = 160, height: int = 60) -> bytes:
    """Return a PNG with `text` on it."""
    picture = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(picture).text((20, 20), text, fill="black")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


CAPTCHA_PNG = draw_picture()
DECOY_PNG = draw_picture("decoy", 150, 50)
SQUARE_PNG = draw_picture("qr", 120, 120)


class LocalSite:
    """A web site made of what the test puts on it; counts requests by path."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.headers: dict[str, dict[str, str]] = {}
        self.arrived: asyncio.Event = asyncio.Event()
        self._handlers: dict[str, Handler] = {}
        self._runner: web.AppRunner | None = None
        self.port = 0

    def put(self, path: str, handler: Handler) -> None:
        self._handlers[path] = handler

    def put_page(self, path: str, html: str, status: int = 200) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(text=f"<!doctype html><body>{html}</body>", content_type="text/html", status=status)

        self.put(path, answer)

    def put_picture(self, path: str, body: bytes, content_type: str = "image/png", **headers: str) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(body=body, content_type=content_type, headers=headers)

        self.put(path, answer)

    def put_redirect(self, path: str, location: str) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": location})

        self.put(path, answer)

    def put_silence(self, path: str) -> asyncio.Event:
        """Never answer at `path`; the event is set when the asker has gone."""
        gone = asyncio.Event()

        async def answer(_: web.Request) -> web.StreamResponse:
            self.arrived.set()
            try:
                await asyncio.Event().wait()
            finally:
                gone.set()
            raise AssertionError

        self.put(path, answer)
        return gone

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.hits[request.path] += 1
        self.headers[request.path] = dict(request.headers)
        handler = self._handlers.get(request.path)
        return web.Response(status=404) if handler is None else await handler(request)


class Stage:
    """One engine with its proxy and policy, and the sites of the present test."""

    def __init__(self, config: BrowserSection | None = None, make_source: SourceMaker | None = None) -> None:
        config = config or BrowserSection()
        self.reuse = config.reuse
        self.clock = Clock()
        self.policy = ScopePolicy(())
        self.proxy = FilteringProxy(self.policy, self.clock)
        source = make_source(self.proxy, self.clock) if make_source is not None else None
        self.engine = BrowserEngine(config, self.proxy, self.clock, source)
        self._sites = AsyncExitStack()

    async def start(self) -> None:
        await self.proxy.start()
        await self.engine.start()

    async def close(self) -> None:
        await self.clear()
        await self.engine.close()
        await self.proxy.close()

    async def clear(self) -> None:
        """Take the present test's sites down."""
        await self._sites.aclose()
        self.policy.replace_targets(())

    async def add_site(self, *, is_declared: bool = True) -> LocalSite:
        site = LocalSite()
        await self.open_site(site)
        if is_declared:
            self.declare(site.port)
        return site

    async def open_site(self, site: LocalSite) -> None:
        """Start a site that the end of the test takes down."""
        await site.start()
        self._sites.push_async_callback(site.stop)

    def declare(self, port: int) -> None:
        target = Target("127.0.0.1", (port,), allow_private_addresses=True)
        self.policy.replace_targets((*self.policy.targets, target))

    def allow_name(self, host: str, port: int) -> None:
        """Declare another name of this machine."""
        target = Target(host, (port,), allow_private_addresses=True)
        self.policy.replace_targets((*self.policy.targets, target))

    def allow_form_host(self, host: str, form_host: str) -> None:
        """Let forms of a target send what is typed to another declared host."""
        self.policy.replace_targets(
            replace(target, form_hosts=(form_host,)) if target.host == host else target
            for target in self.policy.targets
        )

    async def capture(
        self, url: str, selector: str | None = None, timeout_seconds: float = PATIENCE_SECONDS
    ) -> CaptchaCapture:
        return await self.read_page(PageOrder(url, "127.0.0.1", selector=selector), timeout_seconds)

    async def visit(self, order: PageOrder) -> None:
        """Read the captcha of a page, and wait until its tab is cleaned or closed."""
        assert (await self.read_page(order)).picture == CAPTCHA_PNG
        await until_true(lambda: not self.engine.figures().open_pages)

    async def read_page(self, order: PageOrder, timeout_seconds: float = PATIENCE_SECONDS) -> CaptchaCapture:
        """Capture one page's captcha as `order` says."""
        async with self.open_page(order, timeout_seconds) as page:
            return await page.capture()

    @asynccontextmanager
    async def open_page(
        self, order: PageOrder, timeout_seconds: float = PATIENCE_SECONDS
    ) -> AsyncIterator[PageSession]:
        """Open a page as an attempt does: under one deadline, which is enforced around everything."""
        deadline = Deadline(timeout_seconds, self.clock)
        async with deadline.enforce(), self.engine.open_page(order, deadline) as page:
            yield page

    async def rasterise(self, svg: bytes, timeout_seconds: float = PATIENCE_SECONDS) -> bytes:
        deadline = Deadline(timeout_seconds, self.clock)
        async with deadline.enforce():
            return await self.engine.rasterise(svg, deadline)


async def find_main_frame(page: Page) -> MainFrame:
    """Return what asks a page's main frame, as its tab has it."""
    devtools = await page.context.new_cdp_session(page)
    target = await devtools.send("Target.getTargetInfo")
    return MainFrame(devtools, target["targetInfo"]["targetId"])
