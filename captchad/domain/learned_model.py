"""Which learned model reads a target: the present one, and the one it can be rolled back to."""

import hashlib
from dataclasses import dataclass

PACKAGED = ""
"""In place of a digest: the model that comes with captchad."""
MODEL_LIMIT_BYTES = 33_554_432
"""Of a learned model's file; today's have a third of it."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A target's models, by the SHA-256 of their files in hex.

    `former` is None where there is nothing to go back to, `installed_at` when the present one was installed (UTC).
    """

    present: str
    former: str | None
    installed_at: str


def find_digest(file: bytes) -> str:
    """Return the name of a model: its file's SHA-256 in hex."""
    return hashlib.sha256(file).hexdigest()
