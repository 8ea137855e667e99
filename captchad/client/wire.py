"""One HTTP exchange as bytes: a request written and an answer read, without a connection.

The standard library's client writes and reads them, at a pretended socket; so the blocking and the asynchronous
transport send and understand the same.
"""

import json
from dataclasses import dataclass, field
from http.client import HTTP_PORT, HTTPS_PORT, HTTPConnection, HTTPException, HTTPResponse
from io import BytesIO
from typing import Any, cast
from urllib.parse import urlsplit

from captchad.client.trust import Trust, find_trust
from captchad.domain.errors import GatewayUnreachable, InvalidRequest

ANSWER_LIMIT_BYTES = 67_108_864
_PORTS = {"http": HTTP_PORT, "https": HTTPS_PORT}
_ACCEPTED = "application/json, application/problem+json, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the gateway's; `path` begins with a slash, and `body` is sent as JSON."""

    method: str
    path: str
    body: object | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the JSON body (None where it is none), the Retry-After header, and the bytes."""

    status: int
    body: Any
    retry_after: str | None = None
    content: bytes = field(default=b"", repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300  # noqa: PLR2004


class GatewayAddress:
    """The checked base URL of a captchad role, and whose certificates are believed there."""

    def __init__(self, base_url: str, trust: Trust | None = None) -> None:
        try:
            parts = urlsplit(base_url)
            port = parts.port
        except ValueError as error:
            raise InvalidRequest(f"{base_url!r} is not a URL: {error}") from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise InvalidRequest(f"{base_url!r} is not a gateway's address; write it as http://HOST:PORT")
        self.base_url = base_url.rstrip("/")
        self.host = parts.hostname
        self.port = port or _PORTS[parts.scheme]
        self.is_secure = parts.scheme == "https"
        self.trust = find_trust() if trust is None else trust
        self._usual_port = _PORTS[parts.scheme]
        self._prefix = parts.path.rstrip("/")

    def write(self, request: Request) -> bytes:
        """Return a request as it is sent; InvalidRequest where HTTP can't carry it."""
        connection = HTTPConnection(self.host, self.port)
        # It stands in the Host header unless it is the scheme's own.
        connection.default_port = self._usual_port
        connection.sock = recorder = _Recorder()
        headers = {"Accept": _ACCEPTED, "Connection": "close", **request.headers}
        content = None if request.body is None else json.dumps(request.body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(request.method, self._prefix + request.path, content, headers)
        except (ValueError, UnicodeError, HTTPException) as error:
            raise InvalidRequest(f"the request can't be sent: {error}") from None
        return bytes(recorder.sent)

    def read(self, content: bytes, method: str) -> Answer:
        """Return the answer in what came until the connection ended; GatewayUnreachable where it is none."""
        if len(content) > ANSWER_LIMIT_BYTES:
            raise self.fail(f"its answer has more than {ANSWER_LIMIT_BYTES} bytes")
        response = HTTPResponse(cast("Any", _Played(content)), method=method)
        try:
            response.begin()
            body = response.read()
        except (HTTPException, OSError) as error:
            raise self.fail(str(error) or type(error).__name__) from error
        finally:
            response.close()
        return Answer(response.status, _parse(body), response.headers.get("Retry-After"), body)

    def fail(self, reason: str) -> GatewayUnreachable:
        """Return the error for an exchange without an answer."""
        return GatewayUnreachable(f"{self.base_url} does not answer: {reason}")


class _Recorder:
    def __init__(self) -> None:
        self.sent = bytearray()

    def sendall(self, content: bytes) -> None:
        self.sent += content


class _Played:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _: str) -> BytesIO:
        return BytesIO(self._content)


def _parse(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
