"""The audit log in Redis: one chain for an installation, appended to by one script, bounded by number and age."""

import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any

from captchad.broker.connection import Argument, Broker
from captchad.broker.redis_keys import AUDIT_CHAIN, AUDIT_LOG
from captchad.config.settings import AuditLogSection
from captchad.domain.audit import AuditEntry, Chain, Mark, digest_act

MS = 1000
PAGE_ENTRIES = 500
NUMBER_DIGITS = 15
LATEST_MS = 253_402_300_799_999
"""The end of the year 9999: what is stored may be forged, and no later moment can be shown."""
_NAME_BYTES = 16
_FIELDS = frozenset({b"n", b"at_ms", b"act", b"link"})


class AuditLog:
    """Appends and reads entries."""

    def __init__(self, broker: Broker, config: AuditLogSection) -> None:
        self._broker = broker
        self._config = config

    @property
    def is_kept(self) -> bool:
        """Whether there is an audit log at all."""
        return self._config.limit > 0

    async def append(self, acts: Sequence[bytes]) -> None:
        """Append acts as they are encoded; without any, what is too old is trimmed."""
        if not self.is_kept:
            return
        arguments: list[Argument] = [self._config.limit, self._config.retention_seconds * MS]
        arguments.append(secrets.token_hex(_NAME_BYTES))
        for act in acts:
            arguments += [act, digest_act(act)]
        await self._broker.run_fleet_script("audit_append", [AUDIT_LOG, AUDIT_CHAIN], arguments)

    async def read_chain(self) -> Chain | None:
        """Return where the chain begins and ends; None where nothing was ever written, or that is gone."""
        async with self._broker.guard():
            fields = await self._broker.client.hgetall(AUDIT_CHAIN)
        found = {name.decode(): value.decode() for name, value in fields.items()}
        if "sequence" not in found:
            return None
        return Chain(
            Mark(_read_number(found.get("anchor_sequence")), found.get("anchor_link", "")),
            Mark(_read_number(found["sequence"]), found.get("link", "")),
            _read_number(found["broken_at"]) if "broken_at" in found else None,
        )

    async def read_whole(self) -> tuple[list[AuditEntry], Chain | None]:
        """Return a chain and its entries, although others are written and trimmed meanwhile."""
        before = await self.read_chain()
        entries = [entry async for entry in self.read()]
        after = await self.read_chain()
        if before is None or after is None:
            return entries, after
        chain = Chain(after.anchor, before.head, after.broken_at)
        trimmed = range(before.anchor.sequence + 1, after.anchor.sequence + 1)
        written = range(before.head.sequence + 1, after.head.sequence + 1)
        return [one for one in entries if one.sequence not in trimmed and one.sequence not in written], chain

    async def find_kept_since_ms(self) -> int | None:
        """Return since when no entry was due to be trimmed; None where the log is full, and any may have been."""
        chain = await self.read_chain()
        if chain is None or chain.head.sequence - chain.anchor.sequence >= self._config.limit:
            return None
        return await self._broker.time_ms() - self._config.retention_seconds * MS

    async def read(self) -> AsyncIterator[AuditEntry]:
        """Yield every entry, the oldest first; one that is none of ours has the number 0."""
        last = "-"
        while True:
            async with self._broker.guard():
                found = await self._broker.client.xrange(AUDIT_LOG, last, "+", PAGE_ENTRIES)
            for _, fields in found:
                yield read_entry(fields)
            if len(found) < PAGE_ENTRIES:
                return
            last = f"({found[-1][0].decode()}"


def read_entry(fields: dict[bytes, bytes]) -> AuditEntry:
    """Return an entry as it is stored."""
    return AuditEntry(
        _read_number(fields.get(b"n")),
        _read_number(fields.get(b"at_ms")),
        fields.get(b"act", b""),
        fields.get(b"link", b"").decode(errors="replace"),
        has_more=not fields.keys() <= _FIELDS,
    )


def _read_number(value: Any) -> int:
    number = int(value) if value and value.isdigit() and len(value) <= NUMBER_DIGITS else 0
    return number if number <= LATEST_MS else 0
