"""Settings from the file, the environment and the command line, laid over each other with their provenances."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import SecretStr

from captchad.config.json_file import join_path


class Source(StrEnum):
    """Where a setting's value comes from; a later one wins over an earlier."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Provenance:
    """The source of a value, and its name for people: a path, a variable, the command line."""

    source: Source
    label: str


@dataclass(frozen=True, slots=True)
class GivenValue:
    """One value that somebody set; `steps` lead to it from the top of the configuration."""

    steps: tuple[str, ...]
    value: Any
    provenance: Provenance


@dataclass(slots=True)
class Layers:
    """The merged tree of all values given so far, and which of them came from where."""

    tree: dict[str, Any] = field(default_factory=dict)
    provenances: dict[str, Provenance] = field(default_factory=dict)

    def lay(self, given: GivenValue) -> None:
        """Put a value over what is there: objects are merged key by key, everything else is replaced."""
        for steps, value in _leaves(given.steps, given.value):
            self._set(steps, value)
            self.provenances[_dotted(steps)] = given.provenance

    def read(self, path: str) -> Any:
        """Return the value at a dotted path without list indexes, or None where nothing was given."""
        value: Any = self.tree
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        return value

    def provenance_of(self, path: str) -> Provenance | None:
        """Return the provenance of a path: its own, else that of what holds it, else that of something in it."""
        wanted = path
        while wanted:
            if wanted in self.provenances:
                return self.provenances[wanted]
            cut = max(wanted.rfind("."), wanted.rfind("["))
            wanted = wanted[:cut] if cut > 0 else ""
        inside = (provenance for name, provenance in self.provenances.items() if name.startswith(f"{path}."))
        return next(inside, None)

    def label_of(self, path: str) -> str:
        """Name the provenance of a path for people; empty where nothing was given."""
        provenance = self.provenance_of(path)
        return provenance.label if provenance else ""

    def _set(self, steps: tuple[str, ...], value: Any) -> None:
        here = self.tree
        for step in steps[:-1]:
            inner = here.get(step)
            if not isinstance(inner, dict):
                inner = here[step] = {}
            here = inner
        if value == {} and isinstance(here.get(steps[-1]), dict):
            return
        here[steps[-1]] = value


def _leaves(steps: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and (value or not steps):
        for name, inner in value.items():
            yield from _leaves((*steps, str(name)), inner)
    elif isinstance(value, SecretStr):
        yield steps, value.get_secret_value()
    else:
        yield steps, value


def _dotted(steps: tuple[str, ...]) -> str:
    path = ""
    for step in steps:
        path = join_path(path, step)
    return path
