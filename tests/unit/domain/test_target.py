"""Scope: what a URL leads to, and which declared target it belongs to."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.errors import TargetNotAllowed
from captchad.domain.target import Target, find_origin, find_target, find_target_by_name, normalise_host, parse_origin

TODAY = date(2030, 1, 1)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://Example.COM/login", "example.com", 80),
        ("https://example.com./", "example.com", 443),
        ("http://127.0.0.1:8123/x?y#z", "127.0.0.1", 8123),
        ("http://[::1]:8080/", "::1", 8080),
        ("http://bücher.example/", "xn--bcher-kva.example", 80),
        ("HTTP://EXAMPLE.com", "example.com", 80),
    ],
)
def test_an_ordinary_url_is_read(url: str, host: str, port: int) -> None:
    origin = parse_origin(url)
    assert (origin.host, origin.port) == (host, port)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "about:blank",
        "http://",
        "http:///x",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://example.com:x/",
        "http://exa mple.com/",
        "http://example.com\\@evil.example/",
        "http://example.com/\r\nHost: evil",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.0x1/",
        "http://0177.0.0.0x1/",
        "http://\uff11\uff12\uff17.1/",
        "http://127\u30021/",
        "http://a..b/",
        "http://[::1/",
        "http://" + "a" * 9000 + ".example/",
    ],
)
def test_a_url_that_could_mislead_is_refused(url: str) -> None:
    with pytest.raises(TargetNotAllowed):
        parse_origin(url)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    for url in (text, f"http://{text}", f"http://example.com{text}"):
        try:
            origin = parse_origin(url)
        except TargetNotAllowed:
            continue
        assert origin.host == normalise_host(origin.host)
        assert 0 < origin.port <= 65535


def test_a_wildcard_covers_subdomains_and_not_the_domain_itself() -> None:
    targets = [Target("*.example.com", expires=TODAY)]
    assert find_target(targets, parse_origin("http://a.b.example.com/"), TODAY).host == "*.example.com"
    for url in ("http://example.com/", "http://evilexample.com/", "http://example.com.evil.net/"):
        with pytest.raises(TargetNotAllowed):
            find_target(targets, parse_origin(url), TODAY)


def test_the_most_specific_target_wins() -> None:
    targets = [Target("*.example.com"), Target("*.a.example.com"), Target("b.a.example.com")]
    assert find_target(targets, parse_origin("http://b.a.example.com/"), TODAY).host == "b.a.example.com"
    assert find_target(targets, parse_origin("http://c.a.example.com/"), TODAY).host == "*.a.example.com"


def test_an_undeclared_port_is_refused_and_the_declared_ones_named() -> None:
    with pytest.raises(TargetNotAllowed, match="80, 443"):
        find_target([Target("example.com")], parse_origin("http://example.com:8080/"), TODAY)


def test_a_target_is_refused_from_the_day_after_it_expires() -> None:
    targets = [Target("example.com", expires=date(2029, 12, 31))]
    find_target(targets, parse_origin("http://example.com/"), date(2029, 12, 31))
    with pytest.raises(TargetNotAllowed, match="2029-12-31"):
        find_target(targets, parse_origin("http://example.com/"), TODAY)
    with pytest.raises(TargetNotAllowed, match="2029-12-31"):
        find_target_by_name(targets, "example.com", TODAY)


def test_a_picture_names_its_target_by_host_or_by_the_pattern_itself() -> None:
    targets = [Target("*.example.com")]
    assert find_target_by_name(targets, "a.example.com", TODAY) == targets[0]
    assert find_target_by_name(targets, "*.example.com", TODAY) == targets[0]
    with pytest.raises(TargetNotAllowed):
        find_target_by_name(targets, "example.com", TODAY)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.example:443/x", "https://a.example"),
        ("http://a.example/x", "http://a.example"),
        ("http://a.example:8080?x", "http://a.example:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_an_origin_is_written_as_browsers_do(url: str, origin: str) -> None:
    assert find_origin(url) == origin
