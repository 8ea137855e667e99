"""Reads JSON bodies: bounded while they arrive, and stricter than most parsers about what is JSON."""

import json
from typing import Any

import orjson
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_exceptions import HTTPException

from captchad.domain.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType, Violation

JSON_TYPES = frozenset({"application/json"})


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


_decoder = json.JSONDecoder(object_pairs_hook=_refuse_duplicates)


async def read_json(request: web.Request, limit_bytes: int) -> Any:
    """Return the body's JSON value; BodyTooLarge, UnsupportedMediaType or InvalidRequest where there is none."""
    check_content_type(request)
    return parse_json(await read_body(request, limit_bytes))


def check_content_type(request: web.Request) -> None:
    """Refuse a body that does not say it is JSON, or that is compressed."""
    content_type = request.content_type
    if "Content-Type" not in request.headers:
        raise UnsupportedMediaType("the body needs Content-Type: application/json")
    if content_type not in JSON_TYPES and not content_type.endswith("+json"):
        raise UnsupportedMediaType("the body must have Content-Type: application/json")
    if (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType("the body must be UTF-8")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("compressed bodies are not supported; send it without Content-Encoding")


async def read_body(request: web.Request, limit_bytes: int) -> bytes:
    """Read the body up to `limit_bytes`, whether or not its length was announced."""
    message = f"the body is larger than {limit_bytes} bytes"
    if request.content_length is not None and request.content_length > limit_bytes:
        raise BodyTooLarge(message)
    body = bytearray()
    try:
        while chunk := await request.content.readany():
            body += chunk
            if len(body) > limit_bytes:
                raise BodyTooLarge(message)
    except (HttpProcessingError, HTTPException, web.RequestPayloadError, web.PayloadAccessError) as error:
        raise InvalidRequest("the body is not framed as HTTP requires") from error
    return bytes(body)


def parse_json(body: bytes) -> Any:
    """Parse UTF-8 JSON; refuses NaN, infinities, lone surrogates, repeated names and nesting over 1,000 levels."""
    try:
        # orjson is the stricter one, but takes the last of repeated names; the other decoder finds those.
        orjson.loads(body)
        return _decoder.decode(body.decode())
    except _DuplicateName as error:
        raise InvalidRequest(
            "a name appears twice in one object of the body", (Violation("", f"{error.name[:64]!r} appears twice"),)
        ) from None
    except RecursionError:
        raise InvalidRequest("the body is nested too deeply") from None
    except ValueError as error:
        raise InvalidRequest(f"the body is not valid JSON: {_first_line(error)}") from None


def _first_line(error: ValueError) -> str:
    return str(error).splitlines()[0][:200]
