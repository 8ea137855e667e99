"""Joins several script files into one function, in which they share their names."""

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files


@cache
def read_script(signature: str, *names: str, **patterns: str) -> str:
    """Return a function of `signature` whose body is the package files `names`, joined, without comments.

    Each of `patterns` is a constant in it: a regular expression that ignores case.
    """
    folder = files("captchad.browser")
    texts = (folder.joinpath(name).read_text(encoding="utf-8") for name in names)
    constants = (f'const {name} = new RegExp({json.dumps(pattern)}, "i");' for name, pattern in patterns.items())
    return f"{signature} => {{\n{_tighten([*constants, *texts])}\n}}"


def _tighten(texts: Iterable[str]) -> str:
    # Smaller, as it is sent to each frame.
    lines = (line.strip() for text in texts for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
