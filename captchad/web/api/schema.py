"""Bodies of submit_task and submit_batch: every field with its type and range."""

import unicodedata
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from captchad.domain.label import LABEL_TEXT_LIMIT_CHARACTERS
from captchad.domain.plain_text import STEERING, escape_control_characters
from captchad.domain.recognition import PICTURE_KINDS
from captchad.domain.target import URL_LENGTH_LIMIT
from captchad.domain.task import Priority
from captchad.domain.task_limits import (
    BATCH_LIMIT,
    DEADLINE_LIMIT_SECONDS,
    HOST_LENGTH_LIMIT,
    RETRIES_LIMIT,
    TEXT_LENGTH_LIMIT,
    TIMEOUT_LIMIT_SECONDS,
)
from captchad.web.api.session_schema import STEPS_LIMIT, Fill, Part, SessionBody, StepBody

SELECTOR_LIMIT_BYTES = 1024
METADATA_LIMIT_BYTES = 4096
# All Chinese characters that are read, with letters, digits and signs.
CHARSET_LENGTH_LIMIT = 4096
COLOUR_LENGTH_LIMIT = 32


def _check_answer_text(text: str) -> str:
    if escape_control_characters(text) != text:
        raise PydanticCustomError("control_characters", "must not have control characters")
    # Keyboards and scripts differ in how they compose accents.
    return unicodedata.normalize("NFC", text.strip())


def _read_whole(value: Any) -> Any:
    # To JSON, 3.0 is as whole a number as 3, and some languages know no other.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("day", "must be a day such as 2027-01-31") from None
    return text


Day = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    AfterValidator(_check_day),
    Field(json_schema_extra={"format": "date"}),
]


Selector = Annotated[
    str,
    StringConstraints(min_length=1, max_length=SELECTOR_LIMIT_BYTES, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$"),
    Field(json_schema_extra={"format": "css-selector"}),
]
WebUrl = Annotated[
    str,
    StringConstraints(min_length=1, max_length=URL_LENGTH_LIMIT),
    # Of what is wrong with a URL more can be said than that a pattern does not match.
    Field(json_schema_extra={"pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"}),
]
AnswerText = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=LABEL_TEXT_LIMIT_CHARACTERS,
        pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$",
    ),
    AfterValidator(_check_answer_text),
    Field(json_schema_extra={"pattern": rf"^[^{STEERING}]*[^\s{STEERING}][^{STEERING}]*$"}),
]
TextLength = Annotated[int, Field(ge=1, le=TEXT_LENGTH_LIMIT), BeforeValidator(_read_whole)]
Limit = Annotated[int, Field(ge=1), BeforeValidator(_read_whole)]
Retries = Annotated[int, Field(ge=0, le=RETRIES_LIMIT), BeforeValidator(_read_whole)]


class HintsBody(Part):
    """What the caller knows of the answer."""

    charset: str | None = Field(
        default=None,
        min_length=1,
        max_length=CHARSET_LENGTH_LIMIT,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        json_schema_extra={"format": "readable-characters"},
        description="the characters that may occur, all of which an engine must read; without it any that is read",
    )
    min_length: TextLength | None = Field(default=None, description="fewest characters of the text; without it 1")
    max_length: TextLength | None = Field(default=None, description="most characters of the text; without it 64")
    case_sensitive: bool | None = Field(
        default=None,
        description="true: the case of letters counts; false: it does not matter, and is not told apart; without it "
        "either may be so",
    )
    kind: Literal["text", "math"] | None = Field(
        default=None, description="`math` for arithmetic, whose result is then the text; without it the picture decides"
    )
    colour: str | None = Field(
        default=None,
        max_length=COLOUR_LENGTH_LIMIT,
        json_schema_extra={"format": "colour"},
        description="a CSS colour name or #rrggbb: only characters of that colour count, and lengths are theirs; "
        "without it those of every colour do",
    )
    position: str | None = Field(
        default=None,
        pattern=r"^(first|last):[1-9][0-9]?$",
        description="`first:N` or `last:N`: so many characters of the text are wanted; lengths are the whole text's; "
        "without it all are wanted",
    )

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if self.min_length is not None and self.max_length is not None and self.min_length > self.max_length:
            raise PydanticCustomError("lengths", "min_length must not be above max_length")
        return self


PAGE_FIELDS = ("selector", "session", "steps", "fill", "return_session")
"""Fields that make no sense for a picture."""
TASK_KINDS: list[JsonValue] = [
    {"title": "A page", "required": ["url"], "properties": {"image": False, "target": False}},
    {
        "title": "A picture",
        "required": ["image", "target"],
        # False asks for nothing, so it is as good as absent.
        "properties": {"url": False} | {name: {"const": False} for name in PAGE_FIELDS},
    },
]


