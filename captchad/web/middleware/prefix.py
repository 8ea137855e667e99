"""The path under which a trusted proxy shows this role: found, and made the base of a page's addresses."""

import re

from aiohttp import web

from captchad.web.middleware.addresses import UNKNOWN_ADDRESS
from captchad.web.middleware.rates import ADDRESSES

PREFIX_HEADER = "X-Forwarded-Prefix"
PREFIX_LENGTH_LIMIT = 256
# No segment begins with a dot, and none is empty: `//host` would lead elsewhere, `..` would lead out.
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")


def find_prefix(request: web.Request) -> str:
    """Return what a trusted proxy takes off the front of every path, without a slash at its end.

    It is empty where there is no such proxy, and where what it says is not one plain path.
    """
    given = request.headers.getall(PREFIX_HEADER, [])
    if len(given) != 1 or not request.app[ADDRESSES].is_trusted(request.remote or UNKNOWN_ADDRESS):
        return ""
    prefix = given[0].strip()
    is_plain = len(prefix) <= PREFIX_LENGTH_LIMIT and _PREFIX.fullmatch(prefix)
    return prefix.rstrip("/") if is_plain else ""


def set_base(page: str, prefix: str) -> str:
    """Return the page with its relative addresses beginning at `prefix`; unchanged where that is empty.

    It only makes a difference where the page was asked for without the slash at the end, as in `/monitor`.
    """
    return page.replace("<head>", f'<head>\n  <base href="{prefix}/">', 1) if prefix else page
