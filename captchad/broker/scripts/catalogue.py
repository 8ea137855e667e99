"""The Lua scripts as objects; partition scripts begin with the shared prelude."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua script: its source as Redis gets it, and the SHA-1 Redis knows it by afterwards."""

    name: str
    source: str
    sha: str


@cache
def load_script(name: str, with_prelude: bool = True, ends_unconfirmed: bool = False) -> Script:
    """Read `name`.lua from this folder; fleet scripts come without the partition prelude.

    With `ends_unconfirmed`, a task that ends stays unconfirmed until the script `confirm` makes its end final.
    """
    folder = files(__package__)
    source = folder.joinpath(f"{name}.lua").read_text()
    if with_prelude:
        head = f"local ENDS_UNCONFIRMED = {str(ends_unconfirmed).lower()}\n"
        source = head + folder.joinpath("prelude.lua").read_text() + source
    return Script(name, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())
