"""Compares two configurations: what a reload takes over at once, and what needs a restart."""

from dataclasses import dataclass

from captchad.config.redaction import flatten
from captchad.config.settings import Configuration

RELOADABLE = (
    "security.targets",
    "security.rate_limiting",
    "gateway.rate_limit",
    "gateway.queue_limit",
    "gateway.queue_limit_bytes",
    "worker.minimum_confidence",
    "recognition.models",
    "logging.level",
)
"""Settings, and sections as a whole, that SIGHUP takes over; every other one needs a restart."""


@dataclass(frozen=True, slots=True)
class SettingChanges:
    """Dotted paths of the settings that differ, by what it takes to use them."""

    reloadable: tuple[str, ...]
    need_restart: tuple[str, ...]


def changed_settings(old: Configuration, new: Configuration) -> SettingChanges:
    """Return the settings that differ between two configurations."""
    before, after = flatten(old), flatten(new)
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    return SettingChanges(
        reloadable=tuple(path for path in changed if is_reloadable(path)),
        need_restart=tuple(path for path in changed if not is_reloadable(path)),
    )


def is_reloadable(path: str) -> bool:
    """Whether a running role takes over a changed setting."""
    return any(path == name or path.startswith(f"{name}.") for name in RELOADABLE)
