"""What a page was seen to leave in its context: what has to be cleaned, and what can't be."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from captchad.browser.scripts.bounds import cut_url
from captchad.domain.target import PAGE_SCHEMES

_REMEMBERED_SCHEMES = frozenset({"basic", "digest", "ntlm", "negotiate"})
_CLIENT_HINTS = "accept-ch"
_AGENT_CLUSTER, _AS_EVER = "origin-agent-cluster", "?1"
_OWNERLESS_SCHEMES = frozenset({"about", "data", "blob", "javascript", "chrome-error"})
"""Schemes of documents without an origin, or with that of their creator."""


class Traces:
    """Recorded while a page is open; `obstacle` says what makes cleaning impossible, empty where nothing does."""

    def __init__(self) -> None:
        self.origins: set[str] = set()
        self.obstacle = ""
        self._areas: dict[tuple[str, bool], dict[str, Any]] = {}

    @property
    def storage_areas(self) -> list[dict[str, Any]]:
        """The local and session storages that hold something the page wrote, as the browser names them."""
        return list(self._areas.values())

    def note_document(self, url: str) -> None:
        """A document opened in one of the frames."""
        parts = urlsplit(cut_url(url))
        if parts.scheme in PAGE_SCHEMES:
            self.origins.add(f"{parts.scheme}://{parts.netloc}")
            # Session storage of an origin can be cleared only while a page of it is open, so one origin is all that
            # can be cleaned.
            if len(self.origins) > 1:
                self.obstacle = "documents of several origins"
        elif parts.scheme not in _OWNERLESS_SCHEMES:
            self.obstacle = f"a {parts.scheme}: document"

    def note_sent(self, event: Mapping[str, Any]) -> None:
        """A request was sent; only closing the context makes the browser forget the credentials it used."""
        for name, value in event["headers"].items():
            if name.lower() == "authorization" and value.partition(" ")[0].lower() in _REMEMBERED_SCHEMES:
                self.obstacle = "a login"

    def note_received(self, headers: Mapping[str, str]) -> None:
        """A response came; `headers` have lower-case names. What it may set for later visits, only closing undoes."""
        if _CLIENT_HINTS in headers:
            self.obstacle = "a wish for client hints"
        if headers.get(_AGENT_CLUSTER, _AS_EVER).strip() != _AS_EVER:
            self.obstacle = "a wish to share its agent cluster"

    def note_requested(self, url: str) -> None:
        """Something is requested; credentials of a worker's own requests show only in the URL."""
        place = urlsplit(cut_url(url))
        # One without a host had too much before it.
        if "@" in place.netloc or (place.scheme in PAGE_SCHEMES and not place.netloc):
            self.obstacle = "a login"

    def note_unknown(self, what: str) -> None:
        """Something lives in the context beside the page."""
        self.obstacle = what

    def note_stored(self, event: Mapping[str, Any]) -> None:
        """An item of a local or session storage was added or changed."""
        self._areas[_name_area(event)] = dict(event["storageId"])

    def note_emptied(self, event: Mapping[str, Any]) -> None:
        """A local or session storage was emptied."""
        self._areas.pop(_name_area(event), None)

    def forget(self) -> None:
        """Start over, after cleaning."""
        self.origins.clear()


def _name_area(event: Mapping[str, Any]) -> tuple[str, bool]:
    storage = event["storageId"]
    return storage.get("storageKey") or storage.get("securityOrigin", ""), bool(storage["isLocalStorage"])
