"""Puts the files of a backup back into the state folder and beside the configuration."""

import os
from contextlib import suppress
from pathlib import Path

from captchad.deployment.backup.file_names import CONFIGURATION, KEPT_FOLDERS, SECRETS_BESIDE, STATE, split_name
from captchad.deployment.backup.host_files import Chunk, read_configuration
from captchad.deployment.backup.real_files import (
    NoRealFile,
    appended_file,
    is_there,
    opened_file,
    opened_folder,
    refuse_link,
)
from captchad.domain.errors import BackupRefused

_UNFINISHED = ".unfinished-"
_LONGEST_NAME = 255


class FileRestorer:
    """Writes a backup's files, the configuration to `configuration`; no link is followed, and one in the way refused.

    A label or model that is there already stays, unless it `replaces`; a configuration or a key that is in use always
    stays, and another one is laid beside it.
    """

    def __init__(self, state_directory: Path, configuration: Path, replaces: bool) -> None:
        self._state_directory = state_directory
        self._configuration = configuration
        self._replaces = replaces
        self._goal = ""
        self.written = 0
        self.kept = 0
        self.beside: list[Path] = []

    def check(self, name: str) -> None:
        """Raise BackupRefused where a file of that name can't be put here, before anything is."""
        root, parts = self._find_place(name)
        if name.startswith(f"{CONFIGURATION}/"):
            return
        try:
            with suppress(FileNotFoundError), opened_folder(root, parts[:-1]) as folder:
                is_there(folder, parts[-1])
        except NoRealFile:
            raise refuse_link(root.joinpath(*parts)) from None

    def put(self, chunk: Chunk) -> None:
        """Take the next piece; those of a file come one after the other."""
        is_first = chunk.name != self._goal or chunk.offset == 0
        if is_first:
            self.finish()
        root, parts = self._find_place(chunk.name)
        draft = _name_draft(parts[-1])
        try:
            with opened_folder(root, parts[:-1], creates=True) as folder:
                if is_first:
                    self._goal = chunk.name
                    with suppress(FileNotFoundError):
                        os.unlink(draft, dir_fd=folder)
                with appended_file(folder, draft) as stream:
                    if stream.tell() != chunk.offset:
                        raise BackupRefused(f"the backup lacks a piece of {chunk.name}")
                    stream.write(chunk.content)
        except NoRealFile:
            raise refuse_link(root.joinpath(*parts)) from None

    def finish(self) -> None:
        """Put the last file in its place."""
        goal, self._goal = self._goal, ""
        if not goal:
            return
        root, parts = self._find_place(goal)
        try:
            with opened_folder(root, parts[:-1]) as folder:
                self._settle(folder, goal, root.joinpath(*parts))
        except NoRealFile:
            raise refuse_link(root.joinpath(*parts)) from None

    def _settle(self, folder: int, goal: str, path: Path) -> None:
        draft, name = _name_draft(path.name), path.name
        with opened_file(folder, draft) as stream:
            os.fsync(stream.fileno())
            content = stream.read()
        is_state = goal.startswith(f"{STATE}/")
        is_kept_folder = is_state and goal.split("/")[1] in KEPT_FOLDERS
        if not (is_there(folder, name) if is_state else path.exists()):
            os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
            self.written += 1
        elif content in (_read(folder, name) if is_state else self._list_contents(path)):
            os.unlink(draft, dir_fd=folder)
            self.kept += 1
        elif self._replaces and is_kept_folder:
            os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
            self.written += 1
        elif is_kept_folder:
            os.unlink(draft, dir_fd=folder)
            self.kept += 1
        else:
            # A key or a configuration in use is never overwritten.
            beside = f"{name}.restored"
            os.replace(draft, beside, src_dir_fd=folder, dst_dir_fd=folder)
            self.beside.append(path.with_name(beside))

    def _list_contents(self, path: Path) -> tuple[bytes, ...]:
        """Return what a file is in a backup: as it is, and a configuration also without its secrets."""
        whole = path.read_bytes()
        return (whole, read_configuration(path)[0]) if path == self._configuration else (whole,)

    def _find_place(self, name: str) -> tuple[Path, tuple[str, ...]]:
        place, parts = split_name(name)
        if place == STATE:
            return self._state_directory, parts
        beside = parts if "/".join(parts) in SECRETS_BESIDE else (self._configuration.name,)
        return self._configuration.parent, beside


def _name_draft(name: str) -> str:
    return f"{_UNFINISHED}{os.getpid()}-{name}"[:_LONGEST_NAME]


def _read(folder: int, name: str) -> tuple[bytes, ...]:
    with opened_file(folder, name) as stream:
        return (stream.read(),)
