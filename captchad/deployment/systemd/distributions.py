"""Which installed distributions a release is made of."""

import importlib.metadata
import re
from collections.abc import Iterator

from captchad.runtime.extras import Extra

EXTRAS = (Extra.WORKER, Extra.EMBEDDED, Extra.DDDDOCR, Extra.DEMO)
_REQUIREMENT = re.compile(r"^(?P<name>[\w.-]+)\s*(?:\[(?P<extras>[^\]]*)\])?[^;]*(?:;(?P<marker>.*))?$")
_EXTRA = re.compile(r"""extra\s*==\s*["']([\w-]+)["']""")


def list_distributions() -> list[importlib.metadata.Distribution]:
    """Return all installed distributions that captchad needs with its extras, without captchad itself."""
    found: dict[str, importlib.metadata.Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting: list[tuple[str, frozenset[str]]] = [("captchad", frozenset(EXTRAS))]
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            # For another platform, or of an extra that is not installed here.
            continue
        found[distribution.name.lower()] = distribution
        waiting += _requirements(distribution, extras)
    found.pop("captchad", None)
    return list(found.values())


def _requirements(
    distribution: importlib.metadata.Distribution, extras: frozenset[str]
) -> Iterator[tuple[str, frozenset[str]]]:
    for text in distribution.requires or ():
        parts = _REQUIREMENT.match(text)
        if parts is None:
            continue
        of_extras = _EXTRA.findall(parts["marker"] or "")
        if not of_extras or extras & set(of_extras):
            wanted = frozenset(one.strip() for one in (parts["extras"] or "").split(",") if one.strip())
            yield parts["name"], wanted
