"""A label: what a captcha's picture says, or does not say, and who found that out."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

LABEL_TEXT_LIMIT_CHARACTERS = 64
"""Of the text of one picture; longer than any captcha."""
LABEL_PICTURE_LIMIT_BYTES = 524_288
"""Larger pictures are not collected: an attempt may have a dozen, and they all pass through Redis."""


class Verdict(StrEnum):
    """Whether a label's text is what the picture says, or what it certainly does not say."""

    RIGHT = "right"
    WRONG = "wrong"


class LabelOrigin(StrEnum):
    """Who decided: the site itself, the caller, whoever made an imported folder, or a person at the review sheet."""

    VERIFIED = "verified"
    REPORTED = "reported"
    IMPORTED = "imported"
    REVIEWED = "reviewed"


@dataclass(frozen=True, slots=True)
class Label:
    """One label; `host` is the target as it is declared, `text` what is drawn (of arithmetic the expression).

    `at` is when it was found out, in UTC as ISO 8601 with milliseconds, ending in Z, so that labels sort by it. `who`
    is a worker, an API key's id, or a user at a host. `task_id` is None for imported labels.
    """

    label_id: str
    host: str
    text: str
    verdict: Verdict
    origin: LabelOrigin
    task_id: str | None
    at: str
    who: str


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """An answer that the site has accepted or refused: what was read in the picture, and the picture."""

    text: str
    verdict: Verdict
    picture: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CollectedAnswers:
    """What one attempt found out for the labels of its target (`host`, as it is declared).

    `unjudged_picture` is that of the final answer where the site has said nothing of it, else empty.
    """

    host: str
    judged: tuple[JudgedAnswer, ...] = ()
    unjudged_picture: bytes = field(default=b"", repr=False)


def write_time(at_ms: int) -> str:
    """Return a time (ms since 1970) as labels have it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
