"""Whose certificates a client believes."""

import os
import ssl
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from captchad.domain.errors import InvalidRequest
from captchad.domain.ports import CA_FILE_VARIABLE


@dataclass(frozen=True, slots=True)
class Trust:
    """The system's authorities, or those of a PEM file; or else one certificate alone, whatever names are in it.

    `digest` is the SHA-256 of that certificate in hex. `is_blind` believes any: on this machine's own loopback, where
    plain HTTP would be spoken otherwise.
    """

    ca_file: str | None = None
    digest: str | None = None
    is_blind: bool = False

    def make_context(self) -> ssl.SSLContext:
        """Return what a connection is opened with; InvalidRequest where the file of authorities can't be used."""
        return _make_context(self)

    def check(self, connection: ssl.SSLSocket | ssl.SSLObject) -> None:
        """Raise an OSError where only one certificate is believed, and another one was shown."""
        shown = connection.getpeercert(binary_form=True) or b""
        if self.digest is not None and sha256(shown).hexdigest() != self.digest:
            raise ssl.SSLCertVerificationError("another certificate was shown than the one that is known")


def find_trust(ca_file: str | None = None) -> Trust:
    """Return whom a client believes: a file's authorities, else those of CAPTCHAD_CA_FILE, else the system's."""
    return Trust(ca_file or os.environ.get(CA_FILE_VARIABLE) or None)


@cache
def _make_context(trust: Trust) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=trust.ca_file)
    except ssl.SSLError:
        raise InvalidRequest(f"{trust.ca_file} has no certificate in PEM form") from None
    except OSError as error:
        raise InvalidRequest(f"{trust.ca_file} can't be read: {error.strerror or error}") from None
    if trust.digest is not None or trust.is_blind:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
