import pytest

from captchad.domain.callback import CallbackHost, check_callback_url, find_receiver, read_callback_host
from captchad.domain.errors import TargetNotAllowed
from captchad.domain.target import parse_origin

DECLARED = (
    "Hooks.Example.com",
    "tls.example.com:8443",
    "n8n.internal:5678",
    "127.0.0.1",
    "10.0.0.7:5678",
    "[::1]:9000",
)
PRIVATE = ("n8n.internal",)
HOSTS = tuple(read_callback_host(text, PRIVATE) for text in (*DECLARED, "[::1]:9000"))


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/done?x=1",
        "https://hooks.example.com./",
        "https://tls.example.com:8443/",
        "http://n8n.internal:5678/hook",
        "http://127.0.0.1:54321/",
        "https://127.0.0.1/",
        "http://10.0.0.7:5678/",
        "http://[::1]:9000/",
    ],
)
def test_a_declared_receiver_may_be_called(url: str) -> None:
    check_callback_url(HOSTS, url)
    origin = parse_origin(url)
    receiver = find_receiver(HOSTS, origin)
    assert (receiver.host, receiver.ports) == (origin.host, (origin.port,))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://evil.example.com/", "not in security.callback_hosts"),
        ("https://sub.hooks.example.com/", "not in security.callback_hosts"),
        ("https://hooks.example.com.evil.example/", "not in security.callback_hosts"),
        ("https://hooks.example.com:8443/", "with this port"),
        ("https://tls.example.com/", "with this port"),
        ("http://hooks.example.com/", "https"),
        ("http://10.0.0.7/", "with this port"),
        ("http://10.0.0.8:5678/", "not in security.callback_hosts"),
        ("https://user:password@hooks.example.com/", "user name or password"),
        ("ftp://hooks.example.com/", "must begin with"),
        ("https://hooks.example.com:0/", "port"),
        ("http://2130706433/", "unusual notation"),
    ],
)
def test_anything_else_may_not(url: str, why: str) -> None:
    with pytest.raises(TargetNotAllowed, match=why):
        check_callback_url(HOSTS, url)


def test_without_any_declared_nothing_may() -> None:
    with pytest.raises(TargetNotAllowed):
        check_callback_url((), "https://hooks.example.com/")


def test_a_name_that_is_not_declared_private_may_not_be_at_a_private_address() -> None:
    assert not find_receiver(HOSTS, parse_origin("https://hooks.example.com/")).allow_private_addresses
    assert find_receiver(HOSTS, parse_origin("http://n8n.internal:5678/")).allow_private_addresses


def test_metadata_services_are_refused_even_if_declared() -> None:
    hosts = (read_callback_host("169.254.169.254"),)
    with pytest.raises(TargetNotAllowed, match="metadata"):
        check_callback_url(hosts, "http://169.254.169.254/")


@pytest.mark.parametrize(
    "text", ["", "https://a.example", "a.example/path", "*.a.example", "a:b", "a.example:0", "u@a.example"]
)
def test_what_is_no_receiver_is_refused(text: str) -> None:
    with pytest.raises(TargetNotAllowed):
        read_callback_host(text)


def test_a_receiver_is_read_as_it_is_compared() -> None:
    assert read_callback_host("Hooks.Example.com.:443") == CallbackHost("hooks.example.com", 443)
