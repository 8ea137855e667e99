"""Which field of a body is meant by a name that it does not have."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

NOT_KNOWN = "is not a known field"
NAME_LENGTH_LIMIT = 40
"""A longer name is compared with nothing: that would take the longer, the longer it is."""


def describe_unknown(model: type[BaseModel], location: Sequence[str | int]) -> str:
    """Say that the last name of a place in a body is not known, and which one there is most like it."""
    wrong = str(location[-1])
    names = _list_fields(model, location[:-1]) if len(wrong) <= NAME_LENGTH_LIMIT else []
    nearest = get_close_matches(wrong, names, n=1)
    return f"{NOT_KNOWN}; did you mean {nearest[0]}?" if nearest else NOT_KNOWN


def _list_fields(model: type[BaseModel], steps: Sequence[str | int]) -> list[str]:
    found: type[BaseModel] | None = model
    for step in steps:
        if found is None or isinstance(step, int):
            # An element of a list, whose model is that of the list's field already.
            continue
        found = next((_find_model(field.annotation) for name, field in _fields(found) if name == step), None)
    return [] if found is None else [name for name, _ in _fields(found)]


def _fields(model: type[BaseModel]) -> list[tuple[str, Any]]:
    return [(field.alias or name, field) for name, field in model.model_fields.items()]


def _find_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_find_model, get_args(annotation))), None)
