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
Css = Annotated[
    str,
    StringConstraints(min_length=1, max_length=CONDITION_LENGTH_LIMIT, pattern=r"\S"),
    Field(json_schema_extra={"format": "css-selector"}),
]
Condition = Annotated[
    str,
    StringConstraints(min_length=1, max_length=CONDITION_LENGTH_LIMIT, pattern=r"\S"),
    Field(json_schema_extra={"format": "page-condition"}),
]
Origin = Annotated[str, StringConstraints(min_length=1, max_length=CONDITION_LENGTH_LIMIT, pattern=r"\S")]

# No line breaks: typed, they would send the form.
TypedValue = Annotated[str, StringConstraints(max_length=TYPED_LENGTH_LIMIT, pattern=r"^[^\x00-\x1f\x7f]*$")]
STEP_ACTIONS = get_args(StepAction)
FIELD_ACTIONS = ("value", "choose", "check")


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
    http_only: bool | None = Field(
        default=None, description="true: scripts of the page can't read it; without it they can"
    )
    secure: bool | None = Field(default=None, description="true: sent over https alone; without it over http too")
    same_site: Literal["Strict", "Lax", "None"] | None = Field(
        default=None,
        description="whether requests from other sites bear it; `None` takes `secure`; without it the browser decides",
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
        default=None,
        alias="sameSite",
        description="whether requests from other sites bear it; without it the browser decides",
    )
    partition_key: str | None = Field(
        default=None,
        alias="partitionKey",
        description="of a cookie kept for frames inside another site, which is left out; without it an ordinary cookie",
    )
    has_cross_site_ancestor: bool | None = Field(
        default=None,
        alias="_crHasCrossSiteAncestor",
        description="goes with `partitionKey`; without it the same as false",
    )


class StoredItem(Part):
    """One value of a site's local storage."""

    name: StoredName = Field(description="its key")
    value: StoredValue = Field(description="its value")


class OriginState(Part):
    """The local storage of one origin."""

    origin: Origin = Field(description="such as https://app.example.com")
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
        default=None,
        max_length=COOKIES_LIMIT,
        description="set for the page's host, or where `domain` says; without it none are set",
    )
    headers: dict[HeaderName, HeaderValue] | None = Field(
        default=None,
        max_length=HEADERS_LIMIT,
        description="sent to the page's own origin only; not User-Agent, Host, Cookie, Proxy-*, Sec-*, nor what is "
        "the connection's or tells of the caller's address (Forwarded, X-Forwarded-*, X-Real-IP and their kind); "
        "without it the browser's own alone",
    )
    local_storage: dict[StoredName, StoredValue] | None = Field(
        default=None,
        max_length=STORED_VALUES_LIMIT,
        description="of the page's origin, set before its first script runs; without it empty",
    )
    storage_state: StorageStateBody | None = Field(
        default=None,
        description="a session as Playwright saves it; `cookies` and `local_storage` beside it outweigh it; without it "
        "these alone count",
    )


class FormFieldBody(Part):
    """One further field of the form; exactly one of `value`, `choose` and `check`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [name]} for name in FIELD_ACTIONS]})

    selector: Css = Field(description="CSS selector of the field")
    value: TypedValue | None = Field(
        default=None, description="typed into it in place of what is there; without it nothing is typed"
    )
    choose: TypedValue | None = Field(
        default=None, description="the option of a list, by its value or its text; without it none is chosen"
    )
    check: bool | None = Field(
        default=None, description="whether a box is ticked, true for a radio button; without it nothing is ticked"
    )

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if sum(one is not None for one in (self.value, self.choose, self.check)) != 1:
            raise PydanticCustomError("one_of", "exactly one of value, choose and check is required")
        return self


class StepBody(Part):
    """One step before the captcha is looked for: exactly one of its actions, each with a CSS selector."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": [name]} for name in STEP_ACTIONS],
            "dependentRequired": {"type": ["value"], "value": ["type"]},
        }
    )

    click: Css | None = Field(default=None, description="what is clicked; without it nothing is")
    focus: Css | None = Field(
        default=None, description="what gets the focus, and the former loses it; without it nothing does"
    )
    hover: Css | None = Field(default=None, description="what the pointer is moved over; without it it stays")
    wait_for: Css | None = Field(
        default=None, description="what must show before anything else is done; without it nothing is waited for"
    )
    type: Css | None = Field(default=None, description="the field that `value` is typed into; without it none")
    value: TypedValue | None = Field(default=None, description="with `type`: what is typed; without it nothing is")

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

    input: Css = Field(description="CSS selector of the text field")
    submit: Css | None = Field(default=None, description="CSS selector of the button; without it Enter is pressed")
    success: Condition | None = Field(
        default=None,
        description="what shows once the answer was right: CSS, `url:GLOB` or `text:…`; without it only "
        "`failure` tells",
    )
    failure: Condition | None = Field(
        default=None,
        description="what shows once it was wrong, likewise; it outweighs `success`; without it only that tells",
    )
    rejected: Condition | None = Field(
        default=None,
        description="what shows once the page refuses what else was filled in, such as a password, likewise; it "
        "outweighs both, and ends the task at once: `form_rejected`; without it that is not told apart",
    )
    refresh: Css | None = Field(
        default=None,
        description="CSS selector of what draws another captcha; without it the picture itself is clicked",
    )
    dialogs: DialogAnswer = Field(
        default="dismiss", description="what becomes of a dialog that the page opens meanwhile, such as “Really send?”"
    )
    fields: list[FormFieldBody] | None = Field(
        default=None,
        max_length=FORM_FIELDS_LIMIT,
        description="what else is filled, before the answer is typed; values are kept encrypted (needs "
        "security.session_key); without it nothing is",
    )
