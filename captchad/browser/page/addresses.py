"""Compares addresses of pages."""

from urllib.parse import urlsplit


def is_elsewhere(before: str, after: str) -> bool:
    """Whether two addresses are of different pages, whatever their queries."""
    old, new = urlsplit(before), urlsplit(after)
    return (old.netloc, old.path.rstrip("/")) != (new.netloc, new.path.rstrip("/"))


def strip_query(url: str) -> str:
    """Return an address without its query, fragment and user, which may be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path or '/'}"
