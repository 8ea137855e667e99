"""What is known of every target's captcha: observations of visits, the states they are folded into, and changes."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import orjson

from captchad.broker.connection import Argument, Broker
from captchad.broker.decoding import UnreadableRecord, build, parse_object
from captchad.broker.redis_keys import (
    CAPTCHA_CHANGES,
    CAPTCHA_OBSERVATIONS,
    CAPTCHA_STATES,
    CAPTCHAS_SEEN,
    LEADER,
)
from captchad.domain.captcha_drift import CaptchaObservation, CaptchaState, DriftSignal

_logger = logging.getLogger(__name__)

MS = 1000
BATCH = 500
OBSERVATIONS_LIMIT = 10_000
"""What waits while no scheduler is active; beyond that, newer ones are left out."""
FORGET_AFTER_MS = 90 * 86_400_000


@dataclass(frozen=True, slots=True)
class WatchedCaptcha:
    """One target's captcha as people see it: visits of its baseline, and when it was last found to have changed.

    `changed_ms` is Redis's time, None if it never was; `changed_seconds` is how long ago that is.
    """

    visits: int
    is_learning: bool
    changes: int = 0
    changed_ms: int | None = None
    changed_seconds: float | None = None
    signals: tuple[DriftSignal, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """Observations that wait to be folded in, the oldest first, and the states of their targets."""

    ids: tuple[bytes, ...]
    observations: tuple[CaptchaObservation, ...]
    states: Mapping[str, CaptchaState]

    @property
    def is_batch_full(self) -> bool:
        """Whether more may wait."""
        return len(self.ids) == BATCH


class CaptchaWatch:
    """Workers add observations, the active scheduler folds them in, and everybody may look."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker

    async def add(self, observations: Sequence[CaptchaObservation]) -> None:
        """Keep observations until they are folded in."""
        encoded = [orjson.dumps(observation) for observation in observations]
        await self.broker.run_fleet_script("captcha_observe", [CAPTCHA_OBSERVATIONS], [OBSERVATIONS_LIMIT, *encoded])

    async def read_observed(self) -> Observed:
        """Return the oldest observations that wait, with the states of their targets."""
        async with self.broker.guard():
            entries = await self.broker.client.xrange(CAPTCHA_OBSERVATIONS, count=BATCH)
        found = [_decode_observation(fields[b"seen"]) for _, fields in entries]
        observations = tuple(observation for observation in found if observation is not None)
        hosts = sorted({observation.target for observation in observations})
        states: dict[str, CaptchaState] = {}
        if hosts:
            async with self.broker.guard():
                stored = await self.broker.client.hmget(CAPTCHA_STATES, hosts)
            states = {host: _decode_state(host, data) for host, data in zip(hosts, stored, strict=True)}
        return Observed(tuple(entry_id for entry_id, _ in entries), observations, states)

    async def fold(
        self, consumer: str, observed: Observed, states: Mapping[str, CaptchaState], changed: Collection[str]
    ) -> bool:
        """Replace states, note the hosts that have changed, and drop the observations, all at once.

        False where nothing was done: `consumer` no longer is the active scheduler, or it was done before.
        """
        arguments: list[Argument] = [consumer, FORGET_AFTER_MS, len(observed.ids), *observed.ids]
        for host, state in states.items():
            change = orjson.dumps({"target": host, "change": "captcha_changed", "signals": state.signals})
            arguments += [host, orjson.dumps(state), change if host in changed else b""]
        keys = [LEADER, CAPTCHA_OBSERVATIONS, CAPTCHA_STATES, CAPTCHAS_SEEN, CAPTCHA_CHANGES, self.broker.node_events]
        return bool(await self.broker.run_fleet_script("captcha_fold", keys, arguments))

    async def read_all(self) -> dict[str, WatchedCaptcha]:
        """Return every watched target's captcha, by host."""
        now_ms = await self.broker.time_ms()
        async with self.broker.guard():
            pipeline = self.broker.client.pipeline(transaction=False)
            pipeline.hgetall(CAPTCHA_STATES)
            pipeline.hgetall(CAPTCHA_CHANGES)
            states, changes = await pipeline.execute()
        return {
            host.decode(): _describe(_decode_state(host.decode(), data), changes.get(host), now_ms)
            for host, data in sorted(states.items())
        }


def _describe(state: CaptchaState, changed: bytes | None, now_ms: int) -> WatchedCaptcha:
    changed_ms = int(changed) if changed is not None else None
    return WatchedCaptcha(
        state.visits,
        state.is_learning,
        state.changes,
        changed_ms,
        None if changed_ms is None else max(0, now_ms - changed_ms) / MS,
        state.signals,
    )


def _decode_observation(data: bytes) -> CaptchaObservation | None:
    """Read what a worker of any release has seen; None where this one can't."""
    try:
        return build(CaptchaObservation, parse_object(data))
    except UnreadableRecord as error:
        _logger.debug("an observation is left out: %s", error)
        return None


def _decode_state(host: str, data: bytes | None) -> CaptchaState:
    """Read a target's state; one that can't be read, or that fits another release's bets, begins anew."""
    if data is None:
        return CaptchaState()
    try:
        return build(CaptchaState, parse_object(data))
    except UnreadableRecord as error:
        _logger.warning("the baseline of %s is begun anew: %s", host, error)
        return CaptchaState()
