"""Which systemd credentials a process outside the unit can't see: what is in them the role itself alone can judge."""

from collections.abc import Iterator
from pathlib import Path

from captchad.config.certificates import CREDENTIAL_PREFIX, CertificateFileUnusable, find_certificate_file
from captchad.config.settings import Configuration


def find_unseen_credentials(configuration: Configuration) -> dict[str, str]:
    """Return the settings that name such a credential, each with the name."""
    return {path: name for path, name in _list_files(configuration) if name and not _is_seen(name)}


def _list_files(configuration: Configuration) -> Iterator[tuple[str, str | None]]:
    for role, section in configuration.tls_sections.items():
        yield f"{role}.tls.certificate", section.certificate
        yield f"{role}.tls.key", section.key
    for index, target in enumerate(configuration.security.targets):
        yield f"security.targets[{index}].certificate_authorities", target.certificate_authorities
        yield f"security.targets[{index}].client_certificate", target.client_certificate


def _is_seen(name: str) -> bool:
    if not name.startswith(CREDENTIAL_PREFIX):
        return True
    try:
        return Path(find_certificate_file(name)).exists()
    except CertificateFileUnusable:
        return False
