"""Reads a request's fields, however they are encoded: urlencoded, as multipart or as one JSON object."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from captchad.domain.errors import InvalidRequest
from captchad.domain.plain_text import bound_message
from captchad.web.bodies import parse_json

FIELDS_LIMIT = 64
ESCAPES_LIMIT = 262_144
"""Base64 of the largest picture has a third of that, and each costs time."""
MULTIPART = "multipart/form-data"
_JSON_TYPE = re.compile(r"application/(?:[\w.-]+\+)?json")


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
    _, options = parse_options_header(content_type)
    if not options.get(b"boundary"):
        raise InvalidRequest("the multipart body has no boundary")
    fields, ends = Fields(), []

    def take_text(part: Field) -> None:
        fields.texts[_name_part(part.field_name, fields)] = (part.value or b"").decode(errors="replace")

    def take_file(part: File) -> None:
        part.file_object.seek(0)
        fields.files[_name_part(part.field_name, fields)] = part.file_object.read()

    # The body is in memory already, so that nothing goes to a file.
    limits = {"MAX_MEMORY_FILE_SIZE": len(body)}
    try:
        parser = FormParser(
            MULTIPART, take_text, take_file, lambda: ends.append(True), options[b"boundary"], config=limits
        )
        parser.write(body)
    except FormParserError as error:
        raise InvalidRequest(f"the multipart body can't be read: {bound_message(str(error))}") from None
    if not ends:
        raise InvalidRequest("the multipart body does not end")
    return fields


def _name_part(name: bytes | None, before: Fields) -> str:
    if len(before.texts) + len(before.files) >= FIELDS_LIMIT:
        raise InvalidRequest(f"the multipart body has more than {FIELDS_LIMIT} parts")
    return (name or b"").decode(errors="replace")
