"""GET /openapi.json and GET /docs: the API described for programs, and a page for people to read and try it."""

import base64
import hashlib
import re
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from aiohttp import web

from captchad.domain.api_key import Scope
from captchad.web.api.openapi import build_document, list_routes
from captchad.web.middleware.prefix import find_prefix, set_base
from captchad.web.routes import JSON_TYPE, Route, answer_json

HTML_TYPE = "text/html"
TEXT_TYPE = "text/plain"
WHERE_THE_DOCS_ARE = "This is a captchad gateway: /docs describes its API for people, /openapi.json for programs.\n"
PAGE_PART = "api/static/docs.html"
INSERTED_PARTS = {
    "<style></style>": ("dashboard/static/theme.css", "api/static/docs.css"),
    "<script></script>": ("api/static/docs.js", "api/static/fields.js"),
}
"""Where the page's other files go; its colours are those of the monitor's page."""
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


class DocumentationRoutes:
    """Handlers of the documentation; it describes all routes of the application that serves it.

    The page holds no data of its own: where keys are required it is open, so that it can ask for one.
    """

    def __init__(self, version: str, are_keys_required: bool) -> None:
        self._version = version
        self._are_keys_required = are_keys_required
        self._page_scope = None if are_keys_required else Scope.READ
        self._document: dict[str, Any] | None = None
        self._page: str | None = None
        self._policy = ""

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        return (
            Route(
                "GET", "/", self.lead_to_docs, None, "Leads to /docs", answers={302: TEXT_TYPE}, headers=("Location",)
            ),
            Route(
                "GET", "/openapi.json", self.openapi, Scope.READ, "This API as OpenAPI 3.1", answers={200: JSON_TYPE}
            ),
            Route("GET", "/docs", self.docs, self._page_scope, "A page to try this API", answers={200: HTML_TYPE}),
        )

    async def lead_to_docs(self, request: web.Request) -> web.Response:
        """Lead whoever opens the bare address to the page that says what there is."""
        # Relative, so that it also leads there behind a proxy that serves this under a path of its own.
        headers = {"Location": "docs"}
        return web.Response(status=HTTPStatus.FOUND, text=WHERE_THE_DOCS_ARE, headers=headers)

    async def openapi(self, request: web.Request) -> web.Response:
        """Return the OpenAPI document."""
        if self._document is None:
            self._document = build_document(list_routes(request.app), self._version, self._are_keys_required)
        prefix = find_prefix(request)
        return answer_json({**self._document, "servers": [{"url": prefix}]} if prefix else self._document)

    async def docs(self, request: web.Request) -> web.Response:
        """Return the page; its script and style are inside it, and nothing else may run there."""
        if self._page is None:
            self._page = assemble_page()
            self._policy = make_page_policy(self._page)
        page = set_base(self._page, find_prefix(request))
        return web.Response(text=page, content_type=HTML_TYPE, headers={"Content-Security-Policy": self._policy})


def assemble_page() -> str:
    """Return the page with its styles and its script in it, so that it needs nothing but itself."""
    room = files("captchad.web")
    page = room.joinpath(PAGE_PART).read_text("utf-8")
    for place, names in INSERTED_PARTS.items():
        content = "".join(room.joinpath(name).read_text("utf-8") for name in names)
        page = page.replace(place, place.replace("><", f">\n{content}<"))
    return page


def make_page_policy(page: str) -> str:
    """Return a Content-Security-Policy that lets exactly the page's own inline scripts and styles run."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, content in _INLINE.findall(page):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    return (
        f"default-src 'none'; script-src {' '.join(hashes['script'])}; style-src {' '.join(hashes['style'])}; "
        "connect-src 'self'; img-src data: blob:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    )
