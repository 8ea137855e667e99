"""Callbacks: which receivers are declared, and how each request is signed (Standard Webhooks)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from captchad.domain.errors import TargetNotAllowed
from captchad.domain.ports import show_host
from captchad.domain.target import (
    DEFAULT_PORTS,
    Origin,
    Target,
    check_spelled_address,
    is_loopback_host,
    literal_address,
    normalise_host,
    parse_origin,
)

ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER = "webhook-id", "webhook-timestamp", "webhook-signature"
SIGNATURE_VERSION = "v1"
SECRET_PREFIX = "whsec_"  # noqa: S105
SECRET_LENGTH = 32
"""The fewest characters of a secret that is plain text."""
SECRET_LIMIT_BYTES = range(24, 65)
"""How long the key in a `whsec_` secret may be, as Standard Webhooks has it."""


@dataclass(frozen=True, slots=True)
class CallbackHost:
    """A declared receiver; without a port its 80 and 443 are meant, and on this machine every port."""

    host: str
    port: int | None = None
    is_private: bool = False

    def has_port(self, port: int) -> bool:
        """Whether callbacks may be sent to this port of it."""
        if self.port is not None:
            return port == self.port
        return port in DEFAULT_PORTS or is_loopback_host(self.host)


def read_callback_host(text: str, private_hosts: Collection[str] = ()) -> CallbackHost:
    """Read HOST or HOST:PORT as it is declared; TargetNotAllowed says what is wrong with it.

    One of `private_hosts` may be at private addresses, and so may what is an address itself.
    """
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port
    except ValueError:
        raise TargetNotAllowed(f"{text!r} is not HOST or HOST:PORT") from None
    if not parts.hostname or parts.netloc != text or parts.username is not None or port == 0:
        raise TargetNotAllowed(f"{text!r} is not HOST or HOST:PORT")
    host = normalise_host(parts.hostname)
    is_spelled = literal_address(host) is not None or is_loopback_host(host)
    return CallbackHost(host, port, is_spelled or host in {normalise_host(one) for one in private_hosts})


def find_receiver(hosts: Iterable[CallbackHost], origin: Origin) -> Target:
    """Return what may be dialled for a callback, narrowed to its port; TargetNotAllowed says why it may not be sent."""
    declared = [one for one in hosts if one.host == origin.host]
    if not declared:
        raise TargetNotAllowed(f"{origin.host} is not in security.callback_hosts")
    if not any(one.has_port(origin.port) for one in declared):
        where = f"{show_host(origin.host)}:{origin.port}"
        raise TargetNotAllowed(f"{where} is not in security.callback_hosts; declare the host with this port")
    is_private = any(one.is_private for one in declared)
    if origin.scheme != "https" and not is_private:
        raise TargetNotAllowed("must begin with https://; plain http is only for receivers at private addresses")
    return Target(origin.host, ports=(origin.port,), allow_private_addresses=is_private)


def check_callback_url(hosts: Iterable[CallbackHost], url: str) -> None:
    """Raise TargetNotAllowed where no callback may be sent to a URL; no name is looked up."""
    origin = parse_origin(url)
    check_spelled_address(find_receiver(hosts, origin), origin.host)


def read_secret(text: str) -> bytes:
    """Return the key of the signature; ValueError says what is wrong with the secret."""
    if not text.startswith(SECRET_PREFIX):
        if len(text) < SECRET_LENGTH:
            raise ValueError(f"must have at least {SECRET_LENGTH} characters, or be {SECRET_PREFIX} and base64")
        return text.encode()
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"what follows {SECRET_PREFIX} is not base64") from None
    if len(key) not in SECRET_LIMIT_BYTES:
        first, last = SECRET_LIMIT_BYTES[0], SECRET_LIMIT_BYTES[-1]
        raise ValueError(f"what follows {SECRET_PREFIX} must be {first} to {last} bytes in base64, not {len(key)}")
    return key


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of the signature's header: HMAC-SHA256 of `ID.TIMESTAMP.BODY`, base64; seconds since 1970."""
    signed = b"%b.%d.%b" % (message_id.encode(errors="surrogateescape"), timestamp, body)
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"{SIGNATURE_VERSION},{base64.b64encode(digest).decode()}"
