"""What the sections say about themselves: which settings exist, of which type, and the nearest to a wrong name."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from captchad.config.json_file import join_path
from captchad.config.section import Section
from captchad.config.settings import Configuration


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the configuration; `path` has `[]` where a list's elements are objects."""

    path: str
    field: FieldInfo

    @property
    def is_text(self) -> bool:
        """Whether the setting's value is a JSON string."""
        return any(kind in _TEXT_TYPES or get_origin(kind) is Literal for kind in _flatten_type(self.field.annotation))

    @property
    def is_nullable(self) -> bool:
        """Whether null is a value of the setting."""
        return type(None) in _flatten_type(self.field.annotation)

    @property
    def is_secret(self) -> bool:
        """Whether the value must never be shown."""
        return SecretStr in _flatten_type(self.field.annotation)


MISSPELT_LIKENESS = 0.75
"""From this likeness (0..1) on, a name is another of its own section misspelt, not one of another section misplaced."""

_TEXT_TYPES: tuple[Any, ...] = (str, SecretStr, date)
_INDEX = re.compile(r"\[\d+\]")


def _flatten_type(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        return [kind for part in get_args(annotation) for kind in _flatten_type(part)]
    return [annotation]


def section_of(annotation: Any) -> type[Section] | None:
    """Return the section a field holds, directly or as None-able, or None where it holds a value."""
    for kind in _flatten_type(annotation):
        if isinstance(kind, type) and issubclass(kind, Section):
            return kind
    return None


def _element_section(annotation: Any) -> type[Section] | None:
    arguments = get_args(annotation)
    return section_of(arguments[0]) if get_origin(annotation) is tuple and arguments else None


def all_settings(section: type[Section] = Configuration, path: str = "") -> Iterator[Setting]:
    """Return every setting with its dotted path, sections before what is in them."""
    for name, field in section.model_fields.items():
        here = join_path(path, name)
        inner, element = section_of(field.annotation), _element_section(field.annotation)
        yield Setting(here, field)
        if inner is not None:
            yield from all_settings(inner, here)
        elif element is not None:
            yield from all_settings(element, f"{here}[]")


def find_setting(path: str) -> Setting | None:
    """Return the setting of a dotted path, list indexes allowed, or None where there is none."""
    return _settings_by_path().get(_INDEX.sub("[]", path))


@cache
def _settings_by_path() -> dict[str, Setting]:
    return {setting.path: setting for setting in all_settings()}


def section_at(steps: Sequence[str | int]) -> type[Section] | None:
    """Return the section that the steps of a path lead to, or None where they lead to no section."""
    section: type[Section] | None = Configuration
    element: type[Section] | None = None
    for step in steps:
        if isinstance(step, int):
            section, element = element, None
            continue
        field = section.model_fields.get(step) if section is not None else None
        if field is None:
            return None
        section, element = section_of(field.annotation), _element_section(field.annotation)
    return section


def nearest_setting(steps: Sequence[str | int]) -> str:
    """Return the path of the known setting that an unknown one most likely means."""
    *parents, wrong = steps
    section = section_at(parents) or Configuration
    parent = ""
    for step in parents:
        parent = join_path(parent, step)
    likeness = {
        join_path(parent, name): SequenceMatcher(None, str(wrong), name).ratio() for name in section.model_fields
    }
    nearest = max(likeness, key=likeness.__getitem__)
    if likeness[nearest] >= MISSPELT_LIKENESS:
        return nearest
    return next((one.path for one in all_settings() if wrong in {one.path, one.path.rpartition(".")[2]}), nearest)
