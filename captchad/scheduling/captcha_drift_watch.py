"""Watches every target's captcha for changes, by what visits showed of it."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence

from captchad.broker.captcha_watch import CaptchaWatch
from captchad.domain.captcha_drift import CaptchaObservation, CaptchaState, observe
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.scheduling.leadership import Leadership

_logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0


class CaptchaDriftWatch(Service):
    """Folds observations in every second, and at once while more wait.

    The script that stores the outcome asks for the leader's lease again: of two schedulers, one counts a visit.
    """

    name = "captcha-drift"

    def __init__(self, watch: CaptchaWatch, leadership: Leadership, consumer: str) -> None:
        self._watch = watch
        self._leadership = leadership
        self._consumer = consumer
        self._random = random.SystemRandom()
        self._periodic = Periodic(self.name, TICK_SECONDS, self._fold)

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._periodic.run()

    async def _fold(self) -> float | None:
        if not self._leadership.is_active:
            return None
        observed = await self._watch.read_observed()
        if not observed.ids:
            return None
        states, changed = fold(observed.states, observed.observations, self._random.random)
        if await self._watch.fold(self._consumer, observed, states, changed):
            for host in sorted(changed):
                signals = ", ".join(states[host].signals)
                _logger.warning("the captcha of %s has changed, by its visits' %s", host, signals)
        return 0.0 if observed.is_batch_full else None


def fold(
    states: Mapping[str, CaptchaState], observations: Sequence[CaptchaObservation], draw: Callable[[], float]
) -> tuple[dict[str, CaptchaState], set[str]]:
    """Return the states after some observations, in their order, and the hosts whose captcha has changed."""
    folded, changed = dict(states), set()
    for observation in observations:
        host = observation.target
        folded[host], has_changed = observe(folded[host], observation, draw)
        if has_changed:
            changed.add(host)
    return folded, changed
