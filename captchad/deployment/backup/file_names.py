"""The names that files have in a backup, and which of them have a place on a host."""

from pathlib import PurePosixPath

from captchad.config.secrets_file import NAME as SECRETS_NAME
from captchad.deployment.session_key import FILE as SESSION_KEY
from captchad.domain.errors import BackupRefused

STATE, CONFIGURATION = "state", "configuration"
KEPT_FOLDERS = ("labels", "models", "learning")
"""Below the state folder. Not kept are Redis's own data, logs, backups, and locks."""
SECRET_FILES = (SESSION_KEY, "browser-node.secret")
SECRETS_BESIDE = (
    *(SECRETS_NAME, "captchad.env", "join.json", "ca.crt"),
    *(f"tls/{name}" for name in ("ca.crt", "ca.key", "redis.crt", "redis.key")),
)
"""Below the configuration's folder: what is laid over it, the units' environment, and what hosts join each other by."""


def split_name(name: str) -> tuple[str, tuple[str, ...]]:
    """Return STATE or CONFIGURATION and the path below it; BackupRefused where such a file has no place on a host."""
    place, _, rest = name.partition("/")
    parts = PurePosixPath(rest).parts
    is_plain = bool(parts) and ".." not in parts and "\0" not in rest and not rest.startswith("/")
    is_kept = is_plain and parts[0] in KEPT_FOLDERS and len(parts) > 1
    is_ours = is_kept or rest in SECRET_FILES if place == STATE else place == CONFIGURATION
    if not is_plain or not is_ours:
        raise BackupRefused(f"the backup holds a file that has no place here: {name!r}")
    return place, parts
