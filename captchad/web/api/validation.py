"""From a body's JSON value to drafts: every wrong field is named at once, by its JSON pointer."""

import binascii
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
from pydantic import BaseModel, ValidationError

from captchad.config.requirements import say_what_is_wanted
from captchad.domain.charsets import describe_unreadable, find_unreadable
from captchad.domain.css_selector import explain_bad_selector
from captchad.domain.errors import (
    BodyTooLarge,
    InvalidRequest,
    PictureRefused,
    UnsupportedCharset,
    Violation,
)
from captchad.domain.page import STORED_VALUES_LIMIT
from captchad.domain.picture import PICTURE_LIMIT_BYTES, PICTURE_TOO_LARGE, read_picture_header
from captchad.intake.draft import TaskDraft
from captchad.web.api.hint_rules import find_hint_faults, make_hints
from captchad.web.api.pointers import make_pointer
from captchad.web.api.schema import (
    METADATA_LIMIT_BYTES,
    PAGE_FIELDS,
    PRIORITIES,
    SELECTOR_LIMIT_BYTES,
    BatchShape,
    LimitsBody,
    ReportBody,
    TaskBody,
)
from captchad.web.api.session_rules import (
    find_fill_faults,
    find_session_faults,
    find_step_faults,
    find_typed_values,
    make_fill,
    make_session,
    make_steps,
    make_storage_state,
)
from captchad.web.api.session_schema import (
    FORM_FIELDS_LIMIT,
    STATE_COOKIES_LIMIT,
    STATE_ORIGINS_LIMIT,
    STEPS_LIMIT,
    Part,
)
from captchad.web.api.unknown_fields import NOT_KNOWN, describe_unknown

FIELDS_LIMIT = 64
"""An object with more names than this is refused unread, so that a million unknown names cost nothing."""
SEALED_FIELDS = ("session", "return_session")
"""Fields that need security.session_key."""
GUESSES_LIMIT = 4
"""For how many unknown names of a task it is said which one may be meant: a guess costs more than its refusal."""
_OBJECT_FIELDS = ("hints", "session", "storage_state", "fill")
_LISTS = {
    "cookies": STATE_COOKIES_LIMIT,
    "origins": STATE_ORIGINS_LIMIT,
    "localStorage": STORED_VALUES_LIMIT,
    "fields": FORM_FIELDS_LIMIT,
    "steps": STEPS_LIMIT,
}
"""Fields that hold objects, and how many at most."""

SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**64 - 1
_BASE64_GROUP_BYTES, _BASE64_GROUP_LENGTH = 3, 4
_INVALID = "the body is not valid"
_OWN_WORDS = {
    "missing": "is required",
    "string_pattern_mismatch": "has a character that is not allowed here, or lacks one that is needed",
}
_TOO_MANY = Violation("", f"has more than {FIELDS_LIMIT} fields")

Model = TypeVar("Model", bound=BaseModel)


def read_task(value: Any, has_session_key: bool = True) -> TaskDraft:
    """Return the draft of a submit_task body; without a session key, sessions are refused.

    Raises InvalidRequest, UnsupportedCharset, or BodyTooLarge for a picture.
    """
    _raise_if(list(_find_excesses(value, "")))
    body = _validate(TaskBody, value)
    _raise_if(list(_find_faults(body, "", has_session_key)))
    _refuse_unreadable({"": body})
    return _make_draft(body, "")


def read_batch(value: Any, has_session_key: bool = True) -> list[TaskDraft]:
    """Return the drafts of a submit_batch body; raises as `read_task` does."""
    _raise_if(list(_find_excesses(value, "")))
    tasks = _validate(BatchShape, value).tasks
    _raise_if([v for index, task in enumerate(tasks) for v in _find_excesses(task, f"/tasks/{index}")])
    bodies = _validate_each(tasks)
    _raise_if([v for index, body in enumerate(bodies) for v in _find_faults(body, f"/tasks/{index}", has_session_key)])
    _refuse_unreadable({f"/tasks/{index}": body for index, body in enumerate(bodies)})
    return [_make_draft(body, f"/tasks/{index}") for index, body in enumerate(bodies)]


def read_report(value: Any) -> ReportBody:
    """Return the body of a report; InvalidRequest names every wrong field."""
    _raise_if(list(_find_excesses(value, "")))
    return _validate(ReportBody, value)


def read_limits(value: Any) -> LimitsBody:
    """Return the body of limit_target; InvalidRequest names every wrong field."""
    _raise_if(list(_find_excesses(value, "")))
    body = _validate(LimitsBody, value)
    if body.model_fields_set <= {"reset"} and not body.reset:
        raise InvalidRequest(_INVALID, (Violation("", "says nothing; give a limit, or reset"),))
    return body


