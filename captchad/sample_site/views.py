"""The pages and pictures of the sample site, and what it makes of what is sent."""

import asyncio
import base64
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from aiohttp import web

from captchad.sample_site.decoys import draw_decoys
from captchad.sample_site.drawing import Artist
from captchad.sample_site.kinds import KINDS, LOGIN, PORTAL, PageKind, find_kind
from captchad.sample_site.lettering import draw_tile
from captchad.sample_site.puzzles import BLACK, WHITE, Puzzle, make_text
from captchad.sample_site.record import Record
from captchad.sample_site.templates import Templates

COOKIE = "sample_session"
TOKEN_BYTES = 16
SLOW_SECONDS = 6.0
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
_TITLE = "captchad sample site"
_NO_MESSAGE = ""
_WRONG = "That was not the right answer. Please try again with the new captcha."
_REFUSED = "The name or the password is wrong."
_OTHER_FORM = "That was the other form."


class Views:
    """Answers every request, and keeps the record."""

    def __init__(self, record: Record, find_portal: Callable[[], str]) -> None:
        self._record = record
        self._find_portal = find_portal
        self._artist = Artist()
        self._templates = Templates()
        self._decoys = draw_decoys()

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        login = name_path(LOGIN)
        return [
            web.get("/", self._show_index),
            # A HEAD request would draw another puzzle.
            web.get(login, self._show_form, allow_head=False),
            web.post(login, self._check_form),
            web.get("/pages/{kind}", self._show_form, allow_head=False),
            web.post("/pages/{kind}", self._check_form),
            web.get("/framed", self._show_framed),
            web.get("/captcha/{kind}.png", self._draw_picture, allow_head=False),
            web.get("/tiles/{place:[0-9]}.png", self._draw_tile),
            web.get("/other-form.png", self._draw_other),
            web.post("/other-form", self._refuse_other),
            web.get(PORTAL, self._show_portal),
            web.get("/assets/{name}", self._show_decoy),
        ]

    @web.middleware
    async def add_session(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give each visitor a session."""
        known = request.cookies.get(COOKIE)
        request[_SESSION] = known or secrets.token_urlsafe(TOKEN_BYTES)
        response = await handler(request)
        response.headers.update(HEADERS)
        if known is None:
            response.set_cookie(COOKIE, request[_SESSION], httponly=True, samesite="Lax")
        return response

    async def _show_index(self, _: web.Request) -> web.Response:
        return _page(self._templates.list_kinds(_TITLE, [(name_path(kind), kind) for kind in KINDS]))

    async def _show_form(self, request: web.Request) -> web.Response:
        return await self._form_page(request, _find_kind(request), _visit(request.query.get("visit")), _NO_MESSAGE)

    async def _check_form(self, request: web.Request) -> web.Response:
        kind = _find_kind(request)
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        is_rest_right = all(form.get(name) == value for name, value in kind.wanted.items())
        answer = form.get("captcha", "")
        if not self._record.check_answer(request[_SESSION], answer, is_rest_right=is_rest_right):
            return await self._form_page(request, kind, _visit(form.get("visit")), _WRONG)
        if not is_rest_right:
            return await self._form_page(request, kind, _visit(form.get("visit")), _REFUSED)
        if kind.leads_elsewhere:
            headers = {"Location": f"{self._find_portal()}{PORTAL}"}
            return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)
        return self._welcome(form)

    async def _show_framed(self, request: web.Request) -> web.Response:
        return _page(self._templates.fill_bare("framed", visit=_visit(request.query.get("visit"))))

    async def _show_portal(self, _: web.Request) -> web.Response:
        return self._welcome({})

    async def _draw_picture(self, request: web.Request) -> web.Response:
        kind, visit = _find_kind(request), _visit(request.query.get("visit"))
        if kind.is_slow:
            await asyncio.sleep(SLOW_SECONDS)
        return await self._picture(self._ask(request, kind, visit))

    async def _draw_tile(self, request: web.Request) -> web.Response:
        truth, place = self._record.truth(_visit(request.query.get("visit"))), int(request.match_info["place"])
        if truth is None or place >= len(truth):
            raise web.HTTPNotFound
        return _png(draw_tile(truth[place], BLACK, WHITE))

    async def _draw_other(self, _: web.Request) -> web.Response:
        return await self._picture(make_text())

    async def _refuse_other(self, request: web.Request) -> web.Response:
        form = await request.post()
        visit = _visit(str(form.get("visit", "")))
        self._record.note_wrong(visit)
        return _page(self._templates.fill("refusal", _TITLE, message=_OTHER_FORM))

    async def _show_decoy(self, request: web.Request) -> web.Response:
        picture = self._decoys.get(request.match_info["name"])
        if picture is None:
            raise web.HTTPNotFound
        return _png(picture)

    async def _form_page(self, request: web.Request, kind: PageKind, visit: str, message: str) -> web.Response:
        values = {"visit": visit, "message": message}
        if kind.comes_as != "picture":
            puzzle = self._ask(request, kind, visit)
            values["shown"] = puzzle.shown
            if kind.comes_as == "inline picture":
                values["picture"] = f"data:image/png;base64,{base64.b64encode(await self._draw(puzzle)).decode()}"
        return _page(self._templates.fill_form(kind, **values))

    def _welcome(self, form: Mapping[str, str]) -> web.Response:
        return _page(self._templates.fill("welcome", "Welcome", name=form.get("username") or "guest"))

    def _ask(self, request: web.Request, kind: PageKind, visit: str) -> Puzzle:
        """Return a new puzzle, which the session has to answer."""
        puzzle = kind.make_puzzle()
        self._record.note_puzzle(request[_SESSION], visit, puzzle.answer)
        return puzzle

    async def _picture(self, puzzle: Puzzle) -> web.Response:
        return _png(await self._draw(puzzle))

    async def _draw(self, puzzle: Puzzle) -> bytes:
        # In a thread: drawing would hold up all other pages.
        return await asyncio.to_thread(puzzle.draw, self._artist)


def name_path(kind: PageKind) -> str:
    """Return the path of a kind's page."""
    return f"/{LOGIN.name}" if kind is LOGIN else f"/pages/{kind.name}"


def _find_kind(request: web.Request) -> PageKind:
    kind = find_kind(request.match_info.get("kind", LOGIN.name))
    if kind is None:
        raise web.HTTPNotFound
    return kind


def _visit(given: str | None) -> str:
    """Return the visit of the URL: a random name where there is none; a malformed one is refused."""
    if not given:
        return secrets.token_urlsafe(TOKEN_BYTES)
    if not _VISIT.fullmatch(given):
        raise web.HTTPBadRequest(text="visit: 1 to 64 letters, digits, - or _")
    return given


def _png(picture: bytes) -> web.Response:
    return web.Response(body=picture, content_type="image/png")


def _page(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", status=HTTPStatus.OK)
