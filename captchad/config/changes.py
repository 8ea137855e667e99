"""Compares two configurations: what a reload takes over at once, and what needs a restart."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from captchad.config.redaction import flatten, flatten_redacted
from captchad.config.section import Section
from captchad.config.settings import Configuration

SectionType = TypeVar("SectionType", bound=Section)

RELOADABLE = (
    "security.targets",
    "security.rate_limiting",
    "security.callback_hosts",
    "security.callback_private_hosts",
    "security.callback_secret",
    "gateway.rate_limit",
    "gateway.queue_limit",
    "gateway.queue_limit_bytes",
    "gateway.callback_limit",
    "gateway.callback_limit_bytes",
    "worker.minimum_confidence",
    "recognition.models",
    "recognition.collect_labels",
    "logging.level",
)
"""Settings, and sections as a whole, that SIGHUP takes over; every other one needs a restart."""

LOGGER = "captchad.configuration"
"""The logger of what roles say of their configuration, which `captchad up` says by itself, once for all of them."""

VALUE_LENGTH_LIMIT = 60
"""Longer values are not shown in a line of the log."""


@dataclass(frozen=True, slots=True)
class SettingChanges:
    """Dotted paths of the settings that differ, by what it takes to use them."""

    reloadable: tuple[str, ...]
    need_restart: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """What a reload did, in words: what is in force now, and a line for each setting that waits for a restart."""

    taken_over: str
    waiting: tuple[str, ...]


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


def describe_changes(in_force: Configuration, new: Configuration, restarted: str = "this role") -> ReloadReport:
    """Say what of a new configuration replaces what is in force, and what waits until `restarted` is."""
    changes = changed_settings(in_force, new)
    before, after = flatten_redacted(in_force), flatten_redacted(new)

    def word(path: str, short: str, long: str) -> str:
        old, new = _show(before.get(path)), _show(after.get(path))
        # Secrets look alike, and a list of targets fills a page.
        return f"{path} {long if old == new or not new or not old else short.format(old=old, new=new)}"

    taken_over = [word(path, "is now {new}", "has changed") for path in changes.reloadable]
    waiting = [
        word(
            path,
            f"is {{new}} in the configuration, but {{old}} stays in force until {restarted} is restarted",
            f"has changed, but its old value stays in force until {restarted} is restarted",
        )
        for path in changes.need_restart
    ]
    nothing = "nothing that a reload takes over has changed" if waiting else "nothing has changed"
    return ReloadReport(", ".join(taken_over) or nothing, tuple(waiting))


def _show(value: Any) -> str:
    """Return a value for a line; empty where it is too long for one."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_LENGTH_LIMIT else ""


def take_over_reloadable(old: Configuration, new: Configuration) -> Configuration:
    """Return what is in force after a reload: `old`, with the settings of `new` that need no restart."""
    found = old
    for path in RELOADABLE:
        value: Any = new
        for step in path.split("."):
            value = getattr(value, step)
        found = _replace(found, path.split("."), value)
    return found


def _replace(section: SectionType, steps: Sequence[str], value: Any) -> SectionType:
    name, *rest = steps
    return section.model_copy(update={name: _replace(getattr(section, name), rest, value) if rest else value})
