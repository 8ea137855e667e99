"""Builds values from stored JSON, and tells what is damaged from what a newer release has written."""

from collections.abc import Hashable
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import orjson

T = TypeVar("T")


class UnreadableRecord(ValueError):
    """This release can't read what is stored."""


class NewerRecord(UnreadableRecord):
    """A newer release has written it: another process may be able to read it."""


class DamagedRecord(UnreadableRecord):
    """Nobody can read it."""


def parse_object(data: bytes | None) -> dict[str, Any]:
    """Return stored JSON as an object; DamagedRecord where it is none."""
    try:
        members = orjson.loads(data or b"")
    except orjson.JSONDecodeError as error:
        raise DamagedRecord(f"what is stored is not JSON: {error}") from None
    if not isinstance(members, dict):
        raise DamagedRecord("what is stored is not a JSON object")
    return members


def build(kind: type[T], members: dict[str, Any]) -> T:
    """Return a dataclass made of JSON members, each of the type that the dataclass declares.

    NewerRecord for a member or a word that is not known here: a task must not be run without what it asks for.
    """
    types = _types_of(cast("Hashable", kind))
    unknown = members.keys() - types.keys()
    if unknown:
        raise NewerRecord(f"this release does not know {', '.join(sorted(unknown))}")
    try:
        return kind(**{name: _convert(name, value, types[name]) for name, value in members.items()})
    except TypeError as error:
        raise DamagedRecord(f"a member is missing: {error}") from None


@cache
def _types_of(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _convert(name: str, value: Any, wanted: Any) -> Any:
    origin, arguments = get_origin(wanted), get_args(wanted)
    if wanted is Any:
        return value
    if origin in (Union, UnionType):
        [wanted] = [one for one in arguments if one is not NoneType]
        return None if value is None else _convert(name, value, wanted)
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(name, one, arguments[0]) for one in value)
    if origin is dict and isinstance(value, dict):
        return {key: _convert(name, one, arguments[1]) for key, one in value.items()}
    if origin is Literal:
        return _choose(name, value, arguments)
    if origin is None and isinstance(wanted, type):
        return _convert_plain(name, value, wanted)
    raise DamagedRecord(f"{name} is of the wrong type")


def _convert_plain(name: str, value: Any, wanted: type) -> Any:
    if issubclass(wanted, Enum):
        return wanted(_choose(name, value, tuple(one.value for one in wanted)))
    if is_dataclass(wanted) and isinstance(value, dict):
        return build(wanted, value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted is float and is_number:
        return value
    if wanted is int and isinstance(value, bool):
        raise DamagedRecord(f"{name} is of the wrong type")
    if isinstance(value, wanted):
        return value
    raise DamagedRecord(f"{name} is of the wrong type")


def _choose(name: str, value: Any, known: tuple[Any, ...]) -> Any:
    if not isinstance(value, str):
        raise DamagedRecord(f"{name} is of the wrong type")
    if value not in known:
        raise NewerRecord(f"this release does not know the {name} {value!r}")
    return value
