"""2captcha's first API: /in.php takes a picture in, /res.php answers polls, reports and the question of the balance.

Fields come in the query string and in the body, urlencoded, as multipart or as JSON. Answers are plain text, or JSON
with `json=1`. Every answer has HTTP status 200.
"""

from typing import Any

from aiohttp import web

from captchad.domain.api_key import Scope
from captchad.domain.errors import CaptchadError
from captchad.web.body_room import BodyPlace
from captchad.web.compatibility.desk import BALANCE, BODY_LIMIT_BYTES, QUESTION_LIMIT_BYTES, SolverDesk
from captchad.web.compatibility.failures import Failure, SolverRefusal, find_failure
from captchad.web.compatibility.forms import Fields, read_fields, read_urlencoded
from captchad.web.compatibility.orders import PictureOrder, decode_body, read_order
from captchad.web.routes import Route, answer_json

NOT_READY = "CAPCHA_NOT_READY"
RECORDED = "OK_REPORT_RECORDED"
PRICE = "0"
POLLS = ("get", "get2")
REPORTS = {"reportgood": True, "reportbad": False}
FILE_METHOD, TEXT_METHOD = "post", "base64"
FILE_FIELD, BODY_FIELD = "file", "body"
OTHER_KINDS = ("textcaptcha", "recaptcha", "coordinatescaptcha", "canvas", "googlekey", "recaptchacols")
"""Fields that make something else of a picture, whatever the method."""
CALLBACK_FIELD = "pingback"
NAMES = {
    "regsense": "case",
    "calc": "math",
    "min_len": "minlength",
    "max_len": "maxlength",
    "textinstructions": "comment",
    "pageurl": "websiteurl",
}
"""Fields that the createTask family calls something else."""
_WANTS_JSON = web.RequestKey("wants_json", bool)


class TwoCaptchaRoutes:
    """Handlers of /in.php and /res.php."""

    def __init__(self, desk: SolverDesk) -> None:
        self._desk = desk

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        return tuple(
            Route(method, path, handler, None, summary, answer_failure=answer_failure, is_audited=False)
            for path, handler, summary in (
                ("/in.php", self.take_in, "Submit a picture"),
                ("/res.php", self.answer, "Poll, report, balance"),
            )
            for method in ("GET", "POST")
        )

    async def take_in(self, request: web.Request) -> web.Response:
        """Store one picture."""
        with self._desk.room.enter() as place:
            fields, size_bytes = await self._read(request, place, BODY_LIMIT_BYTES)
            key = await self._desk.identify(request, fields.texts.get("key"), Scope.SUBMIT)
            number, _ = await self._desk.submit(request, key, size_bytes, lambda: read_picture_order(fields))
        return _answer(request, f"{number}")

    async def answer(self, request: web.Request) -> web.Response:
        """Answer what `action` asks for."""
        with self._desk.room.enter() as place:
            fields, _ = await self._read(request, place, QUESTION_LIMIT_BYTES)
        texts, action = fields.texts, fields.texts.get("action", "")
        key, number = texts.get("key"), texts.get("id")
        if action in POLLS:
            return await self._answer_poll(request, key, number, with_price=action == "get2")
        if action in REPORTS:
            await self._desk.report(request, key, number, REPORTS[action])
            return _answer(request, RECORDED, is_bare=True)
        await self._desk.identify(request, key, Scope.READ)
        if action != "getbalance":
            raise SolverRefusal(Failure.ACTION, f"action must be one of getbalance, {', '.join((*POLLS, *REPORTS))}")
        return _answer(request, f"{BALANCE}", is_bare=True)

    async def _answer_poll(
        self, request: web.Request, key: str | None, number: str | None, with_price: bool
    ) -> web.Response:
        answer = await self._desk.look_up(request, key, number)
        if not answer.is_final:
            return _refuse(request, NOT_READY)
        if answer.text is None:
            raise SolverRefusal(Failure.UNSOLVABLE, answer.reason)
        return _answer(request, answer.text, price=PRICE if with_price else None)

    async def _read(self, request: web.Request, place: BodyPlace, limit_bytes: int) -> tuple[Fields, int]:
        """Return the fields of query string and body, and the body's size; the body's win."""
        asked = read_urlencoded(request.rel_url.raw_query_string.encode())
        request[_WANTS_JSON] = asked.get("json") == "1"
        body = await self._desk.read_body(request, place, limit_bytes)
        sent = await self._desk.work(
            len(body), lambda: read_fields(request.headers.get("Content-Type", ""), body) if body else Fields()
        )
        fields = Fields(asked | sent.texts, sent.files)
        request[_WANTS_JSON] = fields.texts.get("json") == "1"
        return fields, len(body)


def read_picture_order(fields: Fields) -> PictureOrder:
    """Return what /in.php is asked for; SolverRefusal for anything but text in a picture."""
    texts = fields.texts
    method = texts.get("method") or (FILE_METHOD if FILE_FIELD in fields.files else TEXT_METHOD)
    others = [name for name in OTHER_KINDS if texts.get(name, "0") not in {"", "0"}]
    if method not in {FILE_METHOD, TEXT_METHOD} or others:
        raise SolverRefusal(Failure.TASK_KIND, "captchad reads text in pictures, and nothing else")
    if texts.get(CALLBACK_FIELD):
        raise SolverRefusal(Failure.PARAMETERS, f"{CALLBACK_FIELD} is not offered; poll /res.php")
    named: dict[str, Any] = {NAMES.get(name, name): value for name, value in texts.items()}
    if "imginstructions" in fields.files:
        named["imginstructions"] = True
    picture = fields.files.get(FILE_FIELD)
    if picture is None:
        picture = decode_body(texts.get(BODY_FIELD) or texts.get(FILE_FIELD))
    return read_order(named, picture)


def answer_failure(request: web.Request, error: CaptchadError) -> web.Response:
    """Answer a failure in the dialect's words."""
    return _refuse(request, find_failure(error).form_code, error.message)


def _answer(request: web.Request, value: str, *, is_bare: bool = False, price: str | None = None) -> web.Response:
    if request.get(_WANTS_JSON, False):
        return answer_json({"status": 1, "request": value} | ({} if price is None else {"price": price}))
    words = [] if is_bare else ["OK"]
    return web.Response(text="|".join([*words, value, *([] if price is None else [price])]))


def _refuse(request: web.Request, code: str, message: str = "") -> web.Response:
    if request.get(_WANTS_JSON, False):
        return answer_json({"status": 0, "request": code} | ({"error_text": message} if message else {}))
    return web.Response(text=code)
