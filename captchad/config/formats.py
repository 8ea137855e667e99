"""Checks texts that have a form of their own: addresses, origins, URLs. Each check returns a message, or None."""

from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from captchad.config.layers import Layers
from captchad.domain.callback import read_callback_host
from captchad.domain.errors import ConfigurationProblem, TargetNotAllowed
from captchad.domain.target import normalise_host

REDIS_SCHEMES = ("redis", "rediss", "unix")
ANY_ORIGIN = "*"
DNS_PORT = 53


def find_format_problems(layers: Layers) -> Iterator[ConfigurationProblem]:
    """Return a problem for every given text whose form is wrong; other types are the sections' business."""
    for path, check in _CHECKS.items():
        value = layers.read(path)
        elements = enumerate(value) if isinstance(value, list) else ((None, value),)
        for index, text in elements:
            message = check(text) if isinstance(text, str) else None
            if message is not None:
                where = path if index is None else f"{path}[{index}]"
                yield ConfigurationProblem(where, message, layers.label_of(path))


def split_host_port(text: str, default_port: int | None = None) -> tuple[str, int]:
    """Split HOST:PORT or [IPV6]:PORT; ValueError where it isn't one."""
    parts = urlsplit(f"//{text}")
    port = parts.port or default_port
    if not parts.hostname or port is None or parts.path or parts.query or parts.username is not None:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return parts.hostname, port


def _check_host_port(text: str) -> str | None:
    try:
        split_host_port(text)
    except ValueError:
        return f"must be HOST:PORT, not {text!r}"
    return None


def _split_url(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _check_redis_url(text: str) -> str | None:
    parts = _split_url(text)
    if parts is None or parts.scheme not in REDIS_SCHEMES:
        return "must be redis://HOST:PORT/DB, rediss://… or unix:///PATH"
    if parts.scheme == "unix":
        return None if parts.path else "has no path; write unix:///run/redis.sock"
    database = parts.path.strip("/")
    if database and not database.isdigit():
        return "must end in the number of a database, such as /0"
    return None if parts.hostname else "has no host; write redis://HOST:PORT/DB"


def _check_http_url(text: str) -> str | None:
    parts = _split_url(text)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return "must be a URL such as http://HOST:4444"
    return None


def _check_browser_url(text: str) -> str | None:
    parts = _split_url(text)
    if parts is None or parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        return "must be a URL such as ws://HOST:3000/SECRET (playwright) or http://HOST:9222 (cdp)"
    return None


def _check_origin(text: str) -> str | None:
    if text == ANY_ORIGIN:
        return None
    parts = _split_url(text)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return f"must be an origin such as https://example.com, not {text!r}"
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        return f"must be scheme, host and port alone, not {text!r}"
    return None


def _check_network(text: str) -> str | None:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return f"must be an address or a network such as 10.0.0.0/8, not {text!r}"
    return None


def _check_address(text: str) -> str | None:
    try:
        ip_address(text)
    except ValueError:
        return f"must be an IP address, not {text!r}"
    return None


def _check_host(text: str) -> str | None:
    try:
        normalise_host(text)
    except TargetNotAllowed as error:
        return error.message
    return None


def split_nameserver(text: str) -> tuple[str, int]:
    """Split the address of a name server, with or without a port; ValueError where it isn't one."""
    is_bare = text.count(":") > 1 and not text.startswith("[")
    host, port = (text, DNS_PORT) if is_bare else split_host_port(text, DNS_PORT)
    return str(ip_address(host)), port


def _check_nameserver(text: str) -> str | None:
    try:
        split_nameserver(text)
    except ValueError:
        return f"must be an IP address, with or without a port, not {text!r}"
    return None


def _check_callback_host(text: str) -> str | None:
    try:
        read_callback_host(text)
    except TargetNotAllowed as error:
        return error.message
    return None


_CHECKS: dict[str, Callable[[Any], str | None]] = {
    "redis.url": _check_redis_url,
    "redis.master.host": _check_host,
    "redis.sentinel.hosts": _check_host_port,
    "redis.cluster.hosts": _check_host_port,
    "selenium.hub_url": _check_http_url,
    "browser.urls": _check_browser_url,
    "browser.proxy_host": _check_address,
    "browser.proxy_advertised_host": _check_host,
    "gateway.trusted_proxies": _check_network,
    "security.allowed_origins": _check_origin,
    "security.proof.nameservers": _check_nameserver,
    "security.callback_hosts": _check_callback_host,
    "security.callback_private_hosts": _check_host,
}
