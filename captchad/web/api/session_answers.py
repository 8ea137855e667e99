"""Models of what a page left in its browser, as answers have it."""

from typing import Literal

from pydantic import Field

from captchad.web.answers import Answer

SAME_SITE = "whether requests from other sites bear it"


class CookieAnswer(Answer):
    """One cookie of the page."""

    name: str = Field(description="as the site names it")
    value: str = Field(description="as the browser sends it")
    domain: str | None = Field(
        default=None, description="the host above the page's whose subdomains get it too; absent: the page's host alone"
    )
    path: str = Field(description="sent to paths below this one")
    expires: float | None = Field(default=None, description="seconds since 1970; absent for a session cookie")
    http_only: bool = Field(description="scripts of the page can't read it")
    secure: bool = Field(description="sent over https alone")
    same_site: Literal["Strict", "Lax", "None"] | None = Field(default=None, description=SAME_SITE)


class StateCookieAnswer(Answer):
    """One cookie as Playwright takes it."""

    name: str = Field(description="as the site names it")
    value: str = Field(description="as the browser sends it")
    domain: str = Field(description="its host; with a dot before it, subdomains get it too")
    path: str = Field(description="sent to paths below this one")
    expires: float = Field(description="seconds since 1970; -1 for a session cookie")
    http_only: bool = Field(alias="httpOnly", description="scripts of the page can't read it")
    secure: bool = Field(description="sent over https alone")
    same_site: Literal["Strict", "Lax", "None"] = Field(alias="sameSite", description=SAME_SITE)


class StoredItemAnswer(Answer):
    """One value of a site's local storage."""

    name: str = Field(description="its key")
    value: str = Field(description="its value")


class OriginStateAnswer(Answer):
    """The local storage of the page's origin."""

    origin: str = Field(description="such as https://app.example.com")
    local_storage: list[StoredItemAnswer] = Field(alias="localStorage", description="all of its values")


class StorageStateAnswer(Answer):
    """The same in Playwright's own shape, for `browser.new_context(storage_state=…)`."""

    cookies: list[StateCookieAnswer] = Field(description="those of the page's host")
    origins: list[OriginStateAnswer] = Field(description="the page's own, or none where nothing is stored")


class SessionAnswer(Answer):
    """What the page left in its browser, as `session` of a submit takes it."""

    cookies: list[CookieAnswer] = Field(description="those of the page's host")
    headers: dict[str, str] = Field(description="those that were submitted, by their names")
    local_storage: dict[str, str] = Field(description="that of the page's origin, by its keys")
    storage_state: StorageStateAnswer | None = Field(
        default=None, description="the same as Playwright saves it; absent where the page's origin is not known"
    )