class TaskBody(Part):
    """One task: exactly one of `url` and `image`; `target` goes with `image`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": TASK_KINDS})

    url: WebUrl | None = Field(
        default=None,
        description="absolute http or https URL of the page, in a declared target; without it `image` is required",
    )
    image: str | None = Field(
        default=None,
        json_schema_extra={"contentEncoding": "base64", "format": "base64-picture"},
        description="the picture itself, as base64 without white space: PNG, JPEG, GIF, WebP, BMP or SVG, at most "
        "2 MiB and 4 megapixels; without it `url` is required",
    )
    target: str | None = Field(
        default=None,
        min_length=1,
        max_length=HOST_LENGTH_LIMIT,
        description="the declared host that `image` comes from, and required with it; without it that of `url` counts",
    )
    timeout: float | None = Field(
        default=None,
        ge=1,
        le=TIMEOUT_LIMIT_SECONDS,
        description="seconds that one attempt may take; default: `worker.task_timeout` of the configuration",
    )
    retry_count: Retries | None = Field(
        default=None,
        description="how many attempts may follow a failed one; default: `worker.max_retry_attempts` of the "
        "configuration",
    )
    priority: Literal["high", "normal", "low"] = Field(
        default="normal",
        description="a waiting task of a higher priority is taken sooner; a running one is never interrupted",
    )
    selector: Selector | None = Field(
        default=None,
        description="CSS of the captcha picture, at most 1024 bytes (with `url` only); without it the worker finds it",
    )
    hints: HintsBody | None = Field(
        default=None,
        description="what you know of the text: the more, the surer the reading; what is left out is inferred, and "
        "without it everything is",
    )
    session: SessionBody | None = Field(
        default=None,
        description="what the page finds in its browser, put in before it opens (with `url` only; needs "
        "security.session_key). Kept encrypted, and only while the task is open; without it the browser is empty",
    )
    steps: list[StepBody] | None = Field(
        default=None,
        max_length=STEPS_LIMIT,
        description="what is done on the page before the captcha is looked for, such as opening a login dialog (with "
        "`url` only; typed values need security.session_key and are kept encrypted); without it nothing is",
    )
    fill: Fill | None = Field(
        default=None,
        description="type the text into the page's form, send it, and see in the same browser whether it was right "
        "(with `url` only); a wrong answer is tried again with another picture, within `retry_count`; without it the "
        "text is only read",
    )
    task_deadline: float | None = Field(
        default=None,
        ge=1,
        le=DEADLINE_LIMIT_SECONDS,
        description="seconds from submit after which the task fails; default: `worker.task_deadline_seconds` of the "
        "configuration",
    )
    return_session: bool = Field(
        default=False,
        description="the result has the page's cookies and storage, in the form `session` takes (with `url` only; "
        "needs security.session_key)",
    )
    evidence: bool = Field(
        default=False,
        description="the captcha's picture and a screenshot of the page are kept for as long as the result",
    )
    callback_url: WebUrl | None = Field(
        default=None,
        description="where the body of task_status is POSTed once the task has ended, signed; its host must be in "
        "security.callback_hosts; without it nobody is called",
    )
    metadata: dict[str, Any] | None = Field(
        default=None,
        description="an object of at most 4096 bytes as JSON, returned unchanged; without it the task has none",
    )


class BatchBody(Part):
    """Up to 100 tasks, stored all or none."""

    tasks: list[TaskBody] = Field(min_length=1, max_length=BATCH_LIMIT, description="each as the body of submit_task")


class BatchShape(Part):
    """A batch whose tasks are still to be looked at."""

    tasks: list[Any] = Field(min_length=1, max_length=BATCH_LIMIT)


class ReportBody(Part):
    """What a caller has found out of the answer it got."""

    right: bool = Field(description="whether the site, or whoever used the answer, took it as right")
    text: AnswerText | None = Field(
        default=None,
        description="what the picture shows, of arithmetic the expression; with `right` it may only correct the case "
        "of letters; without it nothing is known but whether the answer was right",
    )


class LimitsBody(Part):
    """Limits of a target below those that it is declared with; what is left out stays as it is."""

    expires: Day | None = Field(
        default=None,
        description="last day (UTC) on which the target may be visited, as YYYY-MM-DD; without it as it is",
    )
    max_per_minute: Limit | None = Field(
        default=None, description="number of visits a minute, pictures among them; without it as it is"
    )
    max_concurrent: Limit | None = Field(
        default=None, description="number of pages that may be open at once; without it as it is"
    )
    reset: bool = Field(
        default=False, description="forget what was narrowed before, so that the declared limits count again"
    )


PRIORITIES = {str(priority): priority for priority in Priority}
KINDS = {str(kind): kind for kind in PICTURE_KINDS}
