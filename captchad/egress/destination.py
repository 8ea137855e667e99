"""Reads where a proxy request wants to go."""

import re

from captchad.domain.errors import TargetNotAllowed
from captchad.domain.target import Origin, parse_origin
from captchad.egress.scope import EgressRefused, RefusalReason

_ABSOLUTE_FORM = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?#\\]+)([/?][^#]*)?")
_AUTHORITY_FORM = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]/?#@:\\]+):([0-9]{1,5})")
_HTTP = frozenset({"http"})
_TUNNELLED = frozenset({"https"})


def read_absolute_form(target: str) -> tuple[Origin, str, str]:
    """Return origin, authority and origin form of `http://HOST[:PORT]/PATH`; EgressRefused for anything else."""
    match = _ABSOLUTE_FORM.fullmatch(target)
    if match is None:
        raise EgressRefused(RefusalReason.INVALID_DESTINATION, "the proxy takes absolute http:// URLs and CONNECT only")
    scheme, authority, rest = match.group(1).lower(), match.group(2), match.group(3) or "/"
    origin = _parse(f"{scheme}://{authority}/", _HTTP)
    return origin, authority, rest if rest.startswith("/") else f"/{rest}"


def read_authority_form(target: str) -> Origin:
    """Return the origin of CONNECT's `HOST:PORT`; EgressRefused for anything else."""
    match = _AUTHORITY_FORM.fullmatch(target)
    if match is None:
        raise EgressRefused(RefusalReason.INVALID_DESTINATION, "CONNECT needs HOST:PORT")
    return _parse(f"https://{target}/", _TUNNELLED)


def _parse(url: str, schemes: frozenset[str]) -> Origin:
    try:
        return parse_origin(url, schemes)
    except TargetNotAllowed as error:
        raise EgressRefused(RefusalReason.INVALID_DESTINATION, error.message) from None