def check_says_nothing(value: Any) -> None:
    """Refuse each field of a body where none is asked for: who sends one believes that it counts."""
    _raise_if(list(_find_excesses(value, "")))
    _validate(Part, value)


def _find_excesses(value: Any, pointer: str) -> Iterator[Violation]:
    """Find what the models can't refuse or refuse slowly: null for a field, and too many names."""
    if not isinstance(value, dict):
        return
    if len(value) > FIELDS_LIMIT:
        yield Violation(pointer, _TOO_MANY.message)
        return
    for name, inner in value.items():
        if inner is None:
            yield Violation(pointer + make_pointer([name]), "must not be null; leave the field out")
        elif name in _OBJECT_FIELDS:
            yield from _find_excesses(inner, f"{pointer}/{name}")
        elif name in _LISTS and isinstance(inner, list):
            for index, one in enumerate(inner[: _LISTS[name]]):
                yield from _find_excesses(one, f"{pointer}/{name}/{index}")


def _validate(model: type[Model], value: Any) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        _raise_if(list(_explain(error, "", model)))
        raise


def _validate_each(tasks: list[Any]) -> list[TaskBody]:
    """Validate the tasks of a batch one by one: all in one call, they would hold the interpreter for long."""
    bodies: list[TaskBody] = []
    violations: list[Violation] = []
    for index, task in enumerate(tasks):
        try:
            bodies.append(TaskBody.model_validate(task))
        except ValidationError as error:
            violations += _explain(error, f"/tasks/{index}", TaskBody)
    _raise_if(violations)
    return bodies


def _explain(error: ValidationError, pointer: str, model: type[BaseModel]) -> Iterator[Violation]:
    guesses_left = GUESSES_LIMIT
    for one in error.errors(include_url=False, include_input=False):
        message = _OWN_WORDS.get(one["type"]) or say_what_is_wanted(one) or one["msg"]
        if one["type"] == "extra_forbidden":
            message = describe_unknown(model, one["loc"]) if guesses_left else NOT_KNOWN
            guesses_left = max(0, guesses_left - 1)
        yield Violation(pointer + make_pointer(one["loc"]), message)


def _raise_if(violations: list[Violation]) -> None:
    if violations:
        raise InvalidRequest(_INVALID, tuple(violations))


def _find_faults(body: TaskBody, pointer: str, has_session_key: bool) -> Iterator[Violation]:
    yield from _find_contradictions(body, pointer)
    if not has_session_key:
        yield from _find_unsealed(body, pointer)
    for name, url in (("url", body.url), ("callback_url", body.callback_url)):
        reason = None if url is None else explain_bad_url(url)
        if reason is not None:
            yield Violation(f"{pointer}/{name}", reason)
    if body.hints is not None:
        yield from find_hint_faults(body.hints, f"{pointer}/hints")
    yield from _find_page_faults(body, pointer)
    if body.metadata is not None:
        yield from _find_metadata_faults(body.metadata, f"{pointer}/metadata")


def _find_unsealed(body: TaskBody, pointer: str) -> Iterator[Violation]:
    asked_for = [f"{pointer}/{name}" for name in SEALED_FIELDS if _is_asked_for(body, name)]
    for place in (*asked_for, *find_typed_values(body, pointer)):
        yield Violation(place, "needs security.session_key, which is not set: without it captchad keeps no secrets")


def _find_page_faults(body: TaskBody, pointer: str) -> Iterator[Violation]:
    if body.selector is not None:
        reason = _explain_bad_picture_selector(body.selector)
        if reason is not None:
            yield Violation(f"{pointer}/selector", reason)
    if body.session is not None:
        yield from find_session_faults(body.session, f"{pointer}/session")
    yield from find_step_faults(body.steps or (), f"{pointer}/steps")
    if body.fill is not None:
        yield from find_fill_faults(body.fill, f"{pointer}/fill")


def _find_contradictions(body: TaskBody, pointer: str) -> Iterator[Violation]:
    if body.url is None and body.image is None:
        yield Violation(f"{pointer}/url", "exactly one of url and image is required")
    if body.url is not None and body.image is not None:
        yield Violation(f"{pointer}/image", "url and image are mutually exclusive")
    if body.image is not None and body.url is None and body.target is None:
        yield Violation(f"{pointer}/target", "an image needs the declared host it comes from")
    if body.url is not None and body.target is not None:
        yield Violation(f"{pointer}/target", "is only for an image; a url names its own host")
    for name in PAGE_FIELDS if body.image is not None else ():
        if _is_asked_for(body, name):
            yield Violation(f"{pointer}/{name}", "is only for a url; an image has no page")


def _is_asked_for(body: TaskBody, name: str) -> bool:
    value = getattr(body, name)
    # False asks for nothing, so it is as good as absent.
    return value is not None and value is not False


