"""What a browser does on one page and what it returns: values that gateway, broker and worker share."""

from dataclasses import dataclass, field
from typing import Literal

SESSION_LIMIT_BYTES = 1024 * 1024
"""Of a session that a page leaves, once it is sealed."""

STORED_VALUES_LIMIT = 1000

SameSite = Literal["Strict", "Lax", "None"]


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie; without `domain` it is the target host's own, without `expires` (seconds since 1970) a session's."""

    name: str
    value: str = field(repr=False)
    domain: str | None = None
    path: str = "/"
    expires: float | None = None
    http_only: bool = False
    secure: bool = False
    same_site: SameSite | None = None


@dataclass(frozen=True, slots=True)
class SessionState:
    """What a page finds in its browser, or leaves there; headers go to the target's origin only."""

    cookies: tuple[Cookie, ...] = ()
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    local_storage: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Fill:
    """Where the answer is typed, and how success and failure show (CSS, `url:GLOB` or `text:…`); the rest is CSS."""

    input: str
    submit: str | None = None
    success: str | None = None
    failure: str | None = None
    refresh: str | None = None


@dataclass(frozen=True, slots=True)
class PageOrder:
    """What is wanted of one page.

    A context may be reused only for the same `key_id` (None without API keys) and `target` (the declared host).
    """

    url: str
    target: str
    key_id: str | None = None
    selector: str | None = None
    session: SessionState | None = None
    fill: Fill | None = None
    wants_session: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence of one reading: the captcha's picture, and a PNG of the page; `choice` says why it was chosen."""

    picture: bytes = field(repr=False)
    screenshot: bytes | None = field(default=None, repr=False)
    choice: str = ""


@dataclass(frozen=True, slots=True)
class KeptEvidence:
    """What was kept for a task, until its record expires or newer evidence needs the room."""

    has_picture: bool
    has_screenshot: bool
    choice: str = ""
