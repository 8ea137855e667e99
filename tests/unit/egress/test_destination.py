import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.target import Origin
from captchad.egress.destination import read_absolute_form, read_authority_form
from captchad.egress.scope import EgressRefused, RefusalReason


@pytest.mark.parametrize(
    ("target", "origin", "origin_form"),
    [
        ("http://A.example", Origin("http", "a.example", 80), "/"),
        ("http://a.example:81?x={y|z}", Origin("http", "a.example", 81), "/?x={y|z}"),
        ("HTTP://a.example./p?q", Origin("http", "a.example", 80), "/p?q"),
        ("http://[::1]:8080/p", Origin("http", "::1", 8080), "/p"),
        ("http://a.example/http://b.example/", Origin("http", "a.example", 80), "/http://b.example/"),
    ],
)
def test_reads_where_a_request_goes(target: str, origin: Origin, origin_form: str) -> None:
    assert (read_absolute_form(target)[0], read_absolute_form(target)[2]) == (origin, origin_form)


@pytest.mark.parametrize(
    "target",
    [
        "/path",
        "*",
        "https://a.example/",
        "ftp://a.example/",
        "file:///etc/passwd",
        "http:///path",
        "http://",
        "http://user@a.example/",
        "http://a.example\\@b.example/",
        "http://a.example/#fragment",
        "http://a.example:0/",
        "http://a.example:99999/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://127.1/",
        "http://%31%32%37.0.0.1/",
    ],
)
def test_refuses_what_is_no_plain_http_address(target: str) -> None:
    with pytest.raises(EgressRefused) as refused:
        read_absolute_form(target)
    assert refused.value.reason is RefusalReason.INVALID_DESTINATION


def test_reads_where_a_tunnel_goes() -> None:
    assert read_authority_form("a.example:443") == Origin("https", "a.example", 443)
    assert read_authority_form("[::1]:8443") == Origin("https", "::1", 8443)


@pytest.mark.parametrize(
    "target", ["a.example", "a.example:", ":443", "http://a.example:443", "u@a:1", "a:1/x", "::1:4"]
)
def test_refuses_a_tunnel_without_host_and_port(target: str) -> None:
    with pytest.raises(EgressRefused):
        read_authority_form(target)


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused(text: str) -> None:
    for read in (read_absolute_form, read_authority_form):
        for target in (text, f"http://{text}", f"{text}:80"):
            try:
                read(target)
            except EgressRefused:
                continue
