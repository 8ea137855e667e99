"""Joins several script files into one function, in which they share their names."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files


@cache
def read_script(signature: str, *names: str) -> str:
    """Return a function of `signature` whose body is the package files `names`, joined, without comments."""
    folder = files("captchad.browser")
    texts = (folder.joinpath(name).read_text(encoding="utf-8") for name in names)
    return f"{signature} => {{\n{_tighten(texts)}\n}}"


def _tighten(texts: Iterable[str]) -> str:
    # Smaller, as it is sent to each frame.
    lines = (line.strip() for text in texts for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
