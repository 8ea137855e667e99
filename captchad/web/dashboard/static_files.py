"""The page's own files, read once and kept in memory; nothing else can be asked for."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from captchad.web.middleware.prefix import set_base

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
    """One file as it is served."""

    body: bytes
    content_type: str

    @property
    def etag(self) -> str:
        """What changes with the content."""
        return hashlib.sha256(self.body).hexdigest()[:_DIGEST_LENGTH]

    def with_base(self, prefix: str) -> "StaticFile":
        """Return this page for callers who see it below `prefix`."""
        return StaticFile(set_base(self.body.decode(), prefix).encode(), self.content_type)


def load_static_files(folder: Path = FOLDER) -> dict[str, StaticFile]:
    """Return every file of the page by its name."""
    return {
        path.name: StaticFile(path.read_bytes(), CONTENT_TYPES[path.suffix])
        for path in sorted(folder.iterdir())
        if path.suffix in CONTENT_TYPES and path.is_file()
    }
