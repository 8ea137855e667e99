"""The parts of a body about a page's session and form: every field with its type and range."""

from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from captchad.domain.page import STORED_VALUES_LIMIT, DialogAnswer, StepAction

COOKIES_LIMIT = 300
STATE_COOKIES_LIMIT = 1000
STATE_ORIGINS_LIMIT = 100
HEADERS_LIMIT = 100
NAME_LENGTH_LIMIT = 256
COOKIE_LENGTH_LIMIT = 4096
PATH_LENGTH_LIMIT = 1024
HEADER_LENGTH_LIMIT = 8192
STORED_NAME_LENGTH_LIMIT = 1024
STORED_VALUE_LENGTH_LIMIT = 1_048_576
CONDITION_LENGTH_LIMIT = 2048
FORM_FIELDS_LIMIT = 30
STEPS_LIMIT = 10
TYPED_LENGTH_LIMIT = 2048
YEAR_10000_SECONDS = 253_402_300_800
NO_EXPIRY = -1

Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LENGTH_LIMIT)]
CookieName = Annotated[
    str, StringConstraints(min_length=1, max_length=COOKIE_LENGTH_LIMIT, pattern=r"^[^\x00-\x1f\x7f;=]+$")
]
CookieValue = Annotated[str, StringConstraints(max_length=COOKIE_LENGTH_LIMIT, pattern=r"^[^\x00-\x1f\x7f;]*$")]
CookiePath = Annotated[str, StringConstraints(max_length=PATH_LENGTH_LIMIT, pattern=r"^/[^\x00-\x1f\x7f;]*$")]
HeaderName = Annotated[
    str, StringConstraints(min_length=1, max_length=NAME_LENGTH_LIMIT, pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
]
HeaderValue = Annotated[str, StringConstraints(max_length=HEADER_LENGTH_LIMIT, pattern=r"^[\t\x20-\x7e]*$")]
StoredName = Annotated[str, StringConstraints(max_length=STORED_NAME_LENGTH_LIMIT)]
StoredValue = Annotated[str, StringConstraints(max_length=STORED_VALUE_LENGTH_LIMIT)]
Condition = Annotated[str, StringConstraints(min_length=1, max_length=CONDITION_LENGTH_LIMIT, pattern=r"\S")]


# No line breaks: typed, they would send the form.
TypedValue = Annotated[str, StringConstraints(max_length=TYPED_LENGTH_LIMIT, pattern=r"^[^\x00-\x1f\x7f]*$")]
STEP_ACTIONS = get_args(StepAction)


class Part(BaseModel):
    """Base of everything a body consists of: strict types, no unknown names."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Cookie(Part):
    """One cookie to put in before the page opens."""

    name: CookieName = Field(description="as the site names it")
    value: CookieValue = Field(description="as the browser sends it")
    domain: Name | None = Field(default=None, description="within the declared target; without it the page's own host")
    path: CookiePath | None = Field(default=None, description="sent to paths below this one; without it to all")
    expires: float | None = Field(
        default=None, ge=0, lt=YEAR_10000_SECONDS, description="seconds since 1970; without it a session cookie"
    )
    http_only: bool | None = Field(default=None, description="scripts of the page can't read it")
    secure: bool | None = Field(default=None, description="sent over https alone")
    same_site: Literal["Strict", "Lax", "None"] | None = Field(
        default=None, description="whether requests from other sites bear it"
    )


class StateCookie(Part):
    """One cookie as Playwright saves it."""

    name: CookieName = Field(description="as the site names it")
    value: CookieValue = Field(description="as the browser sends it")
    domain: Name = Field(description="its host; with a dot before it, subdomains get it too")
    path: CookiePath = Field(description="sent to paths below this one")
    expires: float = Field(
        default=NO_EXPIRY, ge=NO_EXPIRY, lt=YEAR_10000_SECONDS, description="seconds since 1970; -1: a session cookie"
    )
    http_only: bool = Field(default=False, alias="httpOnly", description="scripts of the page can't read it")
    secure: bool = Field(default=False, description="sent over https alone")
    same_site: Literal["Strict", "Lax", "None"] | None = Field(
        default=None, alias="sameSite", description="whether requests from other sites bear it"
    )
    partition_key: str | None = Field(
        default=None, alias="partitionKey", description="of a cookie kept for frames inside another site; left out"
    )
    has_cross_site_ancestor: bool | None = Field(
        default=None, alias="_crHasCrossSiteAncestor", description="goes with `partitionKey`"
    )


class StoredItem(Part):
    """One value of a site's local storage."""

    name: StoredName = Field(description="its key")
    value: StoredValue = Field(description="its value")


class OriginState(Part):
    """The local storage of one origin."""

    origin: Condition = Field(description="such as https://app.example.com")
    local_storage: list[StoredItem] = Field(
        alias="localStorage", max_length=STORED_VALUES_LIMIT, description="all of its values"
    )


class StorageStateBody(Part):
    """What `context.storage_state()` of Playwright returns: the cookies and the storage of every site visited."""

    cookies: list[StateCookie] = Field(
        max_length=STATE_COOKIES_LIMIT, description="of any host; those that the page would not be sent are left out"
    )
    origins: list[OriginState] = Field(
        max_length=STATE_ORIGINS_LIMIT, description="of any site; all but the page's own origin are left out"
    )


class SessionBody(Part):
    """A session as the body gives it, put in before the page opens; kept encrypted, and only while the task is open."""

    cookies: list[Cookie] | None = Field(
        default=None, max_length=COOKIES_LIMIT, description="set for the page's host, or where `domain` says"
    )
    headers: dict[HeaderName, HeaderValue] | None = Field(
        default=None,
        max_length=HEADERS_LIMIT,
        description="sent to the page's own origin only; not User-Agent, Host, Cookie, Proxy-*, Sec-*, nor what is "
        "the connection's or tells of the caller's address (Forwarded, X-Forwarded-*, X-Real-IP and their kind)",
    )
    local_storage: dict[StoredName, StoredValue] | None = Field(
        default=None,
        max_length=STORED_VALUES_LIMIT,
        description="of the page's origin, set before its first script runs",
    )
    storage_state: StorageStateBody | None = Field(
        default=None,
        description="a session as Playwright saves it; `cookies` and `local_storage` beside it outweigh it",
    )


class FormFieldBody(Part):
    """One further field of the form; exactly one of `value`, `choose` and `check`."""

    selector: Condition = Field(description="CSS selector of the field")
    value: TypedValue | None = Field(default=None, description="typed into it in place of what is there")
    choose: TypedValue | None = Field(default=None, description="the option of a list, by its value or its text")
    check: bool | None = Field(default=None, description="whether a box is ticked; true for a radio button")

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if sum(one is not None for one in (self.value, self.choose, self.check)) != 1:
            raise PydanticCustomError("one_of", "exactly one of value, choose and check is required")
        return self


class StepBody(Part):
    """One step before the captcha is looked for: exactly one of its actions, each with a CSS selector."""

    click: Condition | None = Field(default=None, description="what is clicked")
    focus: Condition | None = Field(default=None, description="what gets the focus, and the former loses it")
    hover: Condition | None = Field(default=None, description="what the pointer is moved over")
    wait_for: Condition | None = Field(default=None, description="what must show before anything else is done")
    type: Condition | None = Field(default=None, description="the field that `value` is typed into")
    value: TypedValue | None = Field(default=None, description="with `type`: what is typed")

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if sum(getattr(self, action) is not None for action in STEP_ACTIONS) != 1:
            raise PydanticCustomError("one_of", f"exactly one of {', '.join(STEP_ACTIONS)} is required")
        if (self.type is None) != (self.value is None):
            raise PydanticCustomError("type_value", "type and value go together")
        return self


class Fill(Part):
    """Where the text is typed, how it is submitted, and how success and failure look.

    `success`, `failure` and `rejected` are a CSS selector, `url:GLOB` or `text:…`; all else is CSS alone.
    """

    input: Condition = Field(description="CSS selector of the text field")
    submit: Condition | None = Field(
        default=None, description="CSS selector of the button; without it Enter is pressed"
    )
    success: Condition | None = Field(
        default=None, description="what shows once the answer was right: CSS, `url:GLOB` or `text:…`"
    )
    failure: Condition | None = Field(
        default=None, description="what shows once it was wrong, likewise; it outweighs `success`"
    )
    rejected: Condition | None = Field(
        default=None,
        description="what shows once the page refuses what else was filled in, such as a password, likewise; it "
        "outweighs both, and ends the task at once: `form_rejected`",
    )
    refresh: Condition | None = Field(default=None, description="CSS selector of what draws another captcha")
    dialogs: DialogAnswer = Field(
        default="dismiss", description="what becomes of a dialog that the page opens meanwhile, such as “Really send?”"
    )
    fields: list[FormFieldBody] | None = Field(
        default=None,
        max_length=FORM_FIELDS_LIMIT,
        description="what else is filled, before the answer is typed; values are kept encrypted (needs "
        "security.session_key)",
    )
