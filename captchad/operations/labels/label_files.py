"""The files of the label store: one for each label, a line of JSON that describes it and then its picture's bytes."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import orjson

from captchad.domain.errors import LabelUnreadable
from captchad.domain.label import Label, LabelOrigin, Verdict
from captchad.runtime.durable_files import FILE_MODE, FOLDER_MODE, write_whole

SUFFIX = ".label"
VERSION = 1
HEAD_LIMIT_BYTES = 16 * 1024
NAME_LIMIT_BYTES = 255

_LOCK_NAME = ".lock"
_FIELDS = tuple(one.name for one in fields(Label))


@dataclass(frozen=True, slots=True)
class StoredLabel(Label):
    """A label in the store; its picture is read when it is asked for, and FileNotFoundError if it is gone by then."""

    path: Path

    @property
    def picture(self) -> bytes:
        """The picture as it was recognised."""
        with self.path.open("rb") as stream:
            stream.readline(HEAD_LIMIT_BYTES)
            return stream.read()


def name_folder(host: str) -> str:
    """Return the name of a target's folder; nothing in it leads elsewhere, whatever the host is."""
    name = quote(host, safe="")
    # Dots need no escape, but a name of dots alone, or one that begins with a dot, is not what it seems.
    return _check_length("%2E" + name[1:] if name.startswith(".") else name)


def read_host(folder_name: str) -> str:
    """Return the target whose folder has this name."""
    return unquote(folder_name)


def name_file(label_id: str) -> str:
    """Return the name of a label's file."""
    return _check_length(quote(label_id, safe="").replace(".", "%2E") + SUFFIX)


def _check_length(name: str) -> str:
    if len(name) > NAME_LIMIT_BYTES or name in ("", SUFFIX):
        raise ValueError(f"no file can have the name {name[:NAME_LIMIT_BYTES]!r}")
    return name


def write_label(folder: Path, label: Label, picture: bytes) -> int:
    """Write a label into its target's folder, in place of one with the same id; return its size in bytes.

    It is there, or replaced, in one step, and outlives a power failure.
    """
    head = orjson.dumps({"version": VERSION, **{name: getattr(label, name) for name in _FIELDS}})
    content = head + b"\n" + picture
    write_whole(folder / name_file(label.label_id), content)
    return len(content)


def read_label(path: Path) -> StoredLabel:
    """Read what describes a label; LabelUnreadable where the file is none, FileNotFoundError where it is gone."""
    with path.open("rb") as stream:
        head = stream.readline(HEAD_LIMIT_BYTES)
    try:
        return _build(path, orjson.loads(head))
    except (orjson.JSONDecodeError, TypeError, ValueError) as error:
        raise LabelUnreadable(f"{path} is not a label: {error}") from None


def _build(path: Path, members: Any) -> StoredLabel:
    if not isinstance(members, dict) or members.pop("version", None) != VERSION or members.keys() != set(_FIELDS):
        raise ValueError("its first line is not one that this release writes")
    texts = [value for name, value in members.items() if name != "task_id" or value is not None]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("one of its members is not text")
    members["verdict"], members["origin"] = Verdict(members["verdict"]), LabelOrigin(members["origin"])
    return StoredLabel(**members, path=path)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from changing the store meanwhile; the lock ends with the process that has it."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    descriptor = os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
