"""What new tasks of a target wait for, known for a moment so that not every submit has to ask."""

from captchad.broker.target_closures import TargetClosures, TargetState
from captchad.domain.target import Target
from captchad.intake.capacity import CapacityFigures
from captchad.intake.estimation import TargetOutlook
from captchad.runtime.clock import Clock

STATE_AGE_SECONDS = 1.0
REMEMBERED_TARGETS = 1000


class TargetOutlooks:
    """Reads the state of a target at most once a second."""

    def __init__(self, closures: TargetClosures, clock: Clock) -> None:
        self._closures = closures
        self._clock = clock
        self._states: dict[str, tuple[float, TargetState]] = {}

    async def find(self, target: Target, figures: CapacityFigures, further: int, *, opens_page: bool) -> TargetOutlook:
        """Return the outlook of a task with `further` ones of its target before it that `figures` don't include."""
        state = await self._read(target.host)
        return TargetOutlook(
            figures.open_by_target.get(target.host, 0) + further,
            state.visits,
            target.max_per_minute,
            target.max_concurrent,
            state.closed_seconds,
            opens_page,
        )

    async def _read(self, host: str) -> TargetState:
        now = self._clock.monotonic_seconds()
        known = self._states.get(host)
        if known is not None and now - known[0] <= STATE_AGE_SECONDS:
            return known[1]
        state = await self._closures.read(host)
        if len(self._states) >= REMEMBERED_TARGETS:
            self._states.clear()
        self._states[host] = (now, state)
        return state
