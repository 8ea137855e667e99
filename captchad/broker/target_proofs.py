"""Proofs of ownership as they are stored: the installation's token, and what is known of each target."""

import secrets
from collections.abc import Sequence

from captchad.broker.connection import Argument, Broker
from captchad.broker.redis_keys import PROOF, TargetKeys
from captchad.broker.statistics import Statistics
from captchad.domain.proof import Installation, KnownProofs, ProofRecord, ProofWay

PREFIX = "captchad-"
TOKEN_BYTES = 16
FINDING_LENGTH_LIMIT = 500
_FIELDS = ("first_seen_ms", "stood", "proven_ms", "way", "lapsed_ms", "checked_ms", "finding")


class TargetProofs:
    """Reads and writes what proves whose targets are."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def ensure_installation(self) -> Installation:
        """Return the installation; its token is made where there is none yet."""
        found = await self._read_installation()
        if found is not None:
            return found
        # Without tasks so far it is new, and nothing of it can have stood before.
        stood = (await Statistics(self._broker).totals()).submitted > 0
        token = PREFIX + secrets.token_hex(TOKEN_BYTES)
        await self._broker.run_fleet_script("proof_token", [PROOF], [token, int(stood)])
        made = await self._read_installation()
        return made if made is not None else Installation(token, await self._broker.time_ms(), stood)

    async def note_listed(self) -> None:
        """Note that each target that stood before proofs were asked for has a record of its own by now."""
        now_ms = await self._broker.time_ms()
        async with self._broker.guard():
            await self._broker.client.hset(PROOF, "listed_ms", now_ms)

    async def read(self, hosts: Sequence[str]) -> KnownProofs:
        """Return what is known now of those targets, by their host as it is declared."""
        installation = await self.ensure_installation()
        now_ms = await self._broker.time_ms()
        async with self._broker.guard():
            pipeline = self._broker.client.pipeline(transaction=False)
            for host in hosts:
                pipeline.hmget(TargetKeys(host).proof, _FIELDS)
            rows = await pipeline.execute()
        records = {host: _decode(row) for host, row in zip(hosts, rows, strict=True)}
        return KnownProofs(installation, {host: one for host, one in records.items() if one is not None}, now_ms)

    async def write(self, host: str, record: ProofRecord, *, is_news: bool) -> None:
        """Replace what is known of a target; with `is_news` the fleet is told, so that it counts at once."""
        times = (record.proven_ms, record.way, record.lapsed_ms, record.checked_ms)
        values: list[Argument] = ["" if value is None else value for value in times]
        fields = [record.first_seen_ms, int(record.stood), *values, record.finding[:FINDING_LENGTH_LIMIT]]
        pairs: list[Argument] = [part for pair in zip(_FIELDS, fields, strict=True) for part in pair]
        arguments: list[Argument] = [host, self._broker.node_events, "proof_changed" if is_news else "", *pairs]
        await self._broker.run_fleet_script("change_target", [TargetKeys(host).proof], arguments)

    async def _read_installation(self) -> Installation | None:
        async with self._broker.guard():
            token, made_ms, stood, listed_ms = await self._broker.client.hmget(
                PROOF, "token", "made_ms", "stood", "listed_ms"
            )
        if token is None:
            return None
        return Installation(token.decode(), int(made_ms or 0), stood == b"1", listed_ms is not None)


def _decode(row: Sequence[bytes | None]) -> ProofRecord | None:
    first_seen, stood, proven, way, lapsed, checked, finding = row
    if first_seen is None:
        return None
    # A way that only a newer release knows counts as a proof all the same; what it lapses by, that release says.
    ways = [one for one in ProofWay if way == one.encode()]
    return ProofRecord(
        int(first_seen),
        stood == b"1",
        _read_time(proven),
        ways[0] if ways else None,
        _read_time(lapsed),
        _read_time(checked),
        (finding or b"").decode(errors="replace"),
    )


def _read_time(text: bytes | None) -> int | None:
    return int(text) if text else None
