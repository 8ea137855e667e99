"""Learned models on their way from the learner to every worker: each target's present and former one."""

from collections.abc import Sequence

from captchad.broker.connection import Argument, Broker
from captchad.broker.redis_keys import TargetKeys
from captchad.domain.label import write_time
from captchad.domain.learned_model import MODEL_LIMIT_BYTES, ModelChoice, find_digest

EXPIRY_MS = 3_600_000
"""How long a model can still be fetched that is neither present nor former any more."""


class LearnedModels:
    """The models of all targets in Redis. The present and the former one of a target never expire."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def read(self, hosts: Sequence[str]) -> dict[str, ModelChoice]:
        """Return the models of those targets, by their declared host, that have ever had a learned one."""
        async with self._broker.guard():
            pipeline = self._broker.client.pipeline(transaction=False)
            for host in hosts:
                pipeline.hmget(TargetKeys(host).model, "present", "former", "at_ms")
            rows = await pipeline.execute()
        return {host: _decode(*row) for host, row in zip(hosts, rows, strict=True) if row[0] is not None}

    async def fetch(self, host: str, digest: str) -> bytes | None:
        """Return a model's file as it is stored, whatever it may hold; None where there is none."""
        async with self._broker.guard():
            found: bytes | None = await self._broker.client.get(TargetKeys(host).models + digest)
        return found

    async def install(self, host: str, file: bytes, replaced: str) -> str | None:
        """Make a model the target's present one in place of `replaced`, tell the fleet, and return its digest.

        None where another one is present by now. BrokerFull where Redis has no room for it.
        """
        if len(file) > MODEL_LIMIT_BYTES:
            raise ValueError(f"a model of {len(file)} bytes is larger than the {MODEL_LIMIT_BYTES} that are handed on")
        keys, digest = TargetKeys(host), find_digest(file)
        arguments: list[Argument] = [host, self._broker.node_events, replaced, digest, file, EXPIRY_MS]
        is_installed = await self._broker.run_fleet_script("install_model", [keys.model, keys.models], arguments)
        return digest if is_installed else None

    async def roll_back(self, host: str) -> ModelChoice | None:
        """Put the former model back and tell the fleet; None where there is none."""
        arguments = [host, self._broker.node_events]
        if not await self._broker.run_fleet_script("roll_back_model", [TargetKeys(host).model], arguments):
            return None
        return (await self.read([host]))[host]


def _decode(present: bytes, former: bytes | None, at_ms: bytes | None) -> ModelChoice:
    at = write_time(int(at_ms)) if at_ms else ""
    return ModelChoice(present.decode(), None if former is None else former.decode(), at)
