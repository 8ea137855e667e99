"""Follows every Sentinel, so that a failover is known when it begins and not when it is over."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from redis import exceptions

from captchad.broker.sentinel.rounds import SharedRounds
from captchad.broker.sentinel.verdict import Address, MasterReport, Verdict, is_majority, judge
from captchad.domain.errors import BrokerUnavailable
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet

_logger = logging.getLogger(__name__)

EVENT_PATTERNS = ("+switch-master", "+try-failover", "+failover-*", "-failover-*")
ASK_AGAIN_SECONDS = 1.0
FIRST_ANSWER_SECONDS = 2.0
HOLD_SECONDS = 3.0
"""How long calls wait for a failover to end: not so long that a lease lapses whose renewal waits with them."""
PROMOTED_STATES = (None, "reconf_slaves", "update_config")
"""How Sentinel calls what is left of a failover once the replica is a master; None without a failover."""
FAILURES = (exceptions.RedisError, OSError, TimeoutError)


class MasterWatch:
    """Knows the master by all Sentinels, name to client; each event of a failover has its Sentinel asked at once.

    While the master changes, calls wait. When it has changed, every connection to the old one is closed, those in use
    as well: Sentinel leaves a demoted master writable for ten seconds. It follows from the first `wait_settled` on.
    """

    def __init__(self, sentinels: Mapping[str, Any], master_name: str, clock: Clock) -> None:
        self._sentinels = sentinels
        self._master_name = master_name
        self._clock = clock
        self._reports: dict[str, MasterReport] = {}
        self._failures: dict[str, str] = {}
        self._verdict = Verdict()
        self._address: Address | None = None
        self._changing_since = 0.0
        self._is_followed = False
        self._is_found = asyncio.Event()
        self._is_settled = asyncio.Event()
        self._is_settled.set()
        self._pools: list[Any] = []
        self._work = TaskSet("sentinel")
        self._rounds = SharedRounds(self._ask_all, self._work)
        self.term = 0
        self.doubts = 0

    @property
    def address(self) -> Address:
        """Where the master is; ConnectionError while that is unknown."""
        if self._address is None:
            reasons = "; ".join(f"{sentinel}: {reason}" for sentinel, reason in self._failures.items())
            raise exceptions.ConnectionError(f"no Sentinel names the master {self._master_name!r} ({reasons})")
        return self._address

    def add_pool(self, pool: Any) -> None:
        """Close all connections of `pool` whenever the master has changed."""
        self._pools.append(pool)

    async def close(self) -> None:
        """Follow them no longer."""
        await self._work.cancel_all()
        for client in self._sentinels.values():
            await client.aclose()

    async def wait_settled(self) -> int:
        """Return the number of the present master's term, once it is known and does not change, or waiting is over."""
        if not self._is_followed:
            self._is_followed = True
            for sentinel in self._sentinels:
                self._work.spawn(self._follow(sentinel), sentinel)
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_ANSWER_SECONDS):
                await self._is_found.wait()
        left_seconds = self._changing_since + HOLD_SECONDS - self._clock.monotonic_seconds()
        if not self._is_settled.is_set() and left_seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left_seconds):
                    await self._is_settled.wait()
        return self.term

    async def confirm(self, term: int) -> None:
        """Have the Sentinels confirm that the master of `term` still is the master; BrokerUnavailable unless they do.

        They are asked after this call, so whatever that master answered before was a master's answer.
        """
        verdict = await self._rounds.join()
        if term != self.term or not verdict.is_certain or verdict.address != self._address:
            answering = f"{len(self._reports)} of {len(self._sentinels)} Sentinels answer"
            raise BrokerUnavailable(f"no majority confirms that the write is the present master's: {answering}")

    async def _follow(self, sentinel: str) -> None:
        while True:
            try:
                await self._listen(sentinel)
            except FAILURES as error:
                self._note_failure(sentinel, error)
            await asyncio.sleep(ASK_AGAIN_SECONDS)

    async def _listen(self, sentinel: str) -> None:
        async with self._sentinels[sentinel].pubsub() as events:
            await events.psubscribe(*EVENT_PATTERNS)
            while True:
                self._note(sentinel, await self._ask(sentinel))
                # What the event says is not read: asked for its state, the Sentinel tells it with the epoch.
                await events.get_message(timeout=ASK_AGAIN_SECONDS)

    async def _ask(self, sentinel: str) -> MasterReport:
        pipeline = self._sentinels[sentinel].pipeline(transaction=False)
        # A Sentinel that has promoted a replica gives its address here before it calls it the master there.
        pipeline.sentinel_get_master_addr_by_name(self._master_name)
        pipeline.sentinel_master(self._master_name)
        (host, port), state = await pipeline.execute()
        is_promoting = state.get("failover-state") not in PROMOTED_STATES
        return MasterReport((host.decode(), port), state["config-epoch"], is_promoting)

    async def _ask_all(self) -> Verdict:
        """Ask every Sentinel that answered last time; one that does not is left to its follower."""
        answers = await asyncio.gather(*(self._ask_once(sentinel) for sentinel in tuple(self._reports)))
        return judge([report for report in answers if report is not None], len(self._sentinels))

    async def _ask_once(self, sentinel: str) -> MasterReport | None:
        try:
            report = await self._ask(sentinel)
        except FAILURES as error:
            self._note_failure(sentinel, error)
            return None
        self._note(sentinel, report)
        return report

    def _note(self, sentinel: str, report: MasterReport) -> None:
        self._failures.pop(sentinel, None)
        self._reports[sentinel] = report
        self._judge()

    def _note_failure(self, sentinel: str, error: Exception) -> None:
        if sentinel not in self._failures:
            _logger.warning("the Sentinel %s does not answer: %s", sentinel, error or type(error).__name__)
        self._failures[sentinel] = str(error) or type(error).__name__
        self._reports.pop(sentinel, None)
        self._judge()

    def _judge(self) -> None:
        before, verdict = self._verdict, judge(self._reports.values(), len(self._sentinels))
        self._verdict = verdict
        asked = len(self._reports) + len(self._failures)
        if is_majority(len(self._reports), len(self._sentinels)) or asked == len(self._sentinels):
            self._is_found.set()
        if verdict != before:
            self.doubts += 1
        if not verdict.is_changing:
            self._is_settled.set()
        elif not before.is_changing:
            self._changing_since = self._clock.monotonic_seconds()
            self._is_settled.clear()
        if verdict.address is not None and verdict.address != self._address:
            self._begin_term(verdict.address)

    def _begin_term(self, address: Address) -> None:
        if self._address is not None:
            _logger.warning("the Redis master is %s:%d now; it was %s:%d", *address, *self._address)
        self._address = address
        self.term += 1
        for pool in self._pools:
            self._work.spawn(_leave(pool), "leave")


async def _leave(pool: Any) -> None:
    """Close all connections of a pool; whoever uses one finds it closed."""
    with suppress(*FAILURES):
        await pool.disconnect(inuse_connections=True)
