"""A site whose pages leave requests behind that are answered, with a cookie, only once the next visit is under way."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from aiohttp import web

from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite

CAPTCHA = "<img id=captcha src=/picture>"
COOKIE = "late=1; Path=/; Max-Age=9999"
LOOK = (
    "<script>(async () => { await fetch('/go'); await new Promise((resolve) => setTimeout(resolve, 300)); "
    f"await fetch('/seen'); document.body.insertAdjacentHTML('beforeend', '{CAPTCHA}') }})()</script>"
)
POLICY = {"Content-Security-Policy-Report-Only": "img-src 'none'; report-uri /late"}


@dataclass(frozen=True)
class Plant:
    """What a page does; `is_prompt`: its request is sent while it is still open; `is_kept`: its tab serves again."""

    script: str
    is_prompt: bool = True
    is_kept: bool = True
    headers: dict[str, str] = field(default_factory=dict)


PLANTS = {
    "a keepalive fetch": Plant("fetch('/late', {keepalive: true}).catch(() => 0)"),
    # A browser has six connections to a host: one is left for the captcha.
    "five keepalive fetches": Plant(
        "for (let n = 0; n < 5; n++) fetch('/late?' + n, {keepalive: true}).catch(() => 0)"
    ),
    "a keepalive fetch that is redirected": Plant("fetch('/moved', {keepalive: true}).catch(() => 0)"),
    "a keepalive fetch of a frame that has gone": Plant(
        "const f = document.createElement('iframe'); document.body.append(f); "
        "f.contentWindow.fetch('/late', {keepalive: true}).catch(() => 0); f.remove()"
    ),
    "a keepalive fetch at the end": Plant(
        "addEventListener('pagehide', () => fetch('/late', {keepalive: true}).catch(() => 0))", is_prompt=False
    ),
    "a beacon": Plant("navigator.sendBeacon('/late', 'x')"),
    "a beacon at the end": Plant(
        "addEventListener('visibilitychange', () => navigator.sendBeacon('/late', 'x'))", is_prompt=False
    ),
    "a link's ping": Plant(
        "document.body.insertAdjacentHTML('beforeend', '<a id=a href=#x ping=/late>x</a>'); a.click()", is_prompt=False
    ),
    "fetchLater": Plant("fetchLater('/late', {activateAfter: 0})"),
    "fetchLater at the end": Plant("fetchLater('/late')", is_prompt=False),
    "fetchLater of a frame": Plant(
        "const f = document.createElement('iframe'); document.body.append(f); f.contentWindow.fetchLater('/late')",
        is_prompt=False,
    ),
    "a report of a policy": Plant("new Image().src = '/other'", headers=POLICY),
    "a plain fetch": Plant("fetch('/late').catch(() => 0)"),
    "a fetch of a worker": Plant(
        "new Worker(URL.createObjectURL(new Blob([`fetch('${location.origin}/late', {keepalive: true})`])))",
        is_kept=False,
    ),
    "synchronous requests of a busy worker": Plant(
        "new Worker(URL.createObjectURL(new Blob([`for (const end = Date.now() + 5000; Date.now() < end;) { try { "
        "const x = new XMLHttpRequest(); x.open('GET', '${location.origin}/late', false); x.send() } catch {} "
        "for (const next = Date.now() + 50; Date.now() < next;); }`])))",
        is_kept=False,
    ),
    "a picture": Plant("new Image().src = '/late'"),
    "an event stream": Plant("new EventSource('/late')"),
    "a web socket": Plant("new WebSocket('ws://' + location.host + '/late')"),
    "a frame": Plant("document.body.append(Object.assign(document.createElement('iframe'), {src: '/late'}))"),
    "a prefetched link": Plant(
        "document.head.append(Object.assign(document.createElement('link'), {rel: 'prefetch', href: '/late'}))"
    ),
    "a speculation rule": Plant(
        "document.head.append(Object.assign(document.createElement('script'), {type: 'speculationrules', textContent: "
        "JSON.stringify({prefetch: [{urls: ['/late'], eagerness: 'immediate'}]})}))"
    ),
    "a download": Plant(
        "const a = Object.assign(document.createElement('a'), {href: '/late?download', download: 'x'}); "
        "document.body.append(a); a.click()"
    ),
    "a frame that is a download": Plant(
        "document.body.append(Object.assign(document.createElement('iframe'), {src: '/late?download'}))"
    ),
    "a form that brings a download": Plant(
        "document.body.insertAdjacentHTML('beforeend', '<iframe name=n></iframe><form id=f method=post "
        "action=/late?download target=n><input name=a></form>'); f.submit()"
    ),
}


class LateSite:
    """Puts a page at `/plant` and one at `/look`, and keeps the cookies that come with each request of the latter."""

    def __init__(self, site: LocalSite) -> None:
        self.site = site
        self.cookies: list[str] = []
        self.cut_off = asyncio.Event()
        self._is_looking = False
        self._arrived = asyncio.Event()
        self._released = asyncio.Event()
        site.put("/late", self._answer_late)
        site.put_redirect("/moved", "/late")
        site.put("/look", self._look)
        site.put("/go", self._release)
        site.put("/seen", self._note_cookie)

    def plant(self, plant: Plant) -> None:
        """Put a plant at `/plant`; its captcha comes once the request that is to be late is under way."""

        async def answer_page(_: web.Request) -> web.StreamResponse:
            page = f"<!doctype html><body><script>{plant.script}</script>{CAPTCHA}</body>"
            return web.Response(text=page, content_type="text/html", headers=plant.headers)

        async def answer_picture(_: web.Request) -> web.StreamResponse:
            if plant.is_prompt and not self._is_looking:
                await self._arrived.wait()
            return web.Response(body=CAPTCHA_PNG, content_type="image/png", headers={"Cache-Control": "no-store"})

        self.site.put("/plant", answer_page)
        self.site.put("/picture", answer_picture)

    async def _answer_late(self, request: web.Request) -> web.StreamResponse:
        self._arrived.set()
        try:
            await self._released.wait()
        except asyncio.CancelledError:
            self.cut_off.set()
            raise
        headers = {"Set-Cookie": COOKIE}
        if request.query_string == "download":
            headers["Content-Disposition"] = "attachment; filename=x"
        return web.Response(text="late", headers=headers)

    async def _look(self, request: web.Request) -> web.StreamResponse:
        self._is_looking = True
        await self._note_cookie(request)
        return web.Response(text=f"<!doctype html><body>{LOOK}</body>", content_type="text/html")

    async def _release(self, request: web.Request) -> web.StreamResponse:
        self._released.set()
        return await self._note_cookie(request)

    async def _note_cookie(self, request: web.Request) -> web.StreamResponse:
        with contextlib.suppress(KeyError):
            self.cookies.append(request.headers["Cookie"])
        return web.Response()
