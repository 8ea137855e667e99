"""The form that ddddocr's own server speaks: /ocr with base64 in JSON, /ocr/file with an upload.

The text comes at once. That server asks for no key. Here one comes as Authorization: Bearer, as X-API-Key, or as the
password of the address, http://:KEY@HOST:PORT, which most HTTP clients send by themselves. Failures have a status and
`detail`, as there.
"""

import base64
import binascii
import math
from dataclasses import replace
from typing import Any

from aiohttp import web

from captchad.broker.events import EventFeed
from captchad.domain.api_key import Scope
from captchad.domain.colour import parse_colour
from captchad.domain.errors import BrokerUnavailable, CaptchadError, InvalidRequest, RateLimited
from captchad.domain.recognition import Character, Hints
from captchad.domain.task_limits import LONGEST_WAIT_SECONDS
from captchad.runtime.clock import Clock
from captchad.web.bodies import parse_json
from captchad.web.compatibility.desk import BODY_LIMIT_BYTES, SolverDesk, read_answer
from captchad.web.compatibility.failures import Failure, SolverRefusal, find_failure
from captchad.web.compatibility.forms import read_fields
from captchad.web.compatibility.orders import PictureOrder, check_picture, decode_body, read_flag
from captchad.web.middleware.access import read_key
from captchad.web.routes import Route, answer_json

COLOURS_FIELD, RANGES_FIELD, PROBABILITY_FIELD = "colors", "custom_color_ranges", "probability"
BLANK = ""
"""What ddddocr answers to a picture in which it reads nothing."""
_BASIC = "basic"
_LEAST_PROBABILITY = 1e-6


class DdddocrRoutes:
    """Handlers of /ocr and /ocr/file."""

    def __init__(self, desk: SolverDesk, feed: EventFeed, clock: Clock) -> None:
        self._desk = desk
        self._feed = feed
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        return (
            Route(
                "POST",
                "/ocr",
                self.read_json,
                None,
                "Read a picture in JSON",
                answer_failure=answer_failure,
                is_audited=False,
            ),
            Route(
                "POST",
                "/ocr/file",
                self.read_upload,
                None,
                "Read a file",
                answer_failure=answer_failure,
                is_audited=False,
            ),
        )

    async def read_json(self, request: web.Request) -> web.Response:
        """Read the picture in a JSON body."""
        return await self._read(request, is_upload=False)

    async def read_upload(self, request: web.Request) -> web.Response:
        """Read an uploaded picture."""
        return await self._read(request, is_upload=True)

    async def _read(self, request: web.Request, is_upload: bool) -> web.Response:
        begun_seconds = self._clock.monotonic_seconds()
        key = await self._desk.identify(request, find_key(request), Scope.SUBMIT)
        content_type = request.headers.get("Content-Type", "")
        with self._desk.room.enter() as place:
            body = await self._desk.read_body(request, place, BODY_LIMIT_BYTES, always_json=not is_upload)

            def parse() -> dict[str, Any]:
                return read_upload(content_type, body) if is_upload else read_object(body)

            fields = await self._desk.work(len(body), parse)
            _, task_id = await self._desk.submit(request, key, len(body), lambda: read_ocr_order(fields))
        answer = read_answer(await self._feed.wait_final(task_id, LONGEST_WAIT_SECONDS))
        if not answer.is_final:
            raise BrokerUnavailable(f"the picture was not read within {LONGEST_WAIT_SECONDS} s; try again later")
        if answer.text is None and not answer.is_blank:
            raise SolverRefusal(Failure.UNSOLVABLE, answer.reason)
        text = answer.text or BLANK
        result = represent_probability(text, answer.characters) if read_flag(fields, PROBABILITY_FIELD) else text
        seconds = self._clock.monotonic_seconds() - begun_seconds
        return answer_json({"result": result, "probability": None, "processing_time": seconds})


def find_key(request: web.Request) -> str | None:
    """Return the key of a request's headers: as everywhere else, or as a user name or password."""
    values = request.headers.getall("Authorization", [])
    scheme, _, text = values[0].strip().partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != _BASIC:
        return read_key(values, request.headers.getall("X-API-Key", []))
    try:
        name, _, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password or name


def read_object(body: bytes) -> dict[str, Any]:
    """Return the fields of /ocr."""
    value = parse_json(body)
    if not isinstance(value, dict):
        raise InvalidRequest("the body must be a JSON object")
    return value | {"picture": decode_body(value.get("image"))}


def read_upload(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the fields of /ocr/file; lists and objects come as JSON in them."""
    fields = read_fields(content_type, body)
    parsed = {
        name: parse_json(fields.texts[name].encode())
        for name in (COLOURS_FIELD, RANGES_FIELD)
        if fields.texts.get(name)
    }
    return fields.texts | parsed | {"picture": fields.files.get("file", b"")}


def read_ocr_order(fields: dict[str, Any]) -> PictureOrder:
    """Return what is asked for: one colour may be, for only characters of that one count then."""
    order = PictureOrder(check_picture(fields["picture"]))
    read_flag(fields, PROBABILITY_FIELD)
    colours = fields.get(COLOURS_FIELD) or []
    if not isinstance(colours, list) or fields.get(RANGES_FIELD):
        raise SolverRefusal(Failure.PARAMETERS, f"{COLOURS_FIELD} must be a list, and {RANGES_FIELD} is not offered")
    if not colours:
        return order
    [colour] = colours if len(colours) == 1 else [None]
    if not isinstance(colour, str) or parse_colour(colour) is None:
        raise SolverRefusal(Failure.PARAMETERS, f"{COLOURS_FIELD} may have one CSS colour")
    return replace(order, hints=Hints(colour=colour))


def represent_probability(text: str, characters: tuple[Character, ...]) -> dict[str, Any]:
    """Return a text as ddddocr does with `probability`: the likeliest entry of each row is a character of it."""
    known = [one for one in characters if one.text] if text == "".join(one.text for one in characters) else []
    rows = known or [Character(letter, 1.0) for letter in text]
    charsets = [BLANK, *dict.fromkeys(one.text for one in rows)]
    probability = [
        [max(one.confidence, _LEAST_PROBABILITY) if letter == one.text else 0.0 for letter in charsets] for one in rows
    ]
    return {"text": text, "charsets": charsets, "probability": probability}


def answer_failure(request: web.Request, error: CaptchadError) -> web.Response:
    """Answer a failure as FastAPI does, which ddddocr's server is made with."""
    headers = {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_seconds)))
    return answer_json({"detail": error.message}, find_failure(error).status, headers)
