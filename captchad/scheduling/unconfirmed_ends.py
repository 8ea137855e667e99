"""Makes ends final that were written by a process which died, or was cut off, before replicas had them."""

import logging
from collections.abc import Sequence

from captchad.broker.housekeeping import Housekeeping
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.scheduling.leadership import Leadership

_logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0


class UnconfirmedEnds(Service):
    """Looks every second, also where no replica need acknowledge: a process with another setting may have left some.

    Whether a writer still lives doesn't matter: an end is confirmed once, whoever comes first.
    """

    name = "unconfirmed-ends"

    def __init__(self, partitions: Sequence[Housekeeping], leadership: Leadership) -> None:
        self._partitions = partitions
        self._leadership = leadership
        self._periodic = Periodic(self.name, TICK_SECONDS, self._confirm)

    async def run(self) -> None:
        """Confirm until cancelled."""
        await self._periodic.run()

    async def _confirm(self) -> None:
        if not self._leadership.is_active:
            return
        for housekeeping in self._partitions:
            confirmed = await housekeeping.confirm_ends()
            if confirmed:
                _logger.debug("%d ends confirmed", confirmed)
