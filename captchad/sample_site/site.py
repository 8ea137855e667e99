"""The bundled captcha site: a login and the usual shapes of captcha, on a loopback port of its own."""

import asyncio
import base64
import re
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from captchad.domain.ports import show_host
from captchad.runtime.service import Service
from captchad.sample_site.decoys import draw_decoys
from captchad.sample_site.drawing import Artist, pick_text
from captchad.sample_site.record import Record
from captchad.sample_site.templates import Templates

LOGIN = "login"
SHAPES = ("image", "data-uri", "canvas", "late", "frame")
COOKIE = "sample_session"
TOKEN_BYTES = 16
BODY_LIMIT_BYTES = 16_384
SHUTDOWN_SECONDS = 1.0
HEADERS = {
    # Every picture is drawn anew; a cached one would show a text that no longer counts.
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
        "script-src 'self' 'unsafe-inline'"
    ),
    "X-Content-Type-Options": "nosniff",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_SESSION = web.RequestKey("session", str)
_VISIT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NO_MESSAGE = ""
_WRONG = "That was not the text in the picture. Please try again with the new one."
_TITLES = {
    "image": "A picture",
    "data-uri": "A picture inside the page",
    "canvas": "A canvas drawn by script",
    "late": "A picture that comes late",
    "frame": "A picture in a frame",
}


class SampleSite(Service):
    """Serves the pages; only this object knows the text of each picture, never a page.

    A visit is a name that the caller chooses and puts into the URL; `truth` returns what was drawn last for it.
    """

    name = "sample-site"

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._wanted_port = port
        self._artist = Artist()
        self._record = Record()
        self._templates = Templates()
        self._decoys = draw_decoys()
        self._runner = web.AppRunner(self._build(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)

    async def start(self) -> None:
        """Listen."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._wanted_port).start()

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self._runner.addresses[0][1]
        return port

    @property
    def base_url(self) -> str:
        """The URL of its first page."""
        return f"http://{show_host(self._host)}:{self.port}"

    def url(self, visit: str, shape: str = LOGIN) -> str:
        """Return the URL of the login page, or of one of SHAPES, for a visit."""
        path = LOGIN if shape == LOGIN else f"shapes/{shape}"
        return f"{self.base_url}/{path}?visit={visit}"

    def truth(self, visit: str) -> str | None:
        """Return the text of the last picture drawn for a visit, or None where none was."""
        return self._record.truth(visit)

    def verdict(self, visit: str) -> bool | None:
        """Return whether the visit's last answer was right, or None where none was given."""
        return self._record.verdict(visit)

    def _build(self) -> web.Application:
        application = web.Application(client_max_size=BODY_LIMIT_BYTES, middlewares=[_add_session])
        application.add_routes(
            [
                web.get("/", self._show_index),
                web.get("/login", self._show_login),
                web.post("/login", self._check_login),
                web.get("/shapes", self._show_index),
                web.get("/shapes/{shape}", self._show_shape, allow_head=False),
                web.post("/shapes/{shape}", self._check_shape),
                web.get("/framed", self._show_framed),
                # A HEAD request would draw another picture.
                web.get("/captcha.png", self._draw, allow_head=False),
                web.get("/assets/{name}", self._show_decoy),
            ]
        )
        return application

    async def _show_index(self, request: web.Request) -> web.Response:
        return _page(self._templates.fill("index", "captchad sample site"))

    async def _show_login(self, request: web.Request) -> web.Response:
        return self._login_page(_visit(request.query.get("visit")), _NO_MESSAGE)

    async def _check_login(self, request: web.Request) -> web.Response:
        form = await request.post()
        visit = _visit(_text(form.get("visit")))
        if self._record.check_answer(_session(request), _text(form.get("captcha"))):
            return _page(self._templates.fill("welcome", "Welcome", name=_text(form.get("username")) or "guest"))
        return self._login_page(visit, _WRONG)

    async def _show_shape(self, request: web.Request) -> web.Response:
        return await self._shape_page(request, _visit(request.query.get("visit")), _NO_MESSAGE)

    async def _check_shape(self, request: web.Request) -> web.Response:
        form = await request.post()
        visit = _visit(_text(form.get("visit")))
        if self._record.check_answer(_session(request), _text(form.get("captcha"))):
            return _page(self._templates.fill("welcome", "Welcome", name="guest"))
        return await self._shape_page(request, visit, _WRONG)

    async def _show_framed(self, request: web.Request) -> web.Response:
        return _page(self._templates.fill_bare("framed", visit=_visit(request.query.get("visit"))))

    async def _draw(self, request: web.Request) -> web.Response:
        picture = await self._draw_for(_session(request), _visit(request.query.get("visit")))
        return web.Response(body=picture, content_type="image/png")

    async def _show_decoy(self, request: web.Request) -> web.Response:
        picture = self._decoys.get(request.match_info["name"])
        if picture is None:
            raise web.HTTPNotFound
        return web.Response(body=picture, content_type="image/png")

    def _login_page(self, visit: str, message: str) -> web.Response:
        return _page(self._templates.fill("login", "Sign in", visit=visit, message=message))

    async def _shape_page(self, request: web.Request, visit: str, message: str) -> web.Response:
        shape = request.match_info["shape"]
        if shape not in SHAPES:
            raise web.HTTPNotFound
        values = {"visit": visit, "message": message}
        if shape == "data-uri":
            picture = await self._draw_for(_session(request), visit)
            values["picture"] = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        return _page(self._templates.fill(shape, _TITLES[shape], **values))

    async def _draw_for(self, session: str, visit: str) -> bytes:
        text = pick_text()
        # In a thread: drawing would hold up all other pages.
        picture = await asyncio.to_thread(self._artist.draw, text)
        self._record.note_picture(session, visit, text)
        return picture


@web.middleware
async def _add_session(request: web.Request, handler: Handler) -> web.StreamResponse:
    known = request.cookies.get(COOKIE)
    request[_SESSION] = known or secrets.token_urlsafe(TOKEN_BYTES)
    response = await handler(request)
    response.headers.update(HEADERS)
    if known is None:
        response.set_cookie(COOKIE, request[_SESSION], httponly=True, samesite="Lax")
    return response


def _session(request: web.Request) -> str:
    return request[_SESSION]


def _visit(given: str | None) -> str:
    """Return the visit of the URL: a random name where there is none; a malformed one is refused."""
    if not given:
        return secrets.token_urlsafe(TOKEN_BYTES)
    if not _VISIT.fullmatch(given):
        raise web.HTTPBadRequest(text="visit: 1 to 64 letters, digits, - or _")
    return given


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _page(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", status=HTTPStatus.OK)
