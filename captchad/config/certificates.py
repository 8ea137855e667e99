"""Finds the PEM files that settings name, and says what is wrong with one of a target's."""

import base64
import binascii
import os
import ssl
import stat
from collections.abc import Iterator
from hashlib import sha256

from captchad.domain.target import Target

CREDENTIAL_PREFIX = "@credential:"
CREDENTIALS_DIRECTORY = "CREDENTIALS_DIRECTORY"


class CertificateFileUnusable(Exception):
    """A file with certificates can't be read, or has none."""


def load_authorities(context: ssl.SSLContext, name: str) -> None:
    """Make the certificates of a PEM file the context's authorities; CertificateFileUnusable where there are none."""
    path = find_certificate_file(name)
    refuse_special_file(path)
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise CertificateFileUnusable(f"{path} has no certificate in PEM form") from None
    except OSError as error:
        raise CertificateFileUnusable(describe_unreadable(path, error)) from None


def load_client_certificate(context: ssl.SSLContext, name: str) -> None:
    """Have the context show the certificate of a PEM file, with the key in it; CertificateFileUnusable without both."""
    path = find_certificate_file(name)
    refuse_special_file(path)
    try:
        # The empty password: OpenSSL would ask for one at the terminal.
        context.load_cert_chain(path, password="")
    except ssl.SSLError:
        message = f"{path} is not a certificate with its key, unencrypted and in PEM form"
        raise CertificateFileUnusable(message) from None
    except OSError as error:
        raise CertificateFileUnusable(describe_unreadable(path, error)) from None


def find_certificate_file(name: str) -> str:
    """Return the path that a setting means: a path, or `@credential:NAME` for a systemd credential of the unit."""
    if not name.startswith(CREDENTIAL_PREFIX):
        return name
    folder = os.environ.get(CREDENTIALS_DIRECTORY)
    if not folder:
        message = f"{name} is a systemd credential, and this process has none (LoadCredential= in its unit)"
        raise CertificateFileUnusable(message)
    return os.path.join(folder, name.removeprefix(CREDENTIAL_PREFIX))  # noqa: PTH118 - a path as the others are


def find_certificate_faults(target: Target) -> Iterator[tuple[str, str]]:
    """Return the settings of a target whose files this process can't use, each with what is wrong."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    loads = (
        ("certificate_authorities", target.certificate_authorities, load_authorities),
        ("client_certificate", target.client_certificate, load_client_certificate),
    )
    for setting, name, load in loads:
        if name is not None:
            try:
                load(context, name)
            except CertificateFileUnusable as error:
                yield setting, str(error)


def is_pin(text: str) -> bool:
    """Whether a text is the base64 of a SHA-256."""
    try:
        return len(base64.b64decode(text, validate=True)) == sha256().digest_size
    except (binascii.Error, ValueError):
        return False


def refuse_special_file(path: str) -> None:
    """Raise CertificateFileUnusable for a pipe or a device: whoever opens one may wait for ever."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - an empty path is no folder
    except OSError as error:
        raise CertificateFileUnusable(describe_unreadable(path, error)) from None
    if not stat.S_ISREG(mode):
        raise CertificateFileUnusable(f"{path} is no regular file: name a file in PEM form")


def describe_unreadable(path: str, error: OSError) -> str:
    """Say why a file can't be read."""
    return f"{path or 'an empty path'} can't be read: {(error.strerror or str(error)).lower()}"
