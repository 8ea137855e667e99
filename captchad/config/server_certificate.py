"""The certificate that a role shows at its own port: loaded ready to serve, or what is wrong with its files."""

import os
import re
import ssl
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from captchad.config.certificates import (
    CertificateFileUnusable,
    describe_unreadable,
    find_certificate_file,
    refuse_special_file,
)
from captchad.config.tls_section import TlsSection

OLDEST_VERSION = ssl.TLSVersion.TLSv1_2
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: forward secrecy and authenticated encryption alone. Those of TLS 1.3 are all of that kind."""
PROTOCOLS = ("http/1.1",)
_EVERYBODY = stat.S_IRWXO
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_MISFITS = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"})
_WEAKNESSES = frozenset({"EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"})


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A certificate with its key, as a TLS server uses them.

    `digest` is the SHA-256 of the certificate in hex; `expires` None where the extra that reads dates is not installed,
    and so no role runs.
    """

    context: ssl.SSLContext
    digest: str
    expires: datetime | None


class ServerCertificateUnusable(Exception):
    """The files don't make a certificate to serve with; `setting` is the one of the section to look at."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


def load_server_certificate(section: TlsSection, now: datetime) -> ServerCertificate:
    """Load a section's files; ServerCertificateUnusable says what is wrong with them."""
    certificate = _find("certificate", section.certificate or "")
    key = certificate if section.key is None else _find("key", section.key)
    text = _read("certificate", certificate, has_key=section.key is None)
    if section.key is not None:
        _read("key", key, has_key=True)
    found = _CERTIFICATE.search(text)
    if found is None:
        raise ServerCertificateUnusable("certificate", f"{certificate} has no certificate in PEM form")
    context = _make_context(certificate, key)
    content = ssl.PEM_cert_to_DER_cert(found.group())
    return ServerCertificate(context, sha256(content).hexdigest(), _check_dates(certificate, content, now))


def list_files(section: TlsSection) -> Iterator[Path]:
    """Return the files of a section that was loaded, each once."""
    for name in dict.fromkeys((section.certificate, section.key)):
        if name is not None:
            yield Path(find_certificate_file(name))


def find_server_certificate_faults(section: TlsSection, now: datetime | None = None) -> Iterator[tuple[str, str]]:
    """Return the setting whose file a role can't serve with and what is wrong, if anything is."""
    if section.certificate is None:
        if section.key is not None:
            yield "certificate", "is required beside the key"
        return
    try:
        # Config lies below the runtime's clock; this default is for the checks before there is one.
        load_server_certificate(section, now or datetime.now(UTC))  # noqa: TID251
    except ServerCertificateUnusable as error:
        yield error.setting, str(error)


def _make_context(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = OLDEST_VERSION
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(PROTOCOLS)
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        # The empty password: OpenSSL would ask for one at the terminal.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        raise _explain(error, certificate, key) from None
    except OSError as error:
        # Only where a file has vanished since it was read.
        raise ServerCertificateUnusable("certificate", describe_unreadable(certificate, error)) from None
    return context


def _explain(error: ssl.SSLError, certificate: str, key: str) -> ServerCertificateUnusable:
    setting = "certificate" if key == certificate else "key"
    if error.reason in _MISFITS:
        return ServerCertificateUnusable(setting, f"{key} is not the key of the first certificate in {certificate}")
    if error.reason in _WEAKNESSES:
        return ServerCertificateUnusable("certificate", f"{certificate} is too weak for OpenSSL: {error.reason}")
    return ServerCertificateUnusable(setting, f"{key} has no key, unencrypted and in PEM form, of {certificate}")


def _find(setting: str, name: str) -> str:
    try:
        path = find_certificate_file(name)
        refuse_special_file(path)
    except CertificateFileUnusable as error:
        raise ServerCertificateUnusable(setting, str(error)) from None
    return path


def _read(setting: str, path: str, *, has_key: bool) -> str:
    """Return what is in a file, which others may not open where there is a key in it."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:  # noqa: PTH123 - an empty path is no folder
            text, mode = file.read(), os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise ServerCertificateUnusable(setting, describe_unreadable(path, error)) from None
    if has_key and mode & _EVERYBODY:
        message = f"{path} holds a key and is open to every user of this machine: chmod o= {path}"
        raise ServerCertificateUnusable(setting, message)
    return text


def _check_dates(path: str, content: bytes, now: datetime) -> datetime | None:
    if find_spec("cryptography") is None:
        return None
    # Only where a port speaks TLS; it takes a while to load.
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415

    certificate = load_der_x509_certificate(content)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now >= end:
        raise ServerCertificateUnusable("certificate", f"{path} has expired on {end:%Y-%m-%d}: renew it")
    if now < begin:
        raise ServerCertificateUnusable("certificate", f"{path} is not valid before {begin:%Y-%m-%d %H:%M} UTC")
    return end
