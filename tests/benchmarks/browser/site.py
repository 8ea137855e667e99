"""The site every contestant visits, in a process of its own: `python -m tests.benchmarks.browser.site`.

Each page has one captcha picture that no other page has, and leaves behind all that a page can: cookies, local and
session storage, IndexedDB, caches, a service worker. Prints its port and the texts as one line of JSON; visit n
shows the text n modulo their number. Pictures are drawn beforehand, so that drawing costs no contestant anything.
"""

import asyncio
import io
import json
from pathlib import Path

from aiohttp import web
from PIL import Image, ImageDraw

from captchad.sample_site.drawing import Artist, find_font, pick_text

PICTURES = 200
PAGES = Path(__file__).parent / "pages"
KEPT = {"Cache-Control": "public, max-age=3600"}
NOT_KEPT = {"Cache-Control": "no-store"}


class BenchmarkSite:
    """The pages and what belongs to them."""

    def __init__(self) -> None:
        artist = Artist()
        self.texts = [pick_text() for _ in range(PICTURES)]
        self._pictures = [artist.draw(text) for text in self.texts]
        self._page = (PAGES / "page.html").read_text(encoding="utf-8")

    def build(self) -> web.Application:
        """Return the application with all routes."""
        application = web.Application()
        application.router.add_get("/page/{visit}", self._answer_page)
        application.router.add_get("/captcha/{visit}.png", self._answer_captcha)
        kept = {
            "/style.css": ("text/css", (PAGES / "style.css").read_bytes()),
            "/script.js": ("text/javascript", (PAGES / "script.js").read_bytes()),
            "/worker.js": ("text/javascript", (PAGES / "worker.js").read_bytes()),
            "/logo.png": ("image/png", draw_logo()),
            "/font.ttf": ("font/ttf", find_font().read_bytes()),
        }
        for path, (content_type, body) in kept.items():
            application.router.add_get(path, _answer_with(content_type, body))
        return application

    async def _answer_page(self, request: web.Request) -> web.Response:
        visit = request.match_info["visit"]
        response = web.Response(text=self._page.replace("VISIT", visit), content_type="text/html", headers=NOT_KEPT)
        response.set_cookie("session", visit, max_age=3600, httponly=True)
        return response

    async def _answer_captcha(self, request: web.Request) -> web.Response:
        picture = self._pictures[int(request.match_info["visit"]) % PICTURES]
        return web.Response(body=picture, content_type="image/png", headers=NOT_KEPT)


def _answer_with(content_type: str, body: bytes):  # type: ignore[no-untyped-def]
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=content_type, headers=KEPT)

    return answer


def draw_logo() -> bytes:
    """Return a picture that is no captcha."""
    logo = Image.new("RGB", (120, 40), "#224488")
    ImageDraw.Draw(logo).ellipse((8, 8, 32, 32), fill="white")
    buffer = io.BytesIO()
    logo.save(buffer, "PNG")
    return buffer.getvalue()


async def serve() -> None:
    """Serve on a free port until ended."""
    site = BenchmarkSite()
    runner = web.AppRunner(site.build(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"port": runner.addresses[0][1], "texts": site.texts}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
