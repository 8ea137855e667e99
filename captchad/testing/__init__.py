"""For other people's tests: a fleet for a test session, pictures read in process, and forms filled on their own page.

Its names are imported when they are first used: pytest loads the plugin beside them in every run.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from captchad.testing.errors import CaptchaNotFilled, FleetNotStarted
    from captchad.testing.form import Filled
    from captchad.testing.reading import read
    from captchad.testing.session import storage_state
    from captchad.testing.toolbox import CaptchadFixture

__all__ = ["CaptchaNotFilled", "CaptchadFixture", "Filled", "FleetNotStarted", "read", "storage_state"]

_ROOMS = {
    "CaptchaNotFilled": "errors",
    "CaptchadFixture": "toolbox",
    "Filled": "form",
    "FleetNotStarted": "errors",
    "read": "reading",
    "storage_state": "session",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
