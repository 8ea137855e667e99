"""Heads of HTTP/1 messages as the proxy reads and writes them: strict towards the browser, lenient towards sites."""

import re
from dataclasses import dataclass
from enum import Enum, auto

HEAD_LIMIT_BYTES = 64 * 1024
HEADER_COUNT_LIMIT = 200
STATUS_INFORMATIONAL_END = 200
STATUS_NO_CONTENT = 204
STATUS_NOT_MODIFIED = 304

_REQUEST_LINE = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([\x21-\x7e]+) HTTP/1\.([01])")
_STATUS_LINE = re.compile(r"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BAD_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(r"[0-9]{1,18}")

HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

Header = tuple[str, str]


class MalformedMessage(ValueError):
    """A head or a body that can't be understood in exactly one way."""


class BodyKind(Enum):
    """How the end of a body is known."""

    NONE = auto()
    LENGTH = auto()
    CHUNKED = auto()
    UNTIL_CLOSE = auto()


@dataclass(frozen=True, slots=True)
class Framing:
    """Where a body ends; `length_bytes` counts for LENGTH only."""

    kind: BodyKind
    length_bytes: int = 0


NO_BODY = Framing(BodyKind.NONE)


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request line and its headers (latin-1 text, values stripped)."""

    method: str
    target: str
    minor_version: int
    headers: tuple[Header, ...]

    def framing(self) -> Framing:
        """Say where the body ends; MalformedMessage where headers disagree (request smuggling)."""
        codings, lengths = find_values(self.headers, "transfer-encoding"), _read_lengths(self.headers)
        if codings:
            if lengths or self.minor_version == 0 or [coding.lower() for coding in codings] != ["chunked"]:
                raise MalformedMessage("the request's Transfer-Encoding is not plain chunked, or comes with a length")
            return Framing(BodyKind.CHUNKED)
        return Framing(BodyKind.LENGTH, lengths[0]) if lengths else NO_BODY

    def wants_close(self) -> bool:
        """Whether the connection ends after this request."""
        options = connection_options(self.headers)
        return "close" in options or (self.minor_version == 0 and "keep-alive" not in options)


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """A status line and its headers (latin-1 text, values stripped)."""

    status: int
    reason: str
    headers: tuple[Header, ...]

    def framing(self, method: str) -> Framing:
        """Say where the body of this answer to `method` ends."""
        is_bodiless = self.status < STATUS_INFORMATIONAL_END or self.status in (STATUS_NO_CONTENT, STATUS_NOT_MODIFIED)
        if method == "HEAD" or is_bodiless:
            return NO_BODY
        codings, lengths = find_values(self.headers, "transfer-encoding"), _read_lengths(self.headers)
        if codings:
            if [coding.lower() for coding in codings] != ["chunked"]:
                raise MalformedMessage(f"the answer has the Transfer-Encoding {', '.join(codings)}")
            return Framing(BodyKind.CHUNKED)
        return Framing(BodyKind.LENGTH, lengths[0]) if lengths else Framing(BodyKind.UNTIL_CLOSE)


def parse_request_head(raw: bytes) -> RequestHead:
    """Read a head that ends in an empty line; lines end in CRLF, nothing is folded, no name is odd."""
    lines = _split_strictly(raw)
    match = _REQUEST_LINE.fullmatch(lines[0])
    if match is None:
        raise MalformedMessage("the request line is not METHOD TARGET HTTP/1.x")
    headers = tuple(_parse_header(line) for line in lines[1:])
    return RequestHead(match.group(1), match.group(2), int(match.group(3)), headers)


def _split_strictly(raw: bytes) -> list[str]:
    if not raw.endswith(b"\r\n\r\n"):
        raise MalformedMessage("the head does not end in an empty line")
    lines = raw[:-4].decode("latin-1").split("\r\n")
    if len(lines) > HEADER_COUNT_LIMIT + 1:
        raise MalformedMessage(f"there are more than {HEADER_COUNT_LIMIT} headers")
    return lines


def _parse_header(line: str) -> Header:
    name, colon, value = line.partition(":")
    stripped = value.strip(" \t")
    if not colon or _TOKEN.fullmatch(name) is None or _BAD_IN_VALUE.search(stripped):
        raise MalformedMessage("a header line is not NAME: VALUE")
    return name, stripped


def parse_response_head(raw: bytes) -> ResponseHead:
    """Read a site's head: bare line feeds and folded lines are taken, lines that are no header are dropped."""
    text = raw.decode("latin-1")
    lines = [line.rstrip("\r") for line in text.rstrip("\r\n").split("\n")]
    match = _STATUS_LINE.fullmatch(lines[0])
    if match is None:
        raise MalformedMessage("the answer is not HTTP/1")
    if len(lines) > HEADER_COUNT_LIMIT + 1:
        raise MalformedMessage(f"the answer has more than {HEADER_COUNT_LIMIT} headers")
    headers: list[Header] = []
    for line in _unfold(lines[1:]):
        try:
            headers.append(_parse_header(line))
        except MalformedMessage:
            continue
    return ResponseHead(int(match.group(2)), match.group(3) or "", tuple(headers))


def _unfold(lines: list[str]) -> list[str]:
    """Return the lines with those that go on in the next ones in one piece."""
    parts: list[list[str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and parts:
            parts[-1].append(line.strip())
        else:
            parts.append([line])
    return [" ".join(pieces) for pieces in parts]


def find_values(headers: tuple[Header, ...], name: str) -> list[str]:
    """Return every value of a header, lists split at their commas."""
    found = []
    for key, value in headers:
        if key.lower() == name:
            found += [part.strip(" \t") for part in value.split(",")]
    return [part for part in found if part]


def connection_options(headers: tuple[Header, ...]) -> frozenset[str]:
    """Return what Connection (or Proxy-Connection) names, in lower case."""
    named = find_values(headers, "connection") + find_values(headers, "proxy-connection")
    return frozenset(value.lower() for value in named)


def _read_lengths(headers: tuple[Header, ...]) -> list[int]:
    values = [value for key, value in headers if key.lower() == "content-length"]
    parts = [part.strip(" \t") for value in values for part in value.split(",")]
    if not all(_LENGTH.fullmatch(part) for part in parts) or len(set(parts)) > 1:
        raise MalformedMessage("the Content-Length is not one number")
    return [int(part) for part in parts[:1]]


def forwardable(headers: tuple[Header, ...], also_dropped: frozenset[str]) -> list[Header]:
    """Return the headers that travel on: not those of this connection, the framing, or `also_dropped` (lower case)."""
    dropped = HOP_BY_HOP | connection_options(headers) | also_dropped | {"content-length"}
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def framing_header(framing: Framing) -> list[Header]:
    """Return the header that announces a body as we send it on."""
    if framing.kind is BodyKind.LENGTH:
        return [("Content-Length", str(framing.length_bytes))]
    return [("Transfer-Encoding", "chunked")] if framing.kind is BodyKind.CHUNKED else []


def serialise_head(first_line: str, headers: list[Header]) -> bytes:
    """Return the bytes of a head."""
    lines = [first_line, *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
