"""The scripts that captchad runs in pages, each one function, by the names they are asked under."""

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from captchad.browser.scripts import patterns
from captchad.browser.scripts.bounds import SCRIPT_LIMITS

FINDER = "finder"
FORM = "form"
FORM_FACTS = "form_facts"
OBSTACLE = "obstacle"
FIELD_STATE = "field_state"
CONDITIONS = "conditions"
AFTERMATH = "aftermath"
STORAGE = "storage"
CLOSED_HOSTS = "closed_hosts"
CLOSED_SECRETS = "closed_secrets"

_FINDER_PARTS = ("walk", "texts", "behavioural", "aim", "pictures", "ground", "page_texts", "tiles", "controls")
_SHARED_PARTS = ("walk", "texts", "behavioural")


@cache
def read_page_scripts() -> dict[str, str]:
    """Return every script: a function of the order that it gets."""
    finder = (f"finder_{part}.js" for part in _FINDER_PARTS)
    shared = (f"finder_{part}.js" for part in _SHARED_PARTS)
    return {
        FINDER: join_files(
            "({ mode, selector, index, source, input = null, focuses = false })",
            "shadow_roots.js",
            *finder,
            "finder.js",
            MAYBE=patterns.MAYBE_PATTERN,
            MENTION=patterns.MENTION_PATTERN,
            STAND_IN=patterns.UNLOADED_PATTERN,
            SUM=patterns.SUM_PATTERN,
        ),
        FORM: join_files("({ mode, selector })", "shadow_roots.js", "form.js"),
        FORM_FACTS: join_files(
            "({ uses, fields })", "shadow_roots.js", *shared, "form_facts.js", MAYBE=patterns.MAYBE_PATTERN
        ),
        OBSTACLE: join_files("({ name })", "shadow_roots.js", "obstacle.js"),
        FIELD_STATE: join_files("({ name })", "field_state.js"),
        CONDITIONS: join_files("(wanted)", "shadow_roots.js", "conditions.js"),
        AFTERMATH: join_files("({ selector })", "shadow_roots.js", "aftermath.js"),
        CLOSED_HOSTS: join_files("()", "shadow_roots.js", "closed_hosts.js"),
        CLOSED_SECRETS: join_files("({ selector, texts })", "shadow_roots.js", "closed_secrets.js"),
        STORAGE: join_files("({ origin })", "storage.js"),
    }


@cache
def read_engine() -> str:
    """Return all of it as one selector engine."""
    members = ",\n".join(f"{name}: {source}" for name, source in read_page_scripts().items())
    engine = join_files("()", "isolated_world.js", before=f"const kept = {{}}, scripts = {{\n{members}\n}};")
    return f"({engine})()"


def join_files(signature: str, *names: str, before: str = "", **regular_expressions: str) -> str:
    """Return a function of `signature` whose body is these files, joined, without comments; they share their names.

    In front stand the limits of bounds.py, regular expressions that ignore case, and `before`.
    """
    folder = files("captchad.browser.scripts")
    texts = (folder.joinpath(name).read_text(encoding="utf-8") for name in names)
    limits = (f"const {name} = {limit};" for name, limit in SCRIPT_LIMITS.items())
    constants = (
        f'const {name} = new RegExp({json.dumps(pattern)}, "i");' for name, pattern in regular_expressions.items()
    )
    return f"{signature} => {{\n{_tighten([*limits, *constants, before, *texts])}\n}}"


def _tighten(texts: Iterable[str]) -> str:
    # Smaller, as every frame of every page reads it.
    lines = (line.strip() for text in texts for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
