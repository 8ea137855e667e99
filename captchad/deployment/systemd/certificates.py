"""The certificates by which captchad-redis listens for other hosts: made once, and again where they no longer fit."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from captchad.deployment.systemd import layout
from captchad.deployment.systemd.wanted import Certificates, FoundFile

LIFE = timedelta(days=3650)
"""Nobody but the hosts of one fleet trusts the authority, so that nothing is won by a short one."""
RENEWED_BEFORE_END = timedelta(days=365)
CLOCK_TOLERANCE = timedelta(days=1)
AUTHORITY_NAME = "captchad"


def keep_certificates(files: Mapping[str, FoundFile], address: str, host: str, now: datetime) -> Certificates:
    """Return the certificates that are there, as far as they fit an address and a host name; others are made anew."""
    paths = (layout.OWN_AUTHORITY, layout.OWN_AUTHORITY_KEY, layout.REDIS_CERTIFICATE, layout.REDIS_KEY)
    authority, authority_key, certificate, key = (_read(files, path) for path in paths)
    if not (authority and authority_key and _lasts(authority, now)):
        authority, authority_key = _make_authority(now)
        certificate = key = ""
    names = _names(address, host)
    if not (certificate and key and _lasts(certificate, now) and _names_of(certificate) == names):
        certificate, key = _issue(authority, authority_key, names, now)
    return Certificates(authority, authority_key, certificate, key)


def _read(files: Mapping[str, FoundFile], path: str) -> str:
    return (files[path].text or "") if path in files else ""


def _make_authority(now: datetime) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, AUTHORITY_NAME)])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = _begin(name, name, key.public_key(), now).add_extension(x509.BasicConstraints(True, 0), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return _write(builder.add_extension(usage, critical=True).sign(key, SHA256()), key)


def _issue(
    authority_text: str, authority_key_text: str, names: x509.SubjectAlternativeName, now: datetime
) -> tuple[str, str]:
    authority = x509.load_pem_x509_certificate(authority_text.encode())
    authority_key = cast("ec.EllipticCurvePrivateKey", load_pem_private_key(authority_key_text.encode(), None))
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "captchad-redis")])
    builder = _begin(subject, authority.subject, key.public_key(), now)
    builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
    builder = builder.add_extension(names, critical=False)
    # Pythons from 3.13 on ask for it.
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return _write(builder.add_extension(issuer, critical=False).sign(authority_key, SHA256()), key)


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_TOLERANCE)
        .not_valid_after(now + LIFE)
    )


def _write(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> tuple[str, str]:
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM).decode(), secret.decode()


def _names(address: str, host: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.IPAddress(ip_address(address)), x509.DNSName(host)])


def _names_of(certificate: str) -> x509.SubjectAlternativeName:
    extensions = x509.load_pem_x509_certificate(certificate.encode()).extensions
    return extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def _lasts(certificate: str, now: datetime) -> bool:
    return x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc > now + RENEWED_BEFORE_END
