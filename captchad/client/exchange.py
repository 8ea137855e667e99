"""One JSON request and its answer over HTTP or HTTPS, without proxies and redirects."""

import json
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from captchad.domain.errors import GatewayUnreachable, InvalidRequest

ANSWER_LIMIT_BYTES = 67_108_864
_SCHEMES = {"http": HTTPConnection, "https": HTTPSConnection}


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
    """The checked base URL of a captchad role."""

    def __init__(self, base_url: str) -> None:
        try:
            parts = urlsplit(base_url)
            port = parts.port
        except ValueError as error:
            raise InvalidRequest(f"{base_url!r} is not a URL: {error}") from None
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise InvalidRequest(f"{base_url!r} is not a gateway's address; write it as http://HOST:PORT")
        self.base_url = base_url.rstrip("/")
        self._scheme, self._host, self._port = parts.scheme, parts.hostname, port
        self._prefix = parts.path.rstrip("/")

    def exchange(
        self, method: str, path: str, headers: dict[str, str], body: object | None, timeout_seconds: float
    ) -> Answer:
        """Send one request and read its answer; GatewayUnreachable without one."""
        # http.client ignores proxy settings and follows no redirects: an API key goes to this address only.
        connection = _SCHEMES[self._scheme](self._host, self._port, timeout=timeout_seconds)
        content = None if body is None else json.dumps(body).encode()
        sent = {"Accept": "application/json, application/problem+json, */*;q=0.5", **headers}
        if content is not None:
            sent["Content-Type"] = "application/json"
        try:
            connection.request(method, self._prefix + path, content, sent)
            response = connection.getresponse()
            text = response.read(ANSWER_LIMIT_BYTES)
            return Answer(response.status, _parse(text), response.headers.get("Retry-After"), text)
        except (OSError, HTTPException) as error:
            reason = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
            raise GatewayUnreachable(f"{self.base_url} does not answer: {reason}") from error
        except (ValueError, UnicodeError) as error:
            raise InvalidRequest(f"the request can't be sent: {error}") from None
        finally:
            connection.close()


def _parse(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
