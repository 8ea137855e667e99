"""API keys as values: what one may do, and the format of its text."""

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

from captchad.domain.target import host_matches

KEY_PREFIX = "ck"
_ID_BYTES = 6
_SECRET_BYTES = 32
_PART_COUNT = 3


class Scope(StrEnum):
    """What a key may do. `read` is for the key's own tasks, `read_all` for everybody's; admin includes the others."""

    SUBMIT = "submit"
    READ = "read"
    READ_ALL = "read_all"
    ADMIN = "admin"


_GRANTED_BY = {
    Scope.SUBMIT: frozenset({Scope.SUBMIT, Scope.ADMIN}),
    Scope.READ: frozenset({Scope.READ, Scope.READ_ALL, Scope.ADMIN}),
    Scope.READ_ALL: frozenset({Scope.READ_ALL, Scope.ADMIN}),
    Scope.ADMIN: frozenset({Scope.ADMIN}),
}
"""Each scope to those that include it."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored key, without its secret; an empty `targets` means every declared target."""

    key_id: str
    name: str
    scopes: frozenset[Scope]
    targets: tuple[str, ...]
    created_ms: int
    revoked_ms: int | None = None

    def allows(self, scope: Scope) -> bool:
        """Whether the key has `scope`, or one that includes it."""
        return self.revoked_ms is None and not self.scopes.isdisjoint(_GRANTED_BY[scope])

    def may_use(self, target_host: str, host: str) -> bool:
        """Whether the key may use a declared target for what is at `host`; a key without targets may use all."""
        return not self.targets or any(own == target_host or host_matches(own, host) for own in self.targets)


def make_key() -> tuple[str, str, str]:
    """Make a new key; return its id, the text to hand over once, and the digest to store."""
    key_id, secret = secrets.token_hex(_ID_BYTES), secrets.token_hex(_SECRET_BYTES)
    return key_id, f"{KEY_PREFIX}_{key_id}_{secret}", digest_secret(secret)


def split_key(text: str) -> tuple[str, str] | None:
    """Return id and secret of a key's text, or None where it isn't one."""
    parts = text.split("_")
    if len(parts) != _PART_COUNT or parts[0] != KEY_PREFIX or not all(part.isalnum() for part in parts[1:]):
        return None
    return parts[1], parts[2]


def digest_secret(secret: str) -> str:
    """Return the SHA-256 (hex) under which a secret is stored."""
    # A fast digest is enough: 32 random bytes can't be guessed, unlike a password.
    return hashlib.sha256(secret.encode()).hexdigest()
