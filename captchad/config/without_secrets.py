"""Takes the secrets out of a configuration file's JSON, so that it can be kept where others may read it."""

from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, SecretStr

from captchad.config.json_file import join_path
from captchad.config.settings import Configuration


def leave_out_secrets(tree: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the tree without its secrets, and the dotted paths of what was left out; of a URL only its password is."""
    left_out: list[str] = []
    return _bare(Configuration, tree, "", left_out), tuple(left_out)


def _bare(section: type[BaseModel], tree: Mapping[str, Any], path: str, left_out: list[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in tree.items():
        here = join_path(path, name)
        field = section.model_fields.get(name)
        inner = [] if field is None else list(_list_types(field.annotation))
        sections = [one for one in inner if issubclass(one, BaseModel)]
        if SecretStr in inner or _has_login(value):
            bare = _without_login(value)
            if bare != value:
                left_out.append(here)
            if bare is not None:
                kept[name] = bare
        elif sections and isinstance(value, Mapping):
            kept[name] = _bare(sections[0], value, here, left_out)
        elif sections and isinstance(value, list):
            kept[name] = [
                _bare(sections[0], one, join_path(here, index), left_out) if isinstance(one, Mapping) else one
                for index, one in enumerate(value)
            ]
        else:
            kept[name] = value
    return kept


def _list_types(annotation: Any) -> list[type]:
    """Return the classes in an annotation, however deep."""
    inner = [one for argument in get_args(annotation) for one in _list_types(argument)]
    return [annotation, *inner] if isinstance(annotation, type) and not get_args(annotation) else inner


def _has_login(value: Any) -> bool:
    return isinstance(value, str) and "://" in value and "@" in value


def _without_login(value: Any) -> str | None:
    """Return a URL of Redis or of a hub without its password; None for what is a secret as a whole."""
    if not isinstance(value, str) or not value.startswith(("redis://", "rediss://", "unix://", "http://", "https://")):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    place = parts.netloc.rpartition("@")[2]
    user = f"{parts.username}@" if parts.username else ""
    return urlunsplit(parts._replace(netloc=f"{user}{place}"))
