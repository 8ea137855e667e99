"""Every header that an answer of the gateway may bear, as OpenAPI describes it."""

from typing import Any

from captchad.web.middleware.answer_headers import SERVER_NAME, USUAL_HEADERS
from captchad.web.request_id import EXAMPLE_REQUEST_ID, REQUEST_ID_LIMIT

ALWAYS = ("X-Request-Id", "Server", "X-Content-Type-Options", *USUAL_HEADERS)
SOMETIMES = ("Strict-Transport-Security", "Vary", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers")
"""Of every answer too, by the configuration."""
LIMITED = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
OF_STATUSES: dict[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
"""By the status of a failure."""


def _describe(description: str, example: str | int, *, is_required: bool = True, **schema: Any) -> dict[str, Any]:
    kind = "integer" if isinstance(example, int) else "string"
    return {
        "description": description,
        "required": is_required,
        "schema": {"type": kind, **schema},
        "example": example,
    }


_USUAL_MEANINGS = {
    "Cache-Control": "whether the answer may be kept",
    "Content-Security-Policy": "what a browser may load and run of it: nothing, unless it is a page or a picture",
    "Cross-Origin-Opener-Policy": "no page of another origin gets hold of its window",
    "Cross-Origin-Resource-Policy": "no page of another origin may show it",
    "Referrer-Policy": "what it leads to does not learn its address",
    "X-Frame-Options": "no page may frame it",
}
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": _describe(
        f"names this request in the log: yours, where you sent one of at most {REQUEST_ID_LIMIT} letters, digits, `-`, "
        "`_` and `.`, else a new one",
        EXAMPLE_REQUEST_ID,
        pattern=rf"^[A-Za-z0-9._-]{{1,{REQUEST_ID_LIMIT}}}$",
    ),
    "Server": _describe("which program answers", SERVER_NAME, const=SERVER_NAME),
    "X-Content-Type-Options": _describe("the content type is what it says", "nosniff", const="nosniff"),
    **{name: _describe(meaning, USUAL_HEADERS[name]) for name, meaning in _USUAL_MEANINGS.items()},
    "Strict-Transport-Security": _describe(
        "for how many seconds this host is to be asked by TLS alone; absent where the gateway speaks none",
        "max-age=31536000",
        is_required=False,
    ),
    "RateLimit-Limit": _describe(
        "number of requests that may come at once, by the limit with the least left; absent where none is in force",
        120,
        is_required=False,
        minimum=1,
    ),
    "RateLimit-Remaining": _describe(
        "number of requests that are left now; absent where no limit is in force", 119, is_required=False, minimum=0
    ),
    "RateLimit-Reset": _describe(
        "seconds until all are left again; absent where no limit is in force", 1, is_required=False, minimum=0
    ),
    "Retry-After": _describe("whole seconds to wait before it makes sense to ask again", 5, minimum=1),
    "WWW-Authenticate": _describe("how to send a key", 'Bearer realm="captchad"'),
    "Allow": _describe("the methods that the path answers, separated by commas", "GET,HEAD"),
    "Location": _describe("where to go on, relative to the address of the request", "./task_status/task_00…"),
    "Content-Disposition": _describe("to be shown, not to be kept as a file", "inline"),
    "X-Accel-Buffering": _describe("asks a proxy not to hold events back", "no"),
    "Vary": _describe("`Origin`, where security.allowed_origins names any; else absent", "Origin", is_required=False),
    "Access-Control-Allow-Origin": _describe(
        "the origin of the page that asks, where security.allowed_origins names it; else absent",
        "https://app.example.com",
        is_required=False,
    ),
    "Access-Control-Expose-Headers": _describe(
        "the headers that this page may read; absent for others", "Location, Retry-After", is_required=False
    ),
}


def refer_to_headers(*names: str) -> dict[str, Any]:
    """Return the `headers` of an answer that has these beside those that every answer has."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*ALWAYS, *names, *SOMETIMES)}
