"""What `captchad undeploy --purge` would take from a host besides captchad: its configuration and all its data."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from captchad.deployment.backup.folder import FOLDER_NAME as BACKUPS
from captchad.deployment.systemd import layout


@dataclass(frozen=True, slots=True)
class Holding:
    """A folder's files, in number and size; `what` says in words what they are."""

    place: str
    what: str
    files: int
    size_bytes: int


def find_holdings() -> list[Holding]:
    """Return what configuration and data there are, without backups."""
    state, redis = layout.STATE_FOLDERS
    places = (
        (layout.CONFIGURATION_FOLDER, layout.CONFIGURATION_FOLDER, "the configuration, secrets and certificates"),
        (redis, layout.STATE_LINKS[1], "tasks, results, API keys and the audit log"),
        (state, layout.STATE_LINKS[0], "labels, models and whatever else the services have kept"),
    )
    found = (_measure(Path(folder), place, what) for folder, place, what in places)
    return [holding for holding in found if holding.files]


def find_backups() -> Holding | None:
    """Return what is in the folder of backups; None where nothing is."""
    folder = Path(layout.STATE_FOLDERS[0]) / BACKUPS
    found = _measure(folder, f"{layout.STATE_LINKS[0]}/{BACKUPS}", "backups")
    return found if found.files else None


def _measure(folder: Path, place: str, what: str) -> Holding:
    sizes = [file.lstat().st_size for file in _walk(folder)]
    return Holding(place, what, len(sizes), sum(sizes))


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder; backups only where it is theirs."""
    for at, folders, names in os.walk(folder):
        if Path(at) == folder and str(folder) == layout.STATE_FOLDERS[0] and BACKUPS in folders:
            folders.remove(BACKUPS)
        yield from (Path(at, name) for name in names)
