"""Shows a configuration without its secrets, as a tree and as a flat list of settings."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, SecretStr

from captchad.config.json_file import join_path
from captchad.config.settings import Configuration

MASK = "********"


def redact(configuration: Configuration) -> dict[str, Any]:
    """Return the configuration as plain JSON values, every secret replaced by asterisks."""
    tree = configuration.model_dump(mode="python")
    masked = {name: _mask(value) for name, value in tree.items()}
    if configuration.redis.url is not None:
        masked["redis"]["url"] = redact_url(configuration.redis.url.get_secret_value())
    if configuration.selenium.hub_url is not None:
        masked["selenium"]["hub_url"] = redact_url(configuration.selenium.hub_url)
    masked["browser"]["urls"] = [redact_path(url.get_secret_value()) for url in configuration.browser.urls]
    return masked


def redact_path(url: str) -> str:
    """Return a URL with user and path replaced by asterisks too: a browser server's path is its secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{f'/{MASK}' if parts.path.strip('/') else ''}"


def redact_url(url: str) -> str:
    """Return a URL with its password and query replaced by asterisks, so that it can be shown."""
    try:
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
        user = f"{parts.username or ''}:{MASK}@" if parts.password else f"{parts.username}@" if parts.username else ""
    except ValueError:
        return MASK
    return urlunsplit(parts._replace(netloc=f"{user}{place}", query=MASK if parts.query else ""))


def flatten_redacted(configuration: Configuration) -> dict[str, Any]:
    """Return every setting by its dotted path as a plain JSON value, every secret replaced by asterisks."""
    tree = redact(configuration)
    found = {}
    for path in flatten(configuration):
        value: Any = tree
        for step in path.split("."):
            value = value[step]
        found[path] = value
    return found


def flatten(configuration: Configuration) -> dict[str, Any]:
    """Return every setting by its dotted path, with secrets as they are; a list is one setting."""
    return dict(_walk(configuration, ""))


def _walk(section: BaseModel, path: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name in type(section).model_fields:
        value, here = getattr(section, name), join_path(path, name)
        if isinstance(value, BaseModel):
            found += _walk(value, here)
        else:
            found.append((here, value))
    return found


def _mask(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if isinstance(value, dict):
        return {name: _mask(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mask(inner) for inner in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
