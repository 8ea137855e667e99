"""A process's way to the audit log: acts wait in memory for one moment, and are written many at once."""

import asyncio
import logging

import orjson

from captchad.broker.audit_log import AuditLog
from captchad.broker.connection import Broker
from captchad.domain.audit import Act, encode_members
from captchad.domain.errors import BrokerUnavailable
from captchad.runtime.service import Service, ServiceHealth
from captchad.runtime.spawn import TaskSet

_logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1
WAITING_LIMIT = 10_000
AT_ONCE = 500
CLOSE_SECONDS = 5.0
OVERFLOW = "audit_overflow"


class AuditTrail(Service):
    """Takes acts without waiting, and appends them within a moment; the same refusal many times is one entry.

    While Redis is away they are kept, up to a bound; what is beyond that is counted, and the count is an entry itself.
    """

    name = "audit_trail"

    def __init__(self, broker: Broker, log: AuditLog) -> None:
        self._broker = broker
        self._log = log
        self._waiting: dict[bytes, int] = {}
        self._lost = 0
        self._wake = asyncio.Event()
        # Whoever waits for a write hears of its failure.
        self._work = TaskSet(self.name, lambda error: None)
        self._writing: asyncio.Task[None] | None = None

    def note(self, act: Act) -> None:
        """Have an act written soon."""
        if not self._log.is_kept:
            return
        encoded = act.encode()
        if encoded in self._waiting or len(self._waiting) < WAITING_LIMIT:
            self._waiting[encoded] = self._waiting.get(encoded, 0) + 1
        else:
            self._lost += 1
        self._wake.set()

    def health(self) -> ServiceHealth:
        """Say how many entries wait."""
        return ServiceHealth(is_ready=True, details={"waiting": len(self._waiting)})

    async def run(self) -> None:
        """Write acts until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            async with self._broker.waited_out():
                while self._waiting:
                    await self._write()
                    await asyncio.sleep(PAUSE_SECONDS)
            if self._waiting:
                self._wake.set()

    async def close(self) -> None:
        """Write what is left."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                while self._waiting:
                    await self._write()
        except (BrokerUnavailable, TimeoutError):
            _logger.warning("%d entries of the audit log could not be written", len(self._waiting))
        finally:
            await self._work.cancel_all()

    async def _write(self) -> None:
        # A write that was begun goes on when `run` ends: cut off and repeated, its entries would be there twice.
        if self._writing is None or self._writing.done():
            self._writing = self._work.spawn(self._write_some(), "write")
        await asyncio.shield(self._writing)

    async def _write_some(self) -> None:
        taken = dict(list(self._waiting.items())[:AT_ONCE])
        lost, self._lost = self._lost, 0
        acts = [_count(act, times) for act, times in taken.items()]
        acts += [encode_members({"action": OVERFLOW, "count": lost})] if lost else []
        try:
            await self._log.append(acts)
        except BaseException:
            self._lost += lost
            raise
        for act, times in taken.items():
            more = self._waiting.pop(act) - times
            # The same again while it was being written.
            if more:
                self._waiting[act] = more


def _count(act: bytes, times: int) -> bytes:
    return act if times == 1 else encode_members(orjson.loads(act) | {"count": times})
