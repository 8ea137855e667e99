"""Fields whose engine this release lacks: their shape is checked all the same, so that callers can rely on it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

COOKIES_LIMIT = 300
HEADERS_LIMIT = 100
STORAGE_LIMIT = 1000
NAME_LENGTH_LIMIT = 256
VALUE_LENGTH_LIMIT = 65_536
CONDITION_LENGTH_LIMIT = 2048

Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LENGTH_LIMIT)]
Value = Annotated[str, StringConstraints(max_length=VALUE_LENGTH_LIMIT)]
HeaderName = Annotated[
    str, StringConstraints(min_length=1, max_length=NAME_LENGTH_LIMIT, pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
]
HeaderValue = Annotated[str, StringConstraints(max_length=VALUE_LENGTH_LIMIT, pattern=r"^[^\r\n\x00]*$")]
Condition = Annotated[str, StringConstraints(min_length=1, max_length=CONDITION_LENGTH_LIMIT, pattern=r"\S")]


class Part(BaseModel):
    """Base of everything a body consists of: strict types, no unknown names."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Cookie(Part):
    """One cookie to put in before the page opens."""

    name: Name
    value: Value
    domain: Name | None = None
    path: Name | None = None
    expires: float | None = Field(default=None, description="seconds since 1970; without it a session cookie")
    http_only: bool | None = None
    secure: bool | None = None
    same_site: Literal["Strict", "Lax", "None"] | None = None


class Session(Part):
    """What a page finds in its browser before it opens."""

    cookies: list[Cookie] | None = Field(default=None, max_length=COOKIES_LIMIT)
    headers: dict[HeaderName, HeaderValue] | None = Field(default=None, max_length=HEADERS_LIMIT)
    local_storage: dict[Name, Value] | None = Field(default=None, max_length=STORAGE_LIMIT)


class Fill(Part):
    """Where the text is typed, how it is submitted, and how success and failure look.

    `success` and `failure` are a CSS selector, `url:GLOB` or `text:…`.
    """

    input: Condition = Field(description="CSS selector of the text field")
    submit: Condition | None = Field(
        default=None, description="CSS selector of the button; without it Enter is pressed"
    )
    success: Condition | None = None
    failure: Condition | None = None
    refresh: Condition | None = Field(default=None, description="CSS selector of what draws another captcha")
