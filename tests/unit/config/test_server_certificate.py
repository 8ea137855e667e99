"""What a role says of the certificate at its own port before it starts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from captchad.config.server_certificate import (
    ServerCertificateUnusable,
    find_server_certificate_faults,
    load_server_certificate,
)
from captchad.config.settings import Configuration
from captchad.config.start_rules import find_refusals
from captchad.config.tls_section import TlsSection
from captchad.domain.node import Role
from tests.certificates import LIFE, Issued, issue, split

NOW = datetime.now(UTC)


@pytest.fixture
def issued(tmp_path: Path) -> Issued:
    return issue(tmp_path, None, "localhost")


def faults(**files: str) -> list[tuple[str, str]]:
    return list(find_server_certificate_faults(TlsSection(**files)))


def test_a_pair_and_one_file_with_both_are_fit_to_serve(issued: Issued) -> None:
    certificate, key = split(issued)
    loaded = load_server_certificate(TlsSection(certificate=certificate, key=key), NOW)
    assert loaded.expires == issued.certificate.not_valid_after_utc
    assert faults(certificate=issued.path) == []
    assert faults() == []


def test_each_fault_is_told_with_the_setting_and_what_to_do(tmp_path: Path, issued: Issued) -> None:
    certificate, key = split(issued)
    other = split(issue(tmp_path, None, "localhost"))[1]
    words, missing = tmp_path / "words.pem", str(tmp_path / "missing.pem")
    words.write_text("no certificate")
    words.chmod(0o600)
    unreadable = f"{missing} can't be read: no such file or directory"
    assert faults(key=key) == [("certificate", "is required beside the key")]
    assert faults(certificate=missing, key=key) == [("certificate", unreadable)]
    assert faults(certificate=certificate, key=missing) == [("key", unreadable)]
    assert faults(certificate=str(words), key=key) == [("certificate", f"{words} has no certificate in PEM form")]
    no_key = f"{words} has no key, unencrypted and in PEM form, of {certificate}"
    assert faults(certificate=certificate, key=str(words)) == [("key", no_key)]
    locked = tmp_path / "locked.key"
    locked.write_bytes(issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    locked.chmod(0o600)
    no_password = f"{locked} has no key, unencrypted and in PEM form, of {certificate}"
    assert faults(certificate=certificate, key=str(locked)) == [("key", no_password)]
    misfit = f"{other} is not the key of the first certificate in {certificate}"
    assert faults(certificate=certificate, key=other) == [("key", misfit)]
    Path(key).chmod(0o644)
    open_to_all = f"{key} holds a key and is open to every user of this machine: chmod o= {key}"
    assert faults(certificate=certificate, key=key) == [("key", open_to_all)]


@pytest.mark.parametrize(("days", "words"), [(LIFE + timedelta(days=1), "has expired on"), (-LIFE, "is not valid bef")])
def test_a_certificate_serves_only_while_it_is_valid(issued: Issued, days: timedelta, words: str) -> None:
    with pytest.raises(ServerCertificateUnusable, match=words):
        load_server_certificate(TlsSection(certificate=issued.path), NOW + days)


def test_a_credential_of_the_unit_is_a_file_too(issued: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(issued.path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(path.parent))
    assert faults(certificate=f"@credential:{path.name}") == []
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    [(setting, message)] = faults(certificate=f"@credential:{path.name}")
    assert (setting, "LoadCredential=" in message) == ("certificate", True)


def test_only_the_role_whose_port_it_is_refuses_to_start() -> None:
    wrong = {"tls": {"certificate": "/missing"}}
    configuration = Configuration.model_validate({"gateway": wrong, "monitor": wrong})
    found = {role: [problem.path for problem in find_refusals(configuration, role)] for role in Role}
    assert {role: paths for role, paths in found.items() if paths} == {
        Role.GATEWAY: ["gateway.tls.certificate"],
        Role.MONITOR: ["monitor.tls.certificate"],
    }
