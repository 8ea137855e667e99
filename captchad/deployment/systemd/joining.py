"""Reads how a host joins others: from the file that one of them has written, or from a URL with credentials apart."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from captchad.deployment.systemd import layout
from captchad.deployment.systemd.wanted import Joining
from captchad.domain.errors import DeploymentFailed

TLS_SCHEME, SENTINEL_SCHEME = "rediss", "rediss+sentinel"
PLAIN_SCHEMES = frozenset({"redis", "redis+sentinel"})
DEFAULT_MASTER_NAME = "mymaster"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What may not stand on a command line, as it stands in a file; what a file leaves out is empty.

    The file of another host's `deploy --listen` has it all; for a URL it needs the password alone.
    """

    url: str = ""
    password: str = field(default="", repr=False)
    sentinel_password: str = field(default="", repr=False)
    session_key: str = field(default="", repr=False)
    environment: str = ""
    ca: str = ""
    configuration: str = field(default="", repr=False)


def read_credentials(text: str, place: str) -> Credentials:
    """Return what a file says; DeploymentFailed, in one line, where it is none."""
    known = Credentials.__dataclass_fields__.keys()
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        raise DeploymentFailed(f"{place} is no JSON object with the keys {', '.join(known)}") from None
    if not isinstance(tree, dict) or not all(isinstance(value, str) for value in tree.values()):
        raise DeploymentFailed(f"{place} is no JSON object whose values are texts")
    unknown = sorted(tree.keys() - known)
    if unknown:
        raise DeploymentFailed(f"{place} has the unknown key {unknown[0]!r}; known are {', '.join(known)}")
    return Credentials(**tree)


def check_url(url: str) -> None:
    """Raise DeploymentFailed where a URL names no Redis that can be joined, or has a password in it."""
    parts = _split(url)
    if parts.scheme in PLAIN_SCHEMES:
        raise DeploymentFailed("the URL must begin with rediss: without TLS anybody on the way could read the password")
    if parts.scheme not in (TLS_SCHEME, SENTINEL_SCHEME) or not _hosts(parts):
        forms = f"{TLS_SCHEME}://USER@HOST:PORT or {SENTINEL_SCHEME}://USER@HOST:PORT,HOST:PORT/MASTER"
        raise DeploymentFailed(f"the URL must have the form {forms}")
    if ":" in parts.netloc.rpartition("@")[0]:
        raise DeploymentFailed("a password in the URL could be seen by all: give it in a file, with --credentials")


def find_joining(url: str, given: Credentials) -> Joining:
    """Return what is joined; it has passed `check_url`."""
    parts = _split(url)
    user = unquote(parts.netloc.rpartition("@")[0])
    tls: dict[str, Any] = {"enabled": True} | ({"ca_file": layout.AUTHORITY} if given.ca else {})
    if parts.scheme == TLS_SCHEME:
        login = f"{quote(user, safe='')}:{quote(given.password, safe='')}"
        place = parts.netloc.rpartition("@")[2]
        redis: dict[str, Any] = {"url": urlunsplit(parts._replace(netloc=f"{login}@{place}")), "tls": tls}
    else:
        sentinel = {
            "hosts": _hosts(parts),
            "master_name": parts.path.strip("/") or DEFAULT_MASTER_NAME,
            "password": given.sentinel_password,
        }
        # A URL in the configuration file would win.
        redis = {
            "url": None,
            "master": {"username": user, "password": given.password},
            "sentinel": sentinel,
            "tls": tls,
        }
    return Joining(redis, given.ca, given.session_key, given.configuration)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if "," not in parts.netloc:
            # Raises where it is no number.
            _ = parts.port
    except ValueError as error:
        raise DeploymentFailed(f"the URL can't be read: {error}") from None
    return parts


def _hosts(parts: SplitResult) -> list[str]:
    return [host for host in parts.netloc.rpartition("@")[2].split(",") if host]
