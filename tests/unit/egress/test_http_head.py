import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.egress import http_head
from captchad.egress.http_head import (
    NO_BODY,
    BodyKind,
    Framing,
    MalformedMessage,
    RequestHead,
    ResponseHead,
    forwardable,
    parse_request_head,
    parse_response_head,
    serialise_head,
)

TOKEN = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!#$", min_size=1, max_size=12)
VALUE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f\x85\xa0"), max_size=20)
HEADERS = st.lists(st.tuples(TOKEN, VALUE), max_size=8)


def make_request(*headers: str, line: str = "GET http://a.example/ HTTP/1.1") -> bytes:
    return "\r\n".join([line, *headers, "", ""]).encode("latin-1")


@given(TOKEN.map(str.upper), HEADERS)
def test_what_is_written_is_read_back(method: str, headers: list[tuple[str, str]]) -> None:
    head = parse_request_head(serialise_head(f"{method} http://a.example/x HTTP/1.1", headers))
    assert (head.method, head.target, list(head.headers)) == (method, "http://a.example/x", headers)


@given(st.binary(max_size=200))
def test_any_bytes_are_understood_or_refused(raw: bytes) -> None:
    for parse in (parse_request_head, parse_response_head):
        for message in (raw, raw + b"\r\n\r\n", b"GET http://a/ HTTP/1.1\r\n" + raw + b"\r\n\r\n"):
            try:
                head = parse(message)
                _ = head.framing() if isinstance(head, RequestHead) else head.framing("GET")
            except MalformedMessage:
                continue


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_what_is_sent_on_never_has_more_lines_than_headers(lines: list[bytes]) -> None:
    raw = b"HTTP/1.1 200 OK\r\n" + b"\r\n".join(lines) + b"\r\n\r\n"
    try:
        head = parse_response_head(raw)
    except MalformedMessage:
        return
    headers = forwardable(head.headers, frozenset())
    sent = serialise_head("HTTP/1.1 200 OK", headers)
    assert sent.count(b"\n") == sent.count(b"\r\n") == sent.count(b"\r") == len(headers) + 2


@pytest.mark.parametrize(
    "raw",
    [
        b"GET http://a/ HTTP/1.1\r\n",
        b"GET http://a/ HTTP/1.1\nHost: a\r\n\r\n",
        b"GET  http://a/ HTTP/1.1\r\n\r\n",
        b"GET http://a/ HTTP/2.0\r\n\r\n",
        b"GET http://a/\r\n\r\n",
        b"GET http://a/\xe9 HTTP/1.1\r\n\r\n",
        make_request("Host : a"),
        make_request(" folded: a"),
        make_request("A: b", " folded"),
        make_request("A: b\rC: d"),
        make_request("A: b\nC: d"),
        make_request("A: b\x00"),
        make_request("no colon"),
        make_request(": no name"),
        make_request(*["A: b"] * 201),
    ],
)
def test_an_odd_request_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_request_head(raw)


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 1", "Content-Length: 2"],
        ["Content-Length: 1, 2"],
        ["Content-Length: -1"],
        ["Content-Length: +1"],
        ["Content-Length: 0x10"],
        ["Content-Length:"],
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: chunked, chunked"],
        ["Transfer-Encoding: identity"],
    ],
)
def test_a_request_whose_end_is_in_doubt_is_refused(headers: list[str]) -> None:
    with pytest.raises(MalformedMessage):
        parse_request_head(make_request(*headers)).framing()


def test_the_end_of_a_request_is_known() -> None:
    assert parse_request_head(make_request()).framing() == NO_BODY
    assert parse_request_head(make_request("Content-Length: 7", "content-length: 7")).framing() == Framing(
        BodyKind.LENGTH, 7
    )
    assert parse_request_head(make_request("Transfer-Encoding: Chunked")).framing() == Framing(BodyKind.CHUNKED)


@pytest.mark.parametrize(
    ("status", "method", "headers", "kind"),
    [
        (200, "GET", (), BodyKind.UNTIL_CLOSE),
        (200, "HEAD", (("Content-Length", "5"),), BodyKind.NONE),
        (204, "GET", (), BodyKind.NONE),
        (304, "GET", (("Content-Length", "5"),), BodyKind.NONE),
        (200, "GET", (("Content-Length", "5"),), BodyKind.LENGTH),
        (200, "GET", (("Content-Length", "5"), ("Transfer-Encoding", "chunked")), BodyKind.CHUNKED),
    ],
)
def test_the_end_of_an_answer_is_known(
    status: int, method: str, headers: tuple[tuple[str, str], ...], kind: BodyKind
) -> None:
    assert ResponseHead(status, "", headers).framing(method).kind is kind


def test_a_sloppy_answer_is_still_read() -> None:
    head = parse_response_head(b"HTTP/1.0 200\nSet-Cookie: a=b\n  ; Path=/\nnonsense\nServer: x\n\n")
    assert head == ResponseHead(200, "", (("Set-Cookie", "a=b ; Path=/"), ("Server", "x")))


def test_headers_of_one_connection_are_not_sent_on() -> None:
    headers = (
        ("Connection", "X-Mine, close"),
        ("X-Mine", "1"),
        ("Proxy-Authorization", "Basic x"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "3"),
        ("Cookie", "a=b"),
    )
    assert forwardable(headers, frozenset()) == [("Cookie", "a=b")]


def test_a_folded_header_is_read_once_however_many_lines_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def note(line: str) -> tuple[str, str]:
        read.append(line)
        return http_head_parse(line)

    http_head_parse = http_head._parse_header
    monkeypatch.setattr(http_head, "_parse_header", note)
    head = b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\td \r\nno header\r\n of it\r\nE: f\r\n\r\n"
    assert parse_response_head(head).headers == (("A", "b c d"), ("E", "f"))
    assert len(read) == 3
