"""An authority made for one run of the site, and the certificate that it gives to the site."""

import ssl
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from captchad.domain.ports import LOOPBACK_HOST

LIFE = timedelta(days=30)
AUTHORITY_NAME = "captchad sample site's own authority"


@dataclass(frozen=True, slots=True)
class OwnTls:
    """What a server needs to serve by TLS, and the authority's certificate (PEM) that its visitors have to trust."""

    context: ssl.SSLContext
    authority_pem: bytes


def make_own_tls(host: str, today: date) -> OwnTls:
    """Return TLS for a host, by a new authority."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _sign(AUTHORITY_NAME, authority_key.public_key(), AUTHORITY_NAME, authority_key, today, ())
    names = (x509.DNSName(host), x509.IPAddress(ip_address(LOOPBACK_HOST)))
    certificate = _sign(host, key.public_key(), AUTHORITY_NAME, authority_key, today, names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Python reads certificates from files alone.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "site.pem"
        path.touch(0o600)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(certificate.public_bytes(Encoding.PEM) + secret)
        context.load_cert_chain(path)
    return OwnTls(context, authority.public_bytes(Encoding.PEM))


def _sign(
    subject: str,
    public_key: ec.EllipticCurvePublicKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    today: date,
    names: tuple[x509.GeneralName, ...],
) -> x509.Certificate:
    """Return a certificate; one without names is an authority's."""
    begin = datetime.combine(today, time(), UTC) - timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + LIFE)
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
