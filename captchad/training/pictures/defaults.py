"""Whether a generator draws as it does by default: every second time, or always where the environment says so."""

import os
import random

DEFAULTS_VARIABLE = "CAPTCHAD_GENERATORS_ALWAYS_DEFAULT"
"""Set to 1 before anything is drawn, for pictures as sites have them that change nothing; the programs read it too."""

_DEFAULT_CHANCE = 0.5


def is_default(source: random.Random) -> bool:
    """Decide it for one picture; takes as much from the source either way."""
    return source.random() < _DEFAULT_CHANCE or os.environ.get(DEFAULTS_VARIABLE) == "1"
