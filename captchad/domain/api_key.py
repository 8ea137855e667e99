"""API keys as values: what one may do, and the format of its text."""

import hashlib
import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from captchad.domain.errors import InvalidRequest
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
class KeyLimits:
    """What a key may do at most; None leaves the rate to security.rate_limiting, and the number of tasks free.

    `daily_quota` is in tasks, for each day in UTC.
    """

    requests_per_minute: int | None = None
    burst_size: int | None = None
    daily_quota: int | None = None


NO_LIMITS = KeyLimits()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored key, without its secrets; an empty `targets` means every declared target.

    `last_used_ms` is right to a minute. Until `previous_until_ms` the secret before the present one is valid too.
    """

    key_id: str
    name: str
    scopes: frozenset[Scope]
    targets: tuple[str, ...]
    created_ms: int
    revoked_ms: int | None = None
    expires_ms: int | None = None
    limits: KeyLimits = NO_LIMITS
    last_used_ms: int | None = field(default=None, compare=False)
    previous_until_ms: int | None = None

    def allows(self, scope: Scope) -> bool:
        """Whether the key has `scope`, or one that includes it."""
        return self.revoked_ms is None and not self.scopes.isdisjoint(_GRANTED_BY[scope])

    def has_expired(self, now_ms: int) -> bool:
        """Whether the key's time is over."""
        return self.expires_ms is not None and self.expires_ms <= now_ms

    def may_use(self, target_host: str, host: str) -> bool:
        """Whether the key may use a declared target for what is at `host`; a key without targets may use all."""
        return not self.targets or any(own == target_host or host_matches(own, host) for own in self.targets)


def make_key() -> tuple[str, str, str]:
    """Make a new key; return its id, the text to hand over once, and the digest to store."""
    key_id = secrets.token_hex(_ID_BYTES)
    return key_id, *make_secret(key_id)


def make_secret(key_id: str) -> tuple[str, str]:
    """Make a secret of a key; return the text to hand over once, and the digest to store."""
    secret = secrets.token_hex(_SECRET_BYTES)
    return f"{KEY_PREFIX}_{key_id}_{secret}", digest_secret(secret)


def read_key(text: str | None) -> str | None:
    """Return a key as a caller gives it, without white space around it; InvalidRequest where no header could carry it.

    None where there is none. The message does not have the key in it: it is shown and logged.
    """
    key = (text or "").strip()
    if not (key.isascii() and key.isprintable()):
        raise InvalidRequest("an API key is one line of printable ASCII characters; give it as it was printed")
    return key or None


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
