"""GET /openapi.json and GET /docs: the API described for programs, and a page for people to read and try it."""

import base64
import hashlib
import re
from http import HTTPStatus
from importlib.resources import files

import orjson
from aiohttp import web

from captchad.domain.api_key import Scope
from captchad.web.api.openapi import build_document, list_routes
from captchad.web.routes import JSON_TYPE, Route

HTML_TYPE = "text/html"
TEXT_TYPE = "text/plain"
WHERE_THE_DOCS_ARE = "This is a captchad gateway: /docs describes its API for people, /openapi.json for programs.\n"
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


class DocumentationRoutes:
    """Handlers of the documentation; it describes all routes of the application that serves it."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._document: bytes | None = None
        self._page: str | None = None
        self._policy = ""

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        return (
            Route("GET", "/", self.lead_to_docs, None, "Leads to /docs", answers={302: TEXT_TYPE}),
            Route(
                "GET", "/openapi.json", self.openapi, Scope.READ, "This API as OpenAPI 3.1", answers={200: JSON_TYPE}
            ),
            Route("GET", "/docs", self.docs, Scope.READ, "A page to read and try this API", answers={200: HTML_TYPE}),
        )

    async def lead_to_docs(self, request: web.Request) -> web.Response:
        """Lead whoever opens the bare address to the page that says what there is."""
        # Relative, so that it also leads there behind a proxy that serves this under a path of its own.
        headers = {"Location": "docs"}
        return web.Response(status=HTTPStatus.FOUND, text=WHERE_THE_DOCS_ARE, headers=headers)

    async def openapi(self, request: web.Request) -> web.Response:
        """Return the OpenAPI document."""
        if self._document is None:
            self._document = orjson.dumps(build_document(list_routes(request.app), self._version))
        return web.Response(body=self._document, content_type=JSON_TYPE)

    async def docs(self, request: web.Request) -> web.Response:
        """Return the page; its script and style are inside it, and nothing else may run there."""
        if self._page is None:
            self._page = files("captchad.web.api").joinpath("static/docs.html").read_text("utf-8")
            self._policy = make_page_policy(self._page)
        return web.Response(text=self._page, content_type=HTML_TYPE, headers={"Content-Security-Policy": self._policy})


def make_page_policy(page: str) -> str:
    """Return a Content-Security-Policy that lets exactly the page's own inline scripts and styles run."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, content in _INLINE.findall(page):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    return (
        f"default-src 'none'; script-src {' '.join(hashes['script'])}; style-src {' '.join(hashes['style'])}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
