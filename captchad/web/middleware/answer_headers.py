"""The headers that every answer bears, whatever it is: they are here, and nowhere else."""

from types import MappingProxyType

from aiohttp import web

SERVER_NAME = "captchad"
CLOSED_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Of what is no page: a browser that is made to show it loads and runs nothing of it."""

USUAL_HEADERS = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": CLOSED_POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
    }
)
"""Of every answer that does not say otherwise: pages have a policy of their own, and their files may be kept."""


def mark_answer(
    response: web.StreamResponse, request_id: str | None, strict_transport_security_seconds: int = 0
) -> None:
    """Add the headers that every answer bears, and HSTS where a number of seconds is stated."""
    headers = response.headers
    headers["Server"] = SERVER_NAME
    headers["X-Content-Type-Options"] = "nosniff"
    for name, value in USUAL_HEADERS.items():
        headers.setdefault(name, value)
    if strict_transport_security_seconds:
        headers["Strict-Transport-Security"] = f"max-age={strict_transport_security_seconds}"
    if request_id is not None:
        headers["X-Request-Id"] = request_id
