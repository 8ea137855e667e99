"""Forms of every encoding are read, and whatever bytes come are read or refused."""

import json
import string
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.errors import InvalidRequest
from captchad.web.compatibility.forms import FIELDS_LIMIT, Fields, is_json, read_fields, read_urlencoded

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = st.text(string.ascii_letters + string.digits + "-_[]", min_size=1, max_size=12)
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
TYPES = (
    "",
    "application/json",
    "application/x-www-form-urlencoded; charset=UTF-8",
    "multipart/form-data",
    f"multipart/form-data; boundary={BOUNDARY}",
    f'Multipart/Form-Data; charset=utf-8; Boundary="{BOUNDARY}"',
)


def write_multipart(texts: dict[str, str], files: dict[str, bytes]) -> bytes:
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode() for name, text in texts.items()]
    disposition = (
        'Content-Disposition: form-data; name="{}"; filename="c; name=x.png"\r\nContent-Type: image/png\r\n\r\n'
    )
    parts += [disposition.format(name).encode() + content for name, content in files.items()]
    lines = [f"--{BOUNDARY}\r\n".encode() + part + b"\r\n" for part in parts]
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()


@given(st.dictionaries(TEXTS, TEXTS, max_size=10))
def test_urlencoded_fields_come_back(texts: dict[str, str]) -> None:
    assert read_urlencoded(urlencode(texts).encode()) == texts


@given(st.dictionaries(NAMES, TEXTS, max_size=5), st.dictionaries(NAMES, st.binary(max_size=60), max_size=3))
def test_parts_come_back(texts: dict[str, str], files: dict[str, bytes]) -> None:
    content_type = f"multipart/form-data; boundary={BOUNDARY}"
    assert read_fields(content_type, write_multipart(texts, files)) == Fields(texts, files)


@given(st.dictionaries(TEXTS, TEXTS | st.integers() | st.booleans() | st.none(), max_size=10))
def test_members_come_back_as_texts(members: dict[str, object]) -> None:
    texts = read_fields("application/json", json.dumps(members).encode()).texts
    assert set(texts) == {name for name, member in members.items() if member is not None}
    for name, text in texts.items():
        member = members[name]
        assert text == (str(int(member)) if isinstance(member, bool) else str(member))


@given(st.sampled_from(TYPES), st.binary(max_size=300))
def test_any_body_is_read_or_refused(content_type: str, body: bytes) -> None:
    try:
        fields = read_fields(content_type, body)
    except InvalidRequest:
        return
    assert len(fields.texts) + len(fields.files) <= FIELDS_LIMIT


@given(
    st.lists(
        st.sampled_from(
            (
                f"\r\n--{BOUNDARY}".encode(),
                f"--{BOUNDARY}".encode(),
                b"--",
                b"\r\n",
                b"\r\n\r\n",
                b"Content-Disposition: form-data",
                b'; name="key"',
                b"; name=key",
                b'; name="a\\"b"',
                b"; filename=",
                b'"',
                b"\\",
                b"x",
            )
        ),
        max_size=30,
    )
)
def test_any_parts_are_read_or_refused(pieces: list[bytes]) -> None:
    try:
        fields = read_fields(f"multipart/form-data; boundary={BOUNDARY}", b"".join(pieces))
    except InvalidRequest:
        return
    assert set(fields.texts) | set(fields.files) <= {"key", 'a"b', ""}


@given(st.text(max_size=100))
def test_any_content_type_is_json_or_not(content_type: str) -> None:
    assert is_json(content_type) in {True, False}


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/problem+json", True),
        ("text/plain", False),
        ("application/jsonp", False),
        ("", False),
    ],
)
def test_json_is_known_by_its_type(content_type: str, expected: bool) -> None:
    assert is_json(content_type) is expected


def test_too_much_is_refused_unread() -> None:
    many = {f"x{number}": "1" for number in range(FIELDS_LIMIT + 1)}
    content_type = f"multipart/form-data; boundary={BOUNDARY}"
    for read in (
        lambda: read_urlencoded(urlencode(many).encode()),
        lambda: read_urlencoded(b"%41" * 300_000),
        lambda: read_fields("application/json", json.dumps(many).encode()),
        lambda: read_fields(content_type, write_multipart(many, {})),
        lambda: read_fields(content_type, f"--{BOUNDARY}\r\n{'x' * 5000}\r\n\r\n\r\n--{BOUNDARY}--".encode()),
    ):
        with pytest.raises(InvalidRequest):
            read()
