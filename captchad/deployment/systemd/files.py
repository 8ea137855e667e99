"""The only hands on a host's files: each write is whole or not at all."""

import os
import secrets
import shutil
from pathlib import Path

from captchad.deployment.systemd.wanted import FoundFile
from captchad.domain.errors import DeploymentFailed


def read(path: Path) -> FoundFile | None:
    """Return what is found of a file; None where there is none."""
    try:
        return FoundFile(path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        raise DeploymentFailed(f"{path} can't be read: {_reason(error)}") from error


def write(path: Path, text: str, mode: int) -> None:
    """Write a file of this process's user, by way of another beside it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                os.fchmod(descriptor, mode)
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise DeploymentFailed(f"{path} can't be written: {_reason(error)}") from error


def link(path: Path, target: str) -> None:
    """Have a link lead to `target`, without a moment in which there is none."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.symlink_to(target)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise DeploymentFailed(f"{path} can't be made: {_reason(error)}") from error


def remove(path: Path) -> None:
    """Remove a file, a link or a folder; nothing where there is none. An emptied folder of drop-ins goes along."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        if path.parent.name.endswith(".d") and path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()
    except OSError as error:
        raise DeploymentFailed(f"{path} can't be removed: {_reason(error)}") from error


def remove_all_but(folder: Path, kept: str) -> None:
    """Remove all that is in a folder but one thing; nothing where there is no folder."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name != kept:
            remove(path)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
