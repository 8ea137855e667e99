"""Reads a request's fields, however they are encoded: urlencoded, as multipart or as one JSON object."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from captchad.domain.errors import InvalidRequest
from captchad.web.bodies import parse_json

FIELDS_LIMIT = 64
PART_HEAD_LIMIT_BYTES = 4096
ESCAPES_LIMIT = 262_144
"""Base64 of the largest picture has a third of that, and each costs time."""
MULTIPART = "multipart/form-data"
_JSON_TYPE = re.compile(r"application/(?:[\w.-]+\+)?json")
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s";,]{1,70}))', re.IGNORECASE)
_DISPOSITION = re.compile(rb"^content-disposition:([^\r\n]*)$", re.IGNORECASE | re.MULTILINE)
# The rest of a quoted string is possessive: nothing is tried twice.
_PARAMETER = re.compile(rb';\s*(name|filename)\*?=(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"|([^\s;"]*))', re.IGNORECASE)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_END = b"--"


@dataclass(frozen=True, slots=True)
class Fields:
    """What was sent, each name once: `files` are the parts of a multipart body that came as files."""

    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def is_json(content_type: str) -> bool:
    """Whether a Content-Type header says JSON."""
    return _JSON_TYPE.fullmatch(content_type.partition(";")[0].strip().lower()) is not None


def read_fields(content_type: str, body: bytes) -> Fields:
    """Return the fields of a body; InvalidRequest where it is not what its Content-Type says."""
    if is_json(content_type):
        return Fields(_read_members(parse_json(body)))
    if content_type.partition(";")[0].strip().lower() == MULTIPART:
        return _read_multipart(content_type, body)
    return Fields(read_urlencoded(body))


def read_urlencoded(text: bytes) -> dict[str, str]:
    """Return the fields of an urlencoded text, of a name given twice the last."""
    if text.count(b"%") > ESCAPES_LIMIT:
        raise InvalidRequest(f"the fields have more than {ESCAPES_LIMIT} escapes")
    try:
        return dict(parse_qsl(text.decode(), keep_blank_values=True, max_num_fields=FIELDS_LIMIT))
    except ValueError:
        # What is no text, and too many fields.
        raise InvalidRequest(f"the fields are not urlencoded UTF-8, or more than {FIELDS_LIMIT}") from None


def spell(value: object) -> str:
    """Return a JSON number, text or truth value as a form has it."""
    is_whole = isinstance(value, bool) or (isinstance(value, float) and value.is_integer())
    return str(int(value)) if is_whole and isinstance(value, (bool, float)) else str(value)


def _read_members(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > FIELDS_LIMIT:
        raise InvalidRequest(f"the body must be a JSON object of at most {FIELDS_LIMIT} fields")
    texts = {}
    for name, member in value.items():
        if isinstance(member, (dict, list)):
            raise InvalidRequest("a field of the body is an object or a list")
        if member is not None:
            texts[name] = spell(member)
    return texts


def _read_multipart(content_type: str, body: bytes) -> Fields:
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise InvalidRequest("the multipart body has no boundary")
    fields = Fields()
    for name, is_file, content in _split(body, (found[1] or found[2]).encode()):
        if is_file:
            fields.files[name] = content
        else:
            fields.texts[name] = content.decode(errors="replace")
    return fields


def _split(body: bytes, boundary: bytes) -> Iterator[tuple[str, bool, bytes]]:
    """Yield name, whether it is a file, and content of each part."""
    delimiter = b"\r\n--" + boundary
    # The first delimiter may be the body's very beginning.
    body = b"\r\n" + body
    if body.count(delimiter) > FIELDS_LIMIT + 1:
        raise InvalidRequest(f"the multipart body has more than {FIELDS_LIMIT} parts")
    _, *parts = body.split(delimiter)
    for part in parts:
        if part.startswith(_END):
            return
        head, separator, content = part.partition(b"\r\n\r\n")
        if not separator or len(head) > PART_HEAD_LIMIT_BYTES:
            raise InvalidRequest("a part of the multipart body has no head, or too long a one")
        name, is_file = _read_head(head)
        yield name, is_file, content
    raise InvalidRequest("the multipart body does not end")


def _read_head(head: bytes) -> tuple[str, bool]:
    disposition = _DISPOSITION.search(head.replace(b"\r\n", b"\n"))
    parameters = {} if disposition is None else _read_parameters(disposition[1])
    if b"name" not in parameters:
        raise InvalidRequest("a part of the multipart body has no name")
    return parameters[b"name"].decode(errors="replace"), b"filename" in parameters


def _read_parameters(text: bytes) -> dict[bytes, bytes]:
    return {
        found[1].lower(): _ESCAPED.sub(rb"\1", found[2]) if found[2] is not None else found[3]
        for found in _PARAMETER.finditer(text)
    }
