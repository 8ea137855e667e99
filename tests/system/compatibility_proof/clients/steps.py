"""What the scripts of all Python clients share: they run in an environment of their own, where captchad is not."""

import json
import os
import sys
from collections.abc import Callable

URL = os.environ["SOLVER_URL"]
TLS_AUTHORITY = os.environ["SOLVER_TLS_AUTHORITY"]
KEY = os.environ["SOLVER_KEY"]
WRONG_KEY = "ck_000000000000_" + "0" * 64
PICTURE = os.environ["SOLVER_PICTURE"]
BLANK = os.environ["SOLVER_BLANK"]


def run(**steps: Callable[[], object]) -> None:
    """Take each step, and print what it returned, or how the client named what went wrong."""
    found = {}
    for name, step in steps.items():
        try:
            found[name] = step()
        except Exception as error:  # noqa: BLE001 - each client has errors of its own
            found[name] = f"{type(error).__name__}: {error}"
    json.dump(found, sys.stdout)
