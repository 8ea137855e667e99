"""From a client's fields to what is asked of captchad: the picture, hints, and the page that it comes from.

The names of fields are those of the createTask family in lower case, for clients differ in that.
"""

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import ascii_letters, digits
from typing import Any

from pydantic import ValidationError

from captchad.domain.errors import PictureRefused
from captchad.domain.instructions import find_instruction
from captchad.domain.picture import PICTURE_LIMIT_BYTES, PICTURE_TOO_LARGE, read_picture_header
from captchad.domain.recognition import CaptchaKind, Hints
from captchad.domain.task_limits import TEXT_LENGTH_LIMIT
from captchad.web.api.hint_rules import find_hint_faults, make_hints
from captchad.web.api.schema import HintsBody
from captchad.web.compatibility.failures import Failure, SolverRefusal
from captchad.web.compatibility.forms import spell

COMMENT_LIMIT = 512
THRESHOLD_LIMIT = 100
PAGE_FIELD, COMMENT_FIELD, HINT_PICTURE_FIELD = "websiteurl", "comment", "imginstructions"
_DATA_URI = re.compile(r"data:[^,]{0,100},")
_BASE64_GROUP_BYTES, _BASE64_GROUP_LENGTH = 3, 4
_BASE64_LIMIT = (PICTURE_LIMIT_BYTES // _BASE64_GROUP_BYTES + 1) * _BASE64_GROUP_LENGTH
_ALPHANUMERIC = ascii_letters + digits
_CHARSETS = (None, digits, ascii_letters, _ALPHANUMERIC, _ALPHANUMERIC)
"""By `numeric`: not specified, digits, letters, digits or letters, digits and letters."""
_TRUE, _FALSE = frozenset({"1", "true", "yes"}), frozenset({"", "0", "false", "no"})


@dataclass(frozen=True, slots=True)
class PictureOrder:
    """A picture to read; `page` is where it comes from, as far as the client says."""

    picture: bytes = field(repr=False)
    hints: Hints = field(default_factory=Hints)
    page: str | None = None
    minimum_confidence: float = 0.0


def read_order(fields: Mapping[str, Any], picture: bytes) -> PictureOrder:
    """Return what the fields ask for; SolverRefusal where they contradict themselves, or ask for what nobody reads."""
    threshold = read_count(fields, "recognizingthreshold", THRESHOLD_LIMIT) or 0
    page = _read_text(fields, PAGE_FIELD)
    return PictureOrder(check_picture(picture), read_hints(fields), page, threshold / THRESHOLD_LIMIT)


def read_hints(fields: Mapping[str, Any]) -> Hints:
    """Return the hints that the fields give."""
    is_math = read_flag(fields, "math")
    charset = _CHARSETS[read_count(fields, "numeric", len(_CHARSETS) - 1) or 0]
    # An expression has signs too, and a phrase has spaces.
    charset = None if is_math or charset is None else charset + " " * read_flag(fields, "phrase")
    wanted = {
        "charset": charset,
        "min_length": read_count(fields, "minlength", TEXT_LENGTH_LIMIT) or None,
        "max_length": read_count(fields, "maxlength", TEXT_LENGTH_LIMIT) or None,
        "case_sensitive": read_flag(fields, "case") or None,
        "kind": str(CaptchaKind.MATH) if is_math else None,
        **_read_comment(fields),
    }
    try:
        hints = HintsBody.model_validate({name: value for name, value in wanted.items() if value is not None})
    except ValidationError as error:
        raise SolverRefusal(Failure.PARAMETERS, error.errors(include_url=False)[0]["msg"]) from None
    for fault in find_hint_faults(hints, ""):
        raise SolverRefusal(Failure.PARAMETERS, f"{fault.pointer[1:]} {fault.message}")
    return make_hints(hints)


def decode_body(value: object) -> bytes:
    """Return the bytes of a base64 text, more forgiving than the API of captchad: clients differ in how they write it.

    A data URI, line breaks, a missing end, and a plus that has become a space on its way are all taken.
    """
    if not isinstance(value, str) or not value.strip():
        raise SolverRefusal(Failure.EMPTY_PICTURE, "there is no picture; send it as base64")
    begun = _DATA_URI.match(value)
    text = value[begun.end() if begun else 0 :].replace("\r", "").replace("\n", "").replace(" ", "+").rstrip("=")
    if len(text) > _BASE64_LIMIT:
        raise SolverRefusal(Failure.LARGE_PICTURE, PICTURE_TOO_LARGE)
    try:
        whole = text + "=" * (-len(text) % _BASE64_GROUP_LENGTH)
        return binascii.a2b_base64(whole.encode("ascii"), strict_mode=True)
    except ValueError:
        raise SolverRefusal(Failure.PICTURE_FORMAT, "the picture is not base64") from None


def check_picture(picture: bytes) -> bytes:
    """Return a picture that can be read as far as its header says."""
    if not picture:
        raise SolverRefusal(Failure.EMPTY_PICTURE, "the picture is empty")
    if len(picture) > PICTURE_LIMIT_BYTES:
        raise SolverRefusal(Failure.LARGE_PICTURE, PICTURE_TOO_LARGE)
    try:
        read_picture_header(picture)
    except PictureRefused as error:
        raise SolverRefusal(Failure.PICTURE_FORMAT, error.message) from None
    return picture


def read_flag(fields: Mapping[str, Any], name: str) -> bool:
    """Return a field that says yes or no, in any of the spellings in use."""
    text = _spell(fields.get(name)).lower()
    if text not in _TRUE | _FALSE:
        raise SolverRefusal(Failure.PARAMETERS, f"{name} must be 1 or 0")
    return text in _TRUE


def read_count(fields: Mapping[str, Any], name: str, most: int) -> int | None:
    """Return a field that counts; None where it is not given."""
    text = _spell(fields.get(name))
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and int(text) <= most):
        raise SolverRefusal(Failure.PARAMETERS, f"{name} must be a whole number from 0 to {most}")
    return int(text)


def _read_comment(fields: Mapping[str, Any]) -> dict[str, str | None]:
    """Return what an instruction for people asks for; one that is not understood is refused instead of disobeyed."""
    if fields.get(HINT_PICTURE_FIELD):
        raise SolverRefusal(Failure.TASK_KIND, "an instruction that is a picture is not read")
    comment = _read_text(fields, COMMENT_FIELD) or ""
    if len(comment) > COMMENT_LIMIT:
        raise SolverRefusal(Failure.PARAMETERS, f"{COMMENT_FIELD} has more than {COMMENT_LIMIT} characters")
    instruction = find_instruction(comment)
    if instruction is None:
        return {}
    if not instruction.is_clear:
        raise SolverRefusal(Failure.TASK_KIND, f"{COMMENT_FIELD} asks for what captchad does not pick out")
    position = instruction.position
    return {
        "colour": instruction.colour,
        "position": None if position is None else f"{position.side}:{position.count}",
    }


def _read_text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise SolverRefusal(Failure.PARAMETERS, f"{name} must be a text")
    return value or None


def _spell(value: object) -> str:
    return "" if value is None else spell(value)[:COMMENT_LIMIT].strip()
