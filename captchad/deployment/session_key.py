"""The session key of `captchad up`: created once in the state folder, readable only by its owner."""

import contextlib
import os
import secrets
from pathlib import Path

from captchad.config.settings import SESSION_KEY_LENGTH
from captchad.domain.errors import ConfigurationError, ConfigurationProblem

SETTING = "security.session_key"
VARIABLE = "CAPTCHAD_SECURITY__SESSION_KEY"
FILE = "session.key"
KEY_BYTES = 32
OWNER_ALONE = 0o600


def keep_session_key(state_directory: Path) -> str:
    """Return the key of a state folder, created at the first call; ConfigurationError where that fails."""
    path = state_directory / FILE
    try:
        state_directory.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it holds no text"
        raise _refuse(f"the session key {path} can't be kept: {reason}") from error
    if len(key) < SESSION_KEY_LENGTH:
        raise _refuse(f"{path} holds no key of at least {SESSION_KEY_LENGTH} characters; remove it to get a new one")
    return key


def _make(path: Path) -> None:
    """Write a new key atomically; where two processes create one at the same time, the first one's stays."""
    draft = path.with_name(f"{FILE}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ALONE)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(KEY_BYTES) + "\n")
        with contextlib.suppress(FileExistsError):
            # A link, unlike a rename, does not replace a key that another process has just written.
            path.hardlink_to(draft)
    finally:
        draft.unlink()


def _refuse(message: str) -> ConfigurationError:
    return ConfigurationError((ConfigurationProblem(SETTING, message),))
