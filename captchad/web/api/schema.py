"""Bodies of submit_task and submit_batch: every field with its type and range."""

import unicodedata
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from captchad.domain.label import LABEL_TEXT_LIMIT_CHARACTERS
from captchad.domain.plain_text import escape_control_characters
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


def _check_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("day", "must be a day such as 2027-01-31") from None
    return text


Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_check_day)]

Selector = Annotated[
    str, StringConstraints(min_length=1, max_length=SELECTOR_LIMIT_BYTES, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")
]
WebUrl = Annotated[str, StringConstraints(min_length=1, max_length=URL_LENGTH_LIMIT)]
AnswerText = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=LABEL_TEXT_LIMIT_CHARACTERS,
        pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$",
    ),
    AfterValidator(_check_answer_text),
]
TextLength = Annotated[int, Field(ge=1, le=TEXT_LENGTH_LIMIT)]


class HintsBody(Part):
    """What the caller knows of the answer."""

    charset: str | None = Field(
        default=None,
        min_length=1,
        max_length=CHARSET_LENGTH_LIMIT,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="the characters that may occur",
    )
    min_length: TextLength | None = Field(default=None, description="fewest characters of the text")
    max_length: TextLength | None = Field(default=None, description="most characters of the text")
    case_sensitive: bool | None = Field(
        default=None, description="false: the case of letters does not matter, and is not told apart"
    )
    kind: Literal["text", "math"] | None = Field(
        default=None, description="`math` for arithmetic, whose result is then the text; left out, the picture decides"
    )

    colour: str | None = Field(
        default=None,
        max_length=COLOUR_LENGTH_LIMIT,
        description="a CSS colour name or #rrggbb: only characters of that colour count, and lengths are theirs",
    )
    position: str | None = Field(
        default=None,
        pattern=r"^(first|last):[1-9][0-9]?$",
        description="`first:N` or `last:N`: so many characters of the text are wanted; lengths are the whole text's",
    )

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if self.min_length is not None and self.max_length is not None and self.min_length > self.max_length:
            raise PydanticCustomError("lengths", "min_length must not be above max_length")
        return self


class TaskBody(Part):
    """One task: exactly one of `url` and `image`; `target` goes with `image`."""

    url: WebUrl | None = Field(default=None, description="absolute http or https URL of the page, in a declared target")
    image: str | None = Field(
        default=None,
        json_schema_extra={"contentEncoding": "base64"},
        description="the picture itself, as base64: PNG, JPEG, GIF, WebP, BMP or SVG, at most 2 MiB and 4 megapixels",
    )
    target: str | None = Field(
        default=None,
        min_length=1,
        max_length=HOST_LENGTH_LIMIT,
        description="the declared host that `image` comes from",
    )
    timeout: float | None = Field(
        default=None, ge=1, le=TIMEOUT_LIMIT_SECONDS, description="seconds one attempt may take (worker.task_timeout)"
    )
    retry_count: int | None = Field(
        default=None, ge=0, le=RETRIES_LIMIT, description="further attempts after a failed one"
    )
    priority: Literal["high", "normal", "low"] = Field(
        default="normal",
        description="a waiting task of a higher priority is taken sooner; a running one is never interrupted",
    )
    selector: Selector | None = Field(
        default=None, description="CSS of the captcha picture; without it the worker finds it"
    )
    hints: HintsBody | None = Field(
        default=None,
        description="what you know of the text: the more, the surer the reading; what is left out is inferred",
    )
    session: SessionBody | None = Field(
        default=None,
        description="what the page finds in its browser, put in before it opens (with `url` only; needs "
        "security.session_key). Kept encrypted, and only while the task is open",
    )
    steps: list[StepBody] | None = Field(
        default=None,
        max_length=STEPS_LIMIT,
        description="what is done on the page before the captcha is looked for, such as opening a login dialog (with "
        "`url` only; typed values need security.session_key and are kept encrypted)",
    )
    fill: Fill | None = Field(
        default=None,
        description="type the text into the page's form, send it, and see in the same browser whether it was right "
        "(with `url` only); a wrong answer is tried again with another picture, within `retry_count`",
    )
    task_deadline: float | None = Field(
        default=None, ge=1, le=DEADLINE_LIMIT_SECONDS, description="seconds from submit after which the task fails"
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
        "security.callback_hosts",
    )
    metadata: dict[str, Any] | None = Field(
        default=None, description="an object of at most 4 KiB as JSON, returned unchanged"
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
        "of letters",
    )


class LimitsBody(Part):
    """Limits of a target below those that it is declared with; what is left out stays as it is."""

    expires: Day | None = Field(
        default=None, description="last day (UTC) on which the target may be visited, as YYYY-MM-DD"
    )
    max_per_minute: int | None = Field(default=None, ge=1, description="visits a minute, pictures among them")
    max_concurrent: int | None = Field(default=None, ge=1, description="pages that may be open at once")
    reset: bool = Field(
        default=False, description="forget what was narrowed before, so that the declared limits count again"
    )


PRIORITIES = {str(priority): priority for priority in Priority}
KINDS = {str(kind): kind for kind in PICTURE_KINDS}
