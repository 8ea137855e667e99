"""A session reaches its target's host and origin, and nothing beside them."""

import pytest

from captchad.browser.page.session_state import add_headers, choose_cookies, is_at, read_cookie
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.page import Cookie, PageOrder, SessionState


def place(domain: str | None, url: str = "https://a.example.com/in", target: str = "a.example.com") -> str:
    """Return the domain that a cookie of `domain` is kept under."""
    (chosen,) = choose_cookies(SessionState((Cookie("id", "1", domain=domain),)), PageOrder(url, target))
    return chosen["domain"]  # type: ignore[return-value]


def test_a_cookie_without_a_domain_is_the_hosts_own() -> None:
    assert place(None) == "a.example.com"
    assert place(None, target="*.example.com") == "a.example.com"
    assert place(None, "http://127.0.0.1:8080/", "127.0.0.1") == "127.0.0.1"
    assert place(None, "http://[::1]:8080/", "::1") == "[::1]"


def test_a_cookies_domain_reaches_subdomains_only_where_the_target_does() -> None:
    assert place("a.example.com") == "a.example.com"
    assert place(".A.Example.com") == "a.example.com"
    assert place("a.example.com", target="*.example.com") == ".a.example.com"
    assert place("b.example.com", "https://a.b.example.com/", "*.example.com") == ".b.example.com"


@pytest.mark.parametrize(
    ("domain", "target"),
    [
        ("example.com", "a.example.com"),
        ("example.com", "*.example.com"),
        ("b.example.com", "*.example.com"),
        ("com", "a.example.com"),
        ("a.example.com.evil.test", "a.example.com"),
        ("not a host", "a.example.com"),
    ],
)
def test_a_cookie_that_reaches_further_is_refused(domain: str, target: str) -> None:
    with pytest.raises(AttemptFailed) as failed:
        place(domain, target=target)
    assert failed.value.task_error_code is TaskErrorCode.TARGET_NOT_ALLOWED


def read(domain: str, target: str = "a.example.com", **members: object) -> Cookie | None:
    cookie = {
        "name": "id",
        "value": "1",
        "domain": domain,
        "path": "/",
        "expires": -1,
        "httpOnly": False,
        "secure": True,
        "sameSite": "Lax",
    } | members
    return read_cookie(cookie, "a.example.com", target)  # type: ignore[arg-type]


def test_only_cookies_that_the_host_would_be_sent_come_back() -> None:
    assert read("a.example.com") == Cookie("id", "1", secure=True, same_site="Lax")
    for domain in ("b.example.com", "example.com", ".b.example.com", "x.a.example.com", ".x.a.example.com", ".le.com"):
        assert read(domain) is None


def test_a_cookie_shared_beyond_the_target_comes_back_as_the_hosts_own() -> None:
    shared = read(".example.com")
    assert shared is not None
    assert shared.domain is None
    kept = read(".a.example.com", target="*.example.com")
    assert kept is not None
    assert kept.domain == "a.example.com"


def test_a_cookie_that_could_not_be_brought_again_is_made_so_that_it_can() -> None:
    cookie = read("a.example.com", sameSite="None", secure=False, expires=12.5)
    assert cookie is not None
    assert cookie.same_site is None
    assert cookie.expires == 12.5


def test_an_origin_ends_where_its_port_does() -> None:
    assert is_at("http://a.example:80/x", "http://a.example:80")
    assert not is_at("http://a.example:8080/x", "http://a.example:80")
    assert not is_at("http://a.example.evil/", "http://a.example")
    assert is_at("http://a.example", "http://a.example")


def test_a_header_replaces_the_browsers_own_whatever_its_case() -> None:
    sent = {"accept-language": "en", "Accept": "*/*"}
    assert add_headers(sent, {"Accept-Language": "de"}) == [
        {"name": "Accept", "value": "*/*"},
        {"name": "Accept-Language", "value": "de"},
    ]
