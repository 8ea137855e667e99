"""The proxy's own end of a tunnel, where the proxy judges the site's certificate instead of the browser."""

import os
import ssl
from datetime import UTC, datetime, time, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from captchad.egress.certificate_faults import find_pin
from captchad.egress.target_trust import PROTOCOLS
from captchad.runtime.clock import Clock

_LIFE = timedelta(days=3650)


class TunnelEnd:
    """A key of this process alone, with a certificate for no host; browsers are told to accept it by `key_hash`.

    The key is never written to a disk, and its public half is shown to our own browsers only.
    """

    def __init__(self, clock: Clock) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "captchad's filtering proxy")])
        # From yesterday: the browser's machine may have another clock.
        begin = datetime.combine(clock.today(), time(), UTC) - timedelta(days=1)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begin, begin + _LIFE)
        ).sign(key, SHA256())
        self.key_hash = find_pin(certificate)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.set_alpn_protocols(PROTOCOLS)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(
            Encoding.PEM
        )
        _load(self.context, pem)


def _load(context: ssl.SSLContext, pem: bytes) -> None:
    """Give a context its key by a file in memory: it takes none but files."""
    with os.fdopen(os.memfd_create("captchad"), "wb") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
