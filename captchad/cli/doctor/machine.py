"""Python, shared memory, fonts, disk, open files: what the machine offers to every role."""

import os
import platform
import resource
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from captchad.cli.doctor.finding import Finding, bad, doubtful, good
from captchad.cli.doctor.mends import install, make_private

MEBIBYTE = 1_048_576
OLDEST_PYTHON = (3, 11)
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - looked at, never written
SHARED_MEMORY_WANTED_BYTES = 256 * MEBIBYTE
FONT_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.fonts"),
    Path("~/.local/share/fonts"),
)
FONT_ENDINGS = frozenset({".ttf", ".otf", ".ttc", ".pfb", ".woff2"})
DISK_WANTED_BYTES = 1024 * MEBIBYTE
DISK_NEEDED_BYTES = 200 * MEBIBYTE
STATE_NAME = "captchad"
OTHERS = stat.S_IRWXG | stat.S_IRWXO
OPEN_FILES_WANTED = 1024
OPEN_FILES_NEEDED = 256


def check_python() -> Finding:
    """Check the interpreter's version."""
    version = platform.python_version()
    if sys.version_info[:2] < OLDEST_PYTHON:
        return bad("python", version, "install Python 3.11 or newer")
    return good("python", version)


def check_shared_memory(folder: Path = SHARED_MEMORY) -> Finding:
    """Check the shared memory that Chromium draws in; containers often have 64 MiB of it."""
    try:
        total_bytes = shutil.disk_usage(folder).total
    except OSError:
        return doubtful("shared memory", f"{folder} is not there", f"mount a tmpfs at {folder}")
    found = f"{total_bytes // MEBIBYTE} MiB at {folder}"
    if total_bytes < SHARED_MEMORY_WANTED_BYTES:
        wanted = SHARED_MEMORY_WANTED_BYTES // MEBIBYTE
        return doubtful(
            "shared memory", found, f"make it {wanted} MiB or more, in a container with --shm-size={wanted}m"
        )
    return good("shared memory", found)


def check_fonts(folders: tuple[Path, ...] = FONT_FOLDERS) -> Finding:
    """Check that pages can be drawn with letters."""
    count = sum(1 for folder in folders for _ in _find_fonts(folder.expanduser()))
    if count == 0:
        packages = ("fonts-liberation", "fonts-noto-cjk")
        return doubtful("fonts", "none installed", f"apt-get install {' '.join(packages)}", install(*packages))
    return good("fonts", f"{count} font file(s)")


def check_state_directory(folder: Path) -> Finding:
    """Check that what outlives a process can be written, and that there is room for it."""
    existing = next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))
    if not os.access(existing, os.W_OK | os.X_OK):
        mend = make_private(folder) if _is_private_to_us(folder) else None
        fix = f"chmod 700 {folder}" if mend else "set CAPTCHAD_STATE_DIRECTORY to a folder of yours"
        return bad("state folder", f"{existing} is not writable", fix, mend)
    if _is_private_to_us(folder) and folder.stat().st_mode & OTHERS:
        found = f"{folder} can be entered by other users"
        return doubtful("state folder", found, f"chmod 700 {folder}", make_private(folder))
    free_bytes = shutil.disk_usage(existing).free
    found = f"{folder}, {free_bytes // MEBIBYTE} MiB free"
    if free_bytes < DISK_NEEDED_BYTES:
        return bad("state folder", found, "make room, or set CAPTCHAD_STATE_DIRECTORY to a folder on another disk")
    if free_bytes < DISK_WANTED_BYTES:
        return doubtful("state folder", found, f"make room: {DISK_WANTED_BYTES // MEBIBYTE} MiB should be free")
    return good("state folder", found)


def _is_private_to_us(folder: Path) -> bool:
    """Whether a folder is there, ours and captchad's alone: one of another name may have other uses."""
    return folder.name == STATE_NAME and folder.is_dir() and folder.stat().st_uid == os.geteuid()


def check_open_files(limit: int | None = None) -> Finding:
    """Check how many files and connections a process may hold open."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if limit is None else limit
    if allowed == resource.RLIM_INFINITY or allowed >= OPEN_FILES_WANTED:
        return good("open files", "unlimited" if allowed == resource.RLIM_INFINITY else f"{allowed} a process")
    fix = "raise it: ulimit -n 65536, or LimitNOFILE= in the unit"
    check = bad if allowed < OPEN_FILES_NEEDED else doubtful
    return check("open files", f"{allowed} a process", fix)


def _find_fonts(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix.lower() in FONT_ENDINGS)
