"""Validates sections of the configuration, and finds what is right of one with errors in it."""

import json
from collections.abc import Iterable
from copy import deepcopy
from typing import Any, TypeVar

from pydantic import ValidationError

from captchad.config.json_file import join_path
from captchad.config.section import Section

SectionType = TypeVar("SectionType", bound=Section)


def validate(section: type[SectionType], value: object) -> SectionType:
    """Return the section that a JSON value is; ValidationError where it is none."""
    return section.model_validate_json(json.dumps(value, default=str), strict=True)


def salvage(section: type[SectionType], value: object, wrong_paths: Iterable[str] = ()) -> SectionType | None:
    """Return a section without what is wrong in it, at `wrong_paths` or elsewhere; None where something is missing."""
    rest = deepcopy(value)
    for path in wrong_paths:
        _remove(rest, path)
    while True:
        try:
            return validate(section, rest)
        except ValidationError as error:
            removed = [_remove(rest, make_path(details["loc"])) for details in error.errors(include_url=False)]
            if not any(removed):
                return None


def make_path(steps: Iterable[str | int]) -> str:
    """Return the dotted path that steps make."""
    path = ""
    for step in steps:
        path = join_path(path, step)
    return path


def do_overlap(path: str, other: str) -> bool:
    """Whether two paths are one, or one leads to something in the other; the empty one leads to everything."""
    return _leads_into(path, other) or _leads_into(other, path)


def _leads_into(path: str, other: str) -> bool:
    return not path or other == path or other.startswith((f"{path}.", f"{path}["))


def _remove(tree: Any, path: str) -> bool:
    """Remove what a path leads to, or else the innermost key on the way; return whether there is one."""
    found: tuple[dict[str, Any], str] | None = None
    here, rest = tree, path
    while isinstance(here, dict) and rest:
        # A key may have dots in it; the longest that fits is meant.
        key = max((key for key in here if _leads_into(key, rest) and key), key=len, default=None)
        if key is None:
            break
        found = here, key
        here, rest = here[key], rest.removeprefix(key).removeprefix(".")
    if found is None:
        return False
    del found[0][found[1]]
    return True
