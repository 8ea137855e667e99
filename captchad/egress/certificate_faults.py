"""Says in words what is wrong with a site's certificate, and which setting would mend it."""

import asyncio
import base64
import contextlib
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from captchad.domain.ports import show_host
from captchad.domain.target import Origin
from captchad.egress.dialer import Streams

HANDSHAKE_SECONDS = 10.0
AUTHORITIES_SETTING = "security.targets[].certificate_authorities"
PINS_SETTING = "security.targets[].certificate_pins"
CLIENT_SETTING = "security.targets[].client_certificate"

_NAMES_SHOWN = 5
_NAME_CHARACTERS = re.compile(r"[A-Za-z0-9.*:_-]{1,253}")
_OTHER_CHARACTERS = re.compile(r"[^\w .,=@'()&+-]")
_ISSUER_LENGTH = 80

Dial = Callable[[Origin], Awaitable[Streams]]


class CertificateFault(StrEnum):
    """What is wrong with a certificate."""

    AUTHORITY = "authority"
    DATE = "date"
    NAME = "name"
    PIN = "pin"
    CLIENT = "client"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SiteCertificate:
    """What a site's own certificate says; none of it is verified. `pin` is the base64 of its key's SHA-256."""

    names: tuple[str, ...]
    issuer: str
    valid_from: str
    valid_until: str
    is_self_signed: bool
    pin: str


async def shake_hands(dial: Dial, origin: Origin, context: ssl.SSLContext) -> Streams:
    """Connect to an origin by TLS; ssl.SSLError and OSError as they come."""
    reader, writer = await dial(origin)
    try:
        await writer.start_tls(context, server_hostname=origin.host, ssl_handshake_timeout=HANDSHAKE_SECONDS)
    except BaseException:
        writer.transport.abort()
        raise
    return reader, writer


async def fetch_certificate(dial: Dial, origin: Origin) -> bytes | None:
    """Return the certificate that a site shows, in DER and unverified; None where it shows none.

    Nothing but the handshake is sent: it is for a message, or to be compared with a pin.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await shake_hands(dial, origin, context)
    try:
        return read_shown(writer)
    finally:
        writer.transport.abort()


async def look_at_certificate(dial: Dial, origin: Origin) -> SiteCertificate | None:
    """Return what the certificate of a site says; None where that can't be known."""
    with contextlib.suppress(OSError, ValueError, TimeoutError):
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            shown = await fetch_certificate(dial, origin)
            return None if shown is None else read_certificate(shown)
    return None


def read_shown(writer: asyncio.StreamWriter) -> bytes | None:
    """Return the certificate at the other end of a TLS connection, in DER."""
    tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
    return tls.getpeercert(binary_form=True)


def read_certificate(der: bytes) -> SiteCertificate:
    """Read a certificate in DER; ValueError where it is none."""
    found = x509.load_der_x509_certificate(der)
    return SiteCertificate(
        names=tuple(_list_names(found)),
        issuer=_OTHER_CHARACTERS.sub("?", found.issuer.rfc4514_string())[:_ISSUER_LENGTH],
        valid_from=f"{found.not_valid_before_utc:%Y-%m-%d}",
        valid_until=f"{found.not_valid_after_utc:%Y-%m-%d}",
        is_self_signed=found.issuer == found.subject,
        pin=find_pin(found),
    )


def find_pin(certificate: x509.Certificate) -> str:
    """Return the base64 of the SHA-256 of a certificate's key (SubjectPublicKeyInfo)."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(sha256(key).digest()).decode("ascii")


def explain_fault(
    fault: CertificateFault,
    origin: Origin,
    shown: SiteCertificate | None,
    detail: str,
    *,
    has_authorities: bool = False,
) -> str:
    """Return the message for whoever reads the task's error; `detail` is what the program that refused it says."""
    subject = f"the certificate of {origin}"
    if fault is CertificateFault.AUTHORITY:
        return _explain_authority(subject, shown, has_authorities=has_authorities)
    if fault is CertificateFault.DATE:
        dates = "" if shown is None else f": it is for {shown.valid_from} to {shown.valid_until}"
        return f"{subject} has expired, or is not valid yet{dates}"
    if fault is CertificateFault.NAME:
        names = "" if shown is None else f", but for {_show_names(shown)}"
        return f"{subject} is not for {show_host(origin.host)}{names}"
    if fault is CertificateFault.PIN:
        found = "" if shown is None else f" (it is {shown.pin})"
        return f"the key of {subject} is none of {PINS_SETTING}{found}"
    if fault is CertificateFault.CLIENT:
        return f"{origin} asks for a client certificate that it accepts ({detail}): see {CLIENT_SETTING}"
    return f"{subject} is refused: {detail}"


def _explain_authority(subject: str, shown: SiteCertificate | None, *, has_authorities: bool) -> str:
    kind = "of an unknown authority"
    if shown is not None:
        kind = "signed by itself" if shown.is_self_signed else f"of an unknown authority, {shown.issuer}"
    if has_authorities:
        return f"{subject} is {kind}: none of {AUTHORITIES_SETTING} has issued it"
    return f"{subject} is {kind}; name the PEM file of its authority in {AUTHORITIES_SETTING}, if it is to be trusted"


def _list_names(certificate: x509.Certificate) -> list[str]:
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    addresses = [str(address) for address in alternatives.get_values_for_type(x509.IPAddress)]
    names = [*alternatives.get_values_for_type(x509.DNSName), *addresses]
    return [name for name in names if _NAME_CHARACTERS.fullmatch(name)]


def _show_names(shown: SiteCertificate) -> str:
    more = len(shown.names) - _NAMES_SHOWN
    listed = ", ".join(shown.names[:_NAMES_SHOWN]) or "no name at all"
    return f"{listed} and {more} more" if more > 0 else listed
