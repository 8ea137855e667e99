"""Reads JSON bodies: bounded while they arrive, and stricter than most parsers about what is JSON."""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_exceptions import HTTPException

from captchad.domain.errors import BodyTooLarge, InvalidRequest, RequestTimedOut, UnsupportedMediaType, Violation
from captchad.domain.json_integer import read_integer
from captchad.web.body_meter import BodyMeter

JSON_TYPES = frozenset({"application/json"})
SILENCE_SECONDS = 30.0
SMALL_BODY_BYTES = 65_536
SMALL_PIECE_BYTES = 16_384
T = TypeVar("T")


class _DuplicateName(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _DuplicateName(name)
            seen.add(name)
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _read_float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:32]} is too large")
    return number


_decoder = json.JSONDecoder(
    object_pairs_hook=_refuse_duplicates,
    parse_constant=_refuse_constant,
    parse_float=_read_float,
    parse_int=read_integer,
)


class BodyWork:
    """Does what must be done with a body: with a small one at once, with large ones in a thread, one after another.

    In a thread of their own they hold up nobody; more threads would only take the event loop's share of the processor.
    What must be done while a body comes is done in steps, of which all large ones together have one in each turn of the
    loop.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bodies")
        self._turn = asyncio.Lock()

    async def measure(self, meter: BodyMeter, piece: bytes) -> None:
        """Measure a piece of a body; raises what the meter raises."""
        at = meter.feed(piece) if len(piece) <= SMALL_PIECE_BYTES else 0
        while at < len(piece):
            async with self._turn:
                at = meter.feed(piece, at)
                await asyncio.sleep(0)

    async def run(self, size_bytes: int, work: Callable[[], T]) -> T:
        """Return what `work` returns, which must touch nothing that belongs to the event loop."""
        if size_bytes <= SMALL_BODY_BYTES:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def check_content_type(request: web.Request) -> None:
    """Refuse a body that does not say it is JSON, or that is compressed."""
    content_type = request.content_type
    if "Content-Type" not in request.headers:
        raise UnsupportedMediaType("the body needs Content-Type: application/json")
    if content_type not in JSON_TYPES and not content_type.endswith("+json"):
        raise UnsupportedMediaType("the body must have Content-Type: application/json")
    check_coding(request)


def check_coding(request: web.Request) -> None:
    """Refuse a body that is not UTF-8, or that is compressed."""
    if (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType("the body must be UTF-8")
    codings = ",".join(request.headers.getall("Content-Encoding", ["identity"])).split(",")
    if any(coding.strip().lower() != "identity" for coding in codings):
        raise UnsupportedMediaType("compressed bodies are not supported; send it without Content-Encoding")


async def read_body(
    request: web.Request,
    limit_bytes: int,
    note_length: Callable[[int], None],
    measure: Callable[[bytes], Awaitable[None]],
) -> bytes:
    """Read a JSON body as `read_content` does; UnsupportedMediaType where it does not say that it is JSON."""
    check_content_type(request)
    return await read_content(request, limit_bytes, note_length, measure)


async def read_content(
    request: web.Request,
    limit_bytes: int,
    note_length: Callable[[int], None],
    measure: Callable[[bytes], Awaitable[None]] | None = None,
) -> bytes:
    """Read a body up to `limit_bytes`, whether or not its length was announced.

    `note_length` is told how long it has become, `measure` is given each piece; either may raise. Raises BodyTooLarge,
    RequestTimedOut or InvalidRequest.
    """
    message = f"the body is larger than {limit_bytes} bytes"
    if request.content_length is not None and request.content_length > limit_bytes:
        raise BodyTooLarge(message)
    body = bytearray()
    try:
        while piece := await _read_piece(request):
            body += piece
            if len(body) > limit_bytes:
                raise BodyTooLarge(message)
            note_length(len(body))
            if measure is not None:
                await measure(piece)
    except (HttpProcessingError, HTTPException, web.RequestPayloadError, web.PayloadAccessError) as error:
        raise InvalidRequest("the body is not framed as HTTP requires") from error
    return bytes(body)


async def _read_piece(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            return await request.content.readany()
    except TimeoutError:
        raise RequestTimedOut(f"nothing more of the body came for {SILENCE_SECONDS:.0f} s") from None


def parse_json(body: bytes) -> Any:
    """Parse UTF-8 JSON; refuses NaN, infinities, lone surrogates, repeated names and nesting too deep to be parsed."""
    try:
        value = _decoder.decode(body.decode())
        if b"\\u" in body:
            # Only an escape can spell half of a surrogate pair, which the parser lets through.
            json.dumps(value, ensure_ascii=False).encode()
    except _DuplicateName as error:
        raise InvalidRequest(
            "a name appears twice in one object of the body", (Violation("", f"{error.name[:64]!r} appears twice"),)
        ) from None
    except RecursionError:
        raise InvalidRequest("the body is nested too deeply") from None
    except UnicodeEncodeError:
        raise InvalidRequest("the body has half of a surrogate pair (\\ud800 to \\udfff) in a text") from None
    except ValueError as error:
        raise InvalidRequest(f"the body is not valid JSON: {_first_line(error)}") from None
    return value


def _first_line(error: ValueError) -> str:
    return str(error).splitlines()[0][:200]
