"""The events of supervised processes."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class ServiceEventKind(StrEnum):
    """What can happen to a supervised process."""

    READY = "ready"
    ENDED = "ended"
    LOGGED = "logged"
    STOPPED = "stopped"
    RELOADED = "reloaded"


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """An event of the process `name`; `level` is that of a log line."""

    kind: ServiceEventKind
    name: str
    text: str
    level: str = "info"


Listener = Callable[[ServiceEvent], None]
