"""Seals the secrets of a backup under a passphrase: scrypt, then AES-256-GCM."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from captchad.domain.errors import BackupRefused

SALT_BYTES = 16
NONCE_BYTES = 12
KEY_BYTES = 32
COST = 2**15
"""Takes 32 MiB and about a tenth of a second for each guess."""
BLOCK_SIZE = 8


class Sealer:
    """One passphrase and salt; each file's name is sealed with it, so that none can be put in place of another."""

    def __init__(self, passphrase: str, salt: bytes | None = None) -> None:
        self.salt = salt or os.urandom(SALT_BYTES)
        scrypt = Scrypt(salt=self.salt, length=KEY_BYTES, n=COST, r=BLOCK_SIZE, p=1)
        self._cipher = AESGCM(scrypt.derive(passphrase.encode()))

    def seal(self, name: str, plain: bytes) -> bytes:
        """Return a file's content as bytes that only who knows the passphrase can read."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes:
        """Return what was sealed; BackupRefused where the passphrase is another."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError):
            raise BackupRefused("the passphrase is not the one that the backup's secrets were sealed with") from None
