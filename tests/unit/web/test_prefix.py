"""The path under which a proxy shows a role: which is believed, and what becomes of it."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from captchad.web.middleware.addresses import ClientAddresses
from captchad.web.middleware.prefix import PREFIX_HEADER, PREFIX_LENGTH_LIMIT, find_prefix, set_base
from captchad.web.middleware.rates import ADDRESSES


def ask(*headers: str, peer: str = "10.0.0.1") -> str:
    application = web.Application()
    application[ADDRESSES] = ClientAddresses(["10.0.0.0/8"])
    request = make_mocked_request("GET", "/", [(PREFIX_HEADER, value) for value in headers], app=application)
    return find_prefix(request.clone(remote=peer))


@pytest.mark.parametrize(
    ("given", "found"),
    [("/captchad", "/captchad"), ("/captchad/", "/captchad"), ("/a/b-c_d~1.2", "/a/b-c_d~1.2"), ("/", ""), ("", "")],
)
def test_a_trusted_proxy_is_believed(given: str, found: str) -> None:
    assert ask(given) == found


def test_nobody_else_is() -> None:
    assert ask("/captchad", peer="192.0.2.1") == ""
    assert ask() == ""


@pytest.mark.parametrize(
    "given",
    [
        "captchad",
        "//evil.example",
        "/a//b",
        "/../a",
        "/a/..",
        "/a/./b",
        "https://evil.example/",
        '/a"><script>',
        "/a b",
        "/a?b",
        "/a#b",
        "/a%2fb",
        "/ä",
        "/a\\b",
        "/a, /b",
        "/" + "a" * PREFIX_LENGTH_LIMIT,
    ],
)
def test_what_is_no_plain_path_is_left_out(given: str) -> None:
    assert ask(given) == ""


def test_two_prefixes_are_none() -> None:
    assert ask("/a", "/b") == ""


def test_a_page_begins_where_its_prefix_says() -> None:
    page = "<!doctype html><head><title>a</title></head>"
    assert set_base(page, "") == page
    assert '<head>\n  <base href="/captchad/"><title>' in set_base(page, "/captchad")
