"""What the supervision of this machine's processes tells whoever listens."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class ServiceEventKind(StrEnum):
    """What can happen to a supervised process."""

    READY = "ready"
    ENDED = "ended"
    LOGGED = "logged"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """One thing that happened to the process `name`, in words; `level` is that of a log line."""

    kind: ServiceEventKind
    name: str
    text: str
    level: str = "info"


Listener = Callable[[ServiceEvent], None]
