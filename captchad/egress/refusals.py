"""What was refused or not reached lately: counts for the metrics, the last cause for each origin, and few log lines."""

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from captchad.domain.target import Origin
from captchad.egress.scope import EgressRefused
from captchad.runtime.clock import Clock

REMEMBERED_ORIGINS = 512
LOG_AGAIN_SECONDS = 60.0

_logger = logging.getLogger(__name__)

RefusalListener = Callable[[str, Origin], None]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused connection; `at_seconds` is of the monotonic clock."""

    reason: str
    message: str
    at_seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """One connection in scope that did not come about; `at_seconds` is of the monotonic clock."""

    message: str
    at_seconds: float


class RefusalBook:
    """Keeps count of refusals by reason; a hostile page can't make it grow or flood the log."""

    def __init__(self, clock: Clock, on_refusal: RefusalListener | None = None) -> None:
        self._clock = clock
        self._on_refusal = on_refusal
        self._last: OrderedDict[tuple[str, int], Refusal] = OrderedDict()
        self._unreachable: OrderedDict[tuple[str, int], Failure] = OrderedDict()
        self.counts: Counter[str] = Counter()

    def note(self, origin: Origin, error: EgressRefused) -> None:
        """Count, remember and log a refusal."""
        now_seconds = self._clock.monotonic_seconds()
        key = (origin.host, origin.port)
        before = self._last.pop(key, None)
        self._last[key] = Refusal(error.reason.value, error.message, now_seconds)
        if len(self._last) > REMEMBERED_ORIGINS:
            self._last.popitem(last=False)
        self.counts[error.reason.value] += 1
        is_news = before is None or before.reason != error.reason or now_seconds - before.at_seconds > LOG_AGAIN_SECONDS
        _logger.log(logging.WARNING if is_news else logging.DEBUG, "refused %s: %s", origin, error.message)
        if self._on_refusal is not None:
            self._on_refusal(error.reason.value, origin)

    def note_failure(self, origin: Origin, message: str) -> None:
        """Remember why an origin in scope was not reached: of a tunnel that is not made, browsers say only that."""
        key = (origin.host, origin.port)
        self._unreachable.pop(key, None)
        self._unreachable[key] = Failure(message, self._clock.monotonic_seconds())
        if len(self._unreachable) > REMEMBERED_ORIGINS:
            self._unreachable.popitem(last=False)

    def find_failure(self, origin: Origin, since_seconds: float) -> str | None:
        """Return why this host and port was not reached last, if that was not before `since_seconds`."""
        found = self._unreachable.get((origin.host, origin.port))
        return found.message if found is not None and found.at_seconds >= since_seconds else None

    def find_last(self, origin: Origin, since_seconds: float) -> Refusal | None:
        """Return the last refusal of this host and port, if it was not before `since_seconds`."""
        found = self._last.get((origin.host, origin.port))
        return found if found is not None and found.at_seconds >= since_seconds else None
