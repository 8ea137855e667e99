"""The Lua scripts as objects; what several share is put before them."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from captchad.broker.availability import Operation

READING_ONLY = frozenset({"backup_head", "backup_page", "list", "nodes", "queue_status", "rights", "waiting"})
NEEDING_MEMORY = frozenset({"submit", "install_model", "restore"})
"""A full Redis refuses these; all other writing scripts begin with `admission.lua`, and go on."""
ABOUT_LABELS = frozenset({"settle", "report", "forget_labels"})
"""These share `labels.lua`."""
ABOUT_MODELS = frozenset({"install_model", "roll_back_model"})
"""These share `models.lua`."""
ABOUT_REJECTIONS = frozenset({"rejection_reserve", "rejection_conclude"})
"""These share `rejections.lua`."""
ABOUT_CALLBACKS = frozenset({"claim_callbacks", "settle_callback", "replay_callback"})
"""These share `callbacks.lua`."""
_SHARED = {"callbacks": ABOUT_CALLBACKS, "labels": ABOUT_LABELS, "models": ABOUT_MODELS, "rejections": ABOUT_REJECTIONS}


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua script: its source as Redis gets it, and the SHA-1 Redis knows it by afterwards."""

    operation: Operation
    source: str
    sha: str


@cache
def load_script(name: str, with_prelude: bool = True, ends_unconfirmed: bool = False) -> Script:
    """Read `name`.lua from this folder; fleet scripts come without the partition prelude.

    With `ends_unconfirmed`, a task that ends stays unconfirmed until the script `confirm` makes its end final.
    """
    parts = [] if name in READING_ONLY | NEEDING_MEMORY else ["admission"]
    parts += ["prelude"] if with_prelude else []
    parts += [part for part, names in _SHARED.items() if name in names]
    parts += [name]
    folder = files(__package__)
    head = f"local ENDS_UNCONFIRMED = {str(ends_unconfirmed).lower()}\n" if with_prelude else ""
    source = head + "".join(folder.joinpath(f"{part}.lua").read_text() for part in parts)
    sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    # A submit that finds its tasks stored, or the queue full, writes nothing, and so doesn't show that Redis takes it.
    return Script(Operation(name, is_write=parts[0] == "admission"), source, sha)
