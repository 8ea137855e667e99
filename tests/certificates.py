"""Authorities, and certificates of theirs, made for one test."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from captchad.egress.certificate_faults import find_pin

LIFE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key, and a PEM file with both."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    path: str

    @property
    def pin(self) -> str:
        return find_pin(self.certificate)

    def serve(
        self, clients: "Issued | None" = None, *, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ) -> ssl.SSLContext:
        """Return what a server needs; with `clients` it serves those alone who have a certificate of that authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = newest
        context.load_cert_chain(self.path)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients.path)
        return context


def make_authority(folder: Path, name: str = "Private CA") -> Issued:
    """Return an authority of the plainest kind, as `openssl req -x509` makes one."""
    return _issue(folder, name, None, (), is_authority=True)


def issue(folder: Path, authority: Issued | None, *names: str, ended: bool = False) -> Issued:
    """Return a certificate for host names and addresses; signed by itself without an authority, over if it `ended`."""
    return _issue(folder, names[0], authority, names, ended=ended)


def split(issued: Issued) -> tuple[str, str]:
    """Return two files beside the one with both: the certificate, and the key that its owner alone may read."""
    text = Path(issued.path).read_text()
    begin = text.index("-----BEGIN PRIVATE KEY")
    certificate, key = Path(f"{issued.path}.certificate"), Path(f"{issued.path}.key")
    certificate.write_text(text[:begin])
    key.write_text(text[begin:])
    key.chmod(0o600)
    return str(certificate), str(key)


def _issue(
    folder: Path,
    subject: str,
    authority: Issued | None,
    names: tuple[str, ...],
    *,
    ended: bool = False,
    is_authority: bool = False,
) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    begin = datetime.now(UTC) - (2 * LIFE if ended else timedelta(days=1))
    builder = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own if authority is None else authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + LIFE)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
    certificate = builder.sign(key if authority is None else authority.key, SHA256())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / f"{certificate.serial_number:x}.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + secret)
    path.chmod(0o600)
    return Issued(certificate, key, str(path))


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)
