"""One HTTP exchange as bytes: a request written and an answer read, without a connection.

The standard library's client writes and reads them, at a pretended socket; so the blocking and the asynchronous
transport send and understand the same.
"""

import json
import ssl
from dataclasses import dataclass, field
from http.client import HTTP_PORT, HTTPS_PORT, HTTPConnection, HTTPException, HTTPResponse
from io import BytesIO
from typing import Any, cast
from urllib.parse import urlsplit

from captchad.client.trust import Trust, find_trust
from captchad.domain.errors import GatewayUnreachable, InvalidRequest

ANSWER_LIMIT_BYTES = 67_108_864
_PORTS = {"http": HTTP_PORT, "https": HTTPS_PORT}
_TLS_ALERT = b"\x15\x03"
"""How the answer of a port begins that speaks TLS and got plain HTTP."""
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"})
"""The library's reasons where what came in answer to a handshake is none of TLS."""
_AUTHORITY_FAULTS = frozenset({2, 18, 19, 20, 21})
"""The library's codes where no known authority vouches for a certificate: X509_V_ERR_…"""
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
            if not self.is_secure and (not content or content.startswith(_TLS_ALERT)):
                # A captchad gateway with TLS just hangs up; so does one that is killed.
                raise self._ask_for("https", "it hung up, as a port does that speaks TLS") from error
            raise self.fail(str(error) or type(error).__name__) from error
        finally:
            response.close()
        return Answer(response.status, _parse(body), response.headers.get("Retry-After"), body)

    def fail(self, reason: str) -> GatewayUnreachable:
        """Return the error for an exchange without an answer."""
        return GatewayUnreachable(f"{self.base_url} does not answer: {reason}")

    def explain(self, error: OSError) -> GatewayUnreachable:
        """Return the error for a connection that could not be made, or has broken."""
        if isinstance(error, ssl.SSLCertVerificationError):
            # A certificate that a caller knows by its digest is judged without the library, and so without a code.
            reason = getattr(error, "verify_message", "") or error.args[-1]
            advice = ": name its authority with CAPTCHAD_CA_FILE or ca_file=" if _lacks_authority(error) else ""
            message = f"{self.base_url} does not answer as a known gateway: its certificate is not trusted ({reason})"
            return GatewayUnreachable(message + advice, is_something_there=True)
        if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
            return self._ask_for("http", "it speaks no TLS")
        return self.fail(str(error) or type(error).__name__)

    def _ask_for(self, scheme: str, reason: str) -> GatewayUnreachable:
        meant = f"{scheme}://{self.base_url.partition('://')[2]}"
        return GatewayUnreachable(
            f"{self.base_url} does not answer: {reason}; is its address {meant}?", is_something_there=True
        )


def _lacks_authority(error: ssl.SSLCertVerificationError) -> bool:
    return getattr(error, "verify_code", None) in _AUTHORITY_FAULTS


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
