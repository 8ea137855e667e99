"""Looks daily, for closed ones hourly, and after each load of the configuration whether public targets are proven."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from captchad.broker.target_proofs import TargetProofs
from captchad.domain.proof import (
    DAY_MS,
    Installation,
    KnownProofs,
    ProofRecord,
    Standing,
    TargetStanding,
    explain_publishing,
    find_proof_host,
    is_private,
    note_look,
    read_waiver,
)
from captchad.domain.target import Target
from captchad.egress.ownership_proof import ProofSeeker
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.scheduling.leadership import Leadership

TICK_SECONDS = 60.0
MS = 1000
CLOSED_LOOK_MS = 3_600_000
"""Between two looks for the proof of a closed target: the first may have come before the network was up."""

_logger = logging.getLogger(__name__)


class OwnershipChecks(Service):
    """Checks each public target once a day, a closed one once an hour, all of them after a load; says what will close.

    `declared` returns the targets as the configuration has them now.
    """

    name = "ownership"

    def __init__(
        self,
        proofs: TargetProofs,
        seeker: ProofSeeker,
        leadership: Leadership,
        declared: Callable[[], Sequence[Target]],
    ) -> None:
        self._proofs = proofs
        self._seeker = seeker
        self._leadership = leadership
        self._declared = declared
        self._loaded = True
        self._periodic = Periodic(self.name, TICK_SECONDS, self._check)

    async def run(self) -> None:
        """Check until cancelled."""
        await self._periodic.run()

    def reload(self) -> None:
        """Check everything as soon as possible: the configuration may have other targets."""
        self._loaded = True
        self._periodic.wake()

    async def _check(self) -> None:
        if not self._leadership.is_active:
            return
        declared = list(self._declared())
        self._say_waivers(declared)
        asked = [target for target in declared if not is_private(target) and read_waiver(target) is None]
        known = await self._proofs.read([target.host for target in asked])
        installation = known.installation
        if installation is None:
            return
        await self._list(asked, known, installation)
        is_load, self._loaded = self._loaded, False
        for target in asked:
            record = known.records.get(target.host) or known.begin_record()
            pause_ms = DAY_MS if known.find_standing(target).is_open else CLOSED_LOOK_MS
            if is_load or record.checked_ms is None or known.now_ms - record.checked_ms >= pause_ms:
                await self._look(target, record, known, installation)

    async def _list(self, targets: Sequence[Target], known: KnownProofs, installation: Installation) -> None:
        """Give each target of an installation that stood before a record; from then on what is new has no grace."""
        if installation.is_listed:
            return
        for target in targets:
            if target.host not in known.records:
                await self._proofs.write(target.host, known.begin_record(), is_news=False)
        await self._proofs.note_listed()

    async def _look(self, target: Target, record: ProofRecord, known: KnownProofs, installation: Installation) -> None:
        looked = note_look(record, await self._seeker.look(target, installation.token), known.now_ms)
        before = known.find_standing(target)
        after = replace(known, records={target.host: looked}).find_standing(target)
        await self._proofs.write(target.host, looked, is_news=before != after)
        if after.standing in {Standing.GRACE, Standing.UNPROVEN}:
            _warn(target, after, looked, installation)
        elif before.standing is not Standing.PROVEN:
            _logger.info("%s is proven: %s", target.host, looked.finding)

    def _say_waivers(self, targets: Sequence[Target]) -> None:
        if not self._loaded:
            return
        for target in targets:
            reason = read_waiver(target)
            if reason is not None:
                _logger.warning("%s is open without a proof of ownership, which is waived: %s", target.host, reason)


def _warn(target: Target, standing: TargetStanding, record: ProofRecord, installation: Installation) -> None:
    publish = explain_publishing(find_proof_host(target), installation.token)
    if standing.until_ms is None:
        _logger.warning(
            "%s is closed without a proof of ownership: %s; publish %s", target.host, record.finding, publish
        )
        return
    day = datetime.fromtimestamp(standing.until_ms / MS, UTC).date().isoformat()
    _logger.warning(
        "%s is closed on %s unless its ownership is proven: %s; publish %s", target.host, day, record.finding, publish
    )