def _explain_bad_picture_selector(selector: str) -> str | None:
    if len(selector.encode()) > SELECTOR_LIMIT_BYTES:
        return f"must be at most {SELECTOR_LIMIT_BYTES} bytes"
    return explain_bad_selector(selector)


def explain_bad_url(url: str) -> str | None:
    """Say why a text is no absolute http or https URL, or None where it is one, in scope or not."""
    if not url.isprintable() or any(character in ' \\"<>^`{|}' for character in url):
        return "contains a space, a control character or one that must be percent-encoded"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"can't be parsed: {error}"
    if parts.scheme.lower() not in {"http", "https"}:
        return "must begin with http:// or https://"
    if not parts.hostname:
        return "has no host"
    return "has port 0, which can't be connected to" if port == 0 else None


def _find_metadata_faults(metadata: dict[str, Any], pointer: str) -> Iterator[Violation]:
    try:
        # Wrapped as deep as it will lie in the stored request and in answers, whose encoder bounds the depth.
        size = len(orjson.dumps([[[[metadata]]]])) - len("[[[[]]]]")
    except orjson.JSONEncodeError:
        place = _find_big_integer(metadata, pointer)
        if place is None:
            yield Violation(pointer, "must not be nested so deeply")
        else:
            yield Violation(place, "is an integer of more than 64 bits; send it as a string")
        return
    if size > METADATA_LIMIT_BYTES:
        yield Violation(pointer, f"must be at most {METADATA_LIMIT_BYTES} bytes as JSON")


def _find_big_integer(metadata: dict[str, Any], pointer: str) -> str | None:
    """Return the pointer of an integer that can't be written as JSON; without recursion, for it may lie deep."""
    unseen: list[tuple[str, Any]] = [(pointer, metadata)]
    while unseen:
        place, value = unseen.pop()
        if isinstance(value, int) and not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
            return place
        inside: Iterable[tuple[Any, Any]] = ()
        if isinstance(value, (dict, list)):
            inside = value.items() if isinstance(value, dict) else enumerate(value)
        unseen += [(place + make_pointer([name]), inner) for name, inner in inside]
    return None


def _refuse_unreadable(bodies: Mapping[str, TaskBody]) -> None:
    charsets = {
        pointer: body.hints.charset
        for pointer, body in bodies.items()
        if body.hints is not None and body.hints.charset is not None
    }
    violations = [
        Violation(f"{pointer}/hints/charset", describe_unreadable(symbols))
        for pointer, charset in charsets.items()
        if (symbols := find_unreadable(charset))
    ]
    if violations:
        raise UnsupportedCharset("a charset has symbols that no engine reads", tuple(violations))


def _make_draft(body: TaskBody, pointer: str) -> TaskDraft:
    state = None if body.session is None else body.session.storage_state
    return TaskDraft(
        url=body.url,
        picture=None if body.image is None else decode_picture(body.image, f"{pointer}/image"),
        target_host=body.target,
        timeout_seconds=body.timeout,
        retry_count=body.retry_count,
        priority=PRIORITIES[body.priority],
        selector=body.selector,
        hints=make_hints(body.hints),
        task_deadline_seconds=body.task_deadline,
        metadata=body.metadata,
        session=None if body.session is None else make_session(body.session),
        storage_state=None if state is None else make_storage_state(state),
        steps=make_steps(body.steps or ()),
        fill=None if body.fill is None else make_fill(body.fill),
        return_session=body.return_session,
        evidence=body.evidence,
        callback_url=body.callback_url,
        pointer=pointer,
    )


def decode_picture(image: str, pointer: str) -> bytes:
    """Return the picture of a base64 text, within its limits by size and by header."""
    if len(image) > (PICTURE_LIMIT_BYTES // _BASE64_GROUP_BYTES + 1) * _BASE64_GROUP_LENGTH:
        raise BodyTooLarge(f"{pointer}: {PICTURE_TOO_LARGE}")
    try:
        # The strict mode alone lets a superfluous "=" pass at the end.
        whole = image if len(image) % _BASE64_GROUP_LENGTH == 0 else "="
        picture = binascii.a2b_base64(whole.encode("ascii"), strict_mode=True)
    except ValueError:
        message = "must be base64 without white space; of a data URI, send only what follows the comma"
        raise InvalidRequest(_INVALID, (Violation(pointer, message),)) from None
    if len(picture) > PICTURE_LIMIT_BYTES:
        raise BodyTooLarge(f"{pointer}: {PICTURE_TOO_LARGE}")
    try:
        read_picture_header(picture)
    except PictureRefused as error:
        raise InvalidRequest(_INVALID, (Violation(pointer, error.message),)) from None
    return picture
