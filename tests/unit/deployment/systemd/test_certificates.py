"""The certificates of a Redis that listens: kept as long as they fit, and good for who trusts the authority."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from captchad.deployment.systemd import layout
from captchad.deployment.systemd.certificates import LIFE, keep_certificates
from captchad.deployment.systemd.wanted import Certificates, FoundFile

NOW = datetime.now(UTC)
ADDRESS, HOST = "10.0.0.5", "alpha"


def as_files(certificates: Certificates) -> dict[str, FoundFile]:
    texts = {
        layout.OWN_AUTHORITY: certificates.authority,
        layout.OWN_AUTHORITY_KEY: certificates.authority_key,
        layout.REDIS_CERTIFICATE: certificates.certificate,
        layout.REDIS_KEY: certificates.key,
    }
    return {path: FoundFile(text, 0o600) for path, text in texts.items()}


@pytest.fixture(scope="module")
def made() -> Certificates:
    return keep_certificates({}, ADDRESS, HOST, NOW)


def shake_hands(folder: Path, shown: Certificates, trusted: Certificates, name: str) -> None:
    """Have a client and a server meet in memory; ssl.SSLError where the client does not trust it."""
    pair = folder / "pair.pem"
    pair.write_text(shown.certificate + shown.key)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(pair)
    client_context = ssl.create_default_context(cadata=trusted.authority)
    # As Pythons from 3.13 on do by themselves.
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(back, there, server_hostname=name)
    server = server_context.wrap_bio(there, back, server_side=True)
    for _ in range(3):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    client.do_handshake()


@pytest.mark.parametrize("name", [ADDRESS, HOST])
def test_a_client_that_trusts_the_authority_gets_in_by_address_and_name(
    made: Certificates, tmp_path: Path, name: str
) -> None:
    shake_hands(tmp_path, made, made, name)


def test_another_name_and_another_authority_are_not_trusted(made: Certificates, tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(tmp_path, made, made, "beta")
    other = keep_certificates({}, ADDRESS, HOST, NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
        shake_hands(tmp_path, made, other, ADDRESS)


def test_what_fits_is_kept(made: Certificates) -> None:
    assert keep_certificates(as_files(made), ADDRESS, HOST, NOW) == made


def test_another_address_gets_another_certificate_by_the_same_authority(made: Certificates, tmp_path: Path) -> None:
    moved = keep_certificates(as_files(made), "10.0.0.6", HOST, NOW)
    assert (moved.authority, moved.authority_key) == (made.authority, made.authority_key)
    shake_hands(tmp_path, moved, made, "10.0.0.6")


def test_before_they_end_all_are_made_anew(made: Certificates) -> None:
    later = keep_certificates(as_files(made), ADDRESS, HOST, NOW + LIFE - timedelta(days=30))
    assert later.authority != made.authority
    assert later.certificate != made.certificate


def test_a_certificate_without_its_key_is_made_anew(made: Certificates) -> None:
    mended = keep_certificates(as_files(replace(made, key="")), ADDRESS, HOST, NOW)
    assert mended.authority == made.authority
    assert mended.key
