"""Seals what a page's session holds (cookies, headers, storage) and what is typed: Redis never has it in the clear.

Sealed bytes are: one byte of version, 12 of nonce, then AES-256-GCM's ciphertext. The key is security.session_key
through HKDF, apart for each task and direction, so that bytes of another task or direction are not opened.
"""

import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from captchad.domain.page import Cookie, SessionState

VERSION = b"\x01"
KEY_BYTES = 32
NONCE_BYTES = 12
SALT = b"captchad session v1"


class Direction(StrEnum):
    """Which way a session goes: from the caller to the page, or back."""

    GIVEN = "given"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A session, None where there is none, and the values that are typed."""

    session: SessionState | None
    typed: tuple[str, ...] = field(default=(), repr=False)


class SessionUnreadable(ValueError):
    """The bytes were sealed with another key, for another task, or are damaged."""


class SessionCipher:
    """One key, shared by all gateways and workers."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def seal(
        self, session: SessionState | None, task_id: str, direction: Direction, typed: Sequence[str] = ()
    ) -> bytes:
        """Return a session, or that there is none, as bytes that only the holders of the key can read or change.

        `typed` are the values that come with the task and are typed on the page.
        """
        purpose, nonce = _name_purpose(task_id, direction), os.urandom(NONCE_BYTES)
        # A page may leave halves of surrogate pairs in its storage, which are no Unicode.
        sealed: object = session and asdict(session)
        if typed:
            # Apart, so that a release that knows no typed values still reads the others.
            sealed = {"session": sealed, "typed": list(typed)}
        plain = json.dumps(sealed, ensure_ascii=False, allow_nan=False).encode(errors="replace")
        return VERSION + nonce + self._cipher(purpose).encrypt(nonce, plain, purpose)

    def open(self, sealed: bytes, task_id: str, direction: Direction) -> Unsealed:
        """Return what was sealed for a task; SessionUnreadable where the key is another."""
        purpose = _name_purpose(task_id, direction)
        nonce, rest = sealed[len(VERSION) : len(VERSION) + NONCE_BYTES], sealed[len(VERSION) + NONCE_BYTES :]
        if not sealed.startswith(VERSION):
            raise SessionUnreadable("the session was sealed by another release")
        try:
            plain = self._cipher(purpose).decrypt(nonce, rest, purpose)
        except (InvalidTag, ValueError):
            raise SessionUnreadable(
                "the session can't be decrypted: security.session_key must be the same on all gateways and workers"
            ) from None
        try:
            return _read(json.loads(plain))
        except (KeyError, TypeError, ValueError):
            raise SessionUnreadable("the session was sealed by another release") from None

    def fingerprint(self, typed: Sequence[str], host: str) -> str:
        """Return what tells typed values from others of the same target, and says nothing of them without the key."""
        purpose = f"fingerprint {host}".encode()
        key = HKDF(SHA256(), KEY_BYTES, SALT, purpose).derive(self._key)
        plain = json.dumps(list(typed), ensure_ascii=False).encode(errors="replace")
        return hmac.new(key, plain, sha256).hexdigest()

    def _cipher(self, purpose: bytes) -> AESGCM:
        return AESGCM(HKDF(SHA256(), KEY_BYTES, SALT, purpose).derive(self._key))


def _name_purpose(task_id: str, direction: Direction) -> bytes:
    return f"{direction} {task_id}".encode()


def _read(sealed: dict[str, Any] | None) -> Unsealed:
    if sealed is None or "typed" not in sealed:
        return Unsealed(_read_session(sealed))
    return Unsealed(_read_session(sealed["session"]), tuple(str(value) for value in sealed["typed"]))


def _read_session(fields: dict[str, Any] | None) -> SessionState | None:
    if fields is None:
        return None
    cookies = tuple(Cookie(**cookie) for cookie in fields["cookies"])
    return SessionState(cookies, fields["headers"], fields["local_storage"])
