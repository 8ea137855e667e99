"""The page's own files, read once and kept in memory; nothing else can be asked for."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
CONTENT_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is served; `etag` changes with its content."""

    body: bytes
    content_type: str
    etag: str


def load_static_files(folder: Path = FOLDER) -> dict[str, StaticFile]:
    """Return every file of the page by its name."""
    return {
        path.name: _load(path) for path in sorted(folder.iterdir()) if path.suffix in CONTENT_TYPES and path.is_file()
    }


def _load(path: Path) -> StaticFile:
    body = path.read_bytes()
    return StaticFile(body, CONTENT_TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:_DIGEST_LENGTH])
