"""What a task can be told besides its page or picture; docs/api.md describes each field of POST /submit_task."""

import base64
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

from captchad.domain.errors import BodyTooLarge, InvalidRequest
from captchad.domain.picture import PICTURE_LIMIT_BYTES, PICTURE_TOO_LARGE
from captchad.domain.target import PAGE_SCHEMES

PageOrPicture = str | bytes | os.PathLike[str]
"""A page's URL; or a picture: its bytes, or the path of its file."""


class Hints(TypedDict, total=False):
    """What is known of the answer."""

    charset: str
    min_length: int
    max_length: int
    case_sensitive: bool
    kind: Literal["text", "math"]
    colour: str
    position: str


class Fill(TypedDict, total=False):
    """Where the text is typed by the worker, and how success and failure look; `input` is required."""

    input: str
    submit: str
    success: str
    failure: str
    rejected: str
    refresh: str
    dialogs: Literal["accept", "dismiss"]
    fields: Sequence[Mapping[str, Any]]


class TaskOptions(TypedDict, total=False):
    """The options of a task; `target` is required with a picture, and `timeout` and `task_deadline` are seconds."""

    target: str
    timeout: float
    retry_count: int
    priority: Literal["high", "normal", "low"]
    selector: str
    hints: Hints
    session: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]]
    fill: Fill
    task_deadline: float
    return_session: bool
    evidence: bool
    callback_url: str
    metadata: Mapping[str, Any]


def is_page(page_or_picture: PageOrPicture) -> bool:
    """Whether this is a page's URL, and not a picture."""
    return isinstance(page_or_picture, str) and page_or_picture.partition("://")[0].lower() in PAGE_SCHEMES


def make_body(page_or_picture: PageOrPicture, options: TaskOptions, usual_target: str | None = None) -> dict[str, Any]:
    """Return the body of a submit; InvalidRequest or BodyTooLarge where a picture can't be read or is too large."""
    if is_page(page_or_picture):
        return {"url": page_or_picture, **options}
    content = page_or_picture if isinstance(page_or_picture, bytes) else _read_file(Path(os.fspath(page_or_picture)))
    if len(content) > PICTURE_LIMIT_BYTES:
        # Before megabytes are sent in vain.
        raise BodyTooLarge(PICTURE_TOO_LARGE)
    usual = {} if usual_target is None else {"target": usual_target}
    return {"image": base64.b64encode(content).decode("ascii"), **usual, **options}


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # One byte more than allowed is enough to refuse it.
            return file.read(PICTURE_LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{str(path)!r} is neither an http(s) URL nor a file that can be read: {reason}"
        raise InvalidRequest(message) from None
