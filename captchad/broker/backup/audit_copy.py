"""Copies the audit log while it is written to: a chain, and exactly the entries between its beginning and its end."""

from collections.abc import AsyncIterator

from captchad.broker.backup.entries import AuditRow, Entry, PlainKey, PlainType, pair_up
from captchad.broker.backup.plain_keys import flatten_value, read_plain_key
from captchad.broker.connection import Broker
from captchad.broker.redis_keys import AUDIT_CHAIN, AUDIT_LOG

PAGE_ENTRIES = 500
_OF_TRIMMING = (b"anchor_sequence", b"anchor_link", b"broken_at")

Page = list[tuple[bytes, dict[bytes, bytes]]]


async def read_audit_log(broker: Broker) -> AsyncIterator[Entry]:
    """Yield the chain, then its entries as they are, tampered with or not."""
    before = await _read_chain(broker)
    page = await _read_page(broker, "-")
    after = await _read_chain(broker)
    if not before:
        return
    # It ends where it did at first, and begins where it did once the first page was read.
    chain = before | {name: after[name] for name in _OF_TRIMMING if name in after}
    yield PlainKey(AUDIT_CHAIN, PlainType.HASH, None, flatten_value(PlainType.HASH, chain))
    begun, anchor, end = (
        _number(before, b"anchor_sequence"),
        _number(chain, b"anchor_sequence"),
        _number(chain, b"sequence"),
    )
    while page:
        for _, fields in page:
            number = _number(fields, b"n")
            if not begun < number <= anchor and number <= end:
                yield AuditRow(fields)
        page = await _read_page(broker, f"({page[-1][0].decode()}") if len(page) == PAGE_ENTRIES else []


async def _read_chain(broker: Broker) -> dict[bytes, bytes]:
    found = await read_plain_key(broker, AUDIT_CHAIN, PlainType.HASH)
    return pair_up(found.values) if found is not None else {}


async def _read_page(broker: Broker, first: str) -> Page:
    async with broker.guard():
        page: Page = await broker.client.xrange(AUDIT_LOG, first, "+", PAGE_ENTRIES)
    return page


def _number(fields: dict[bytes, bytes], name: bytes) -> int:
    value = fields.get(name, b"")
    return int(value) if value.isdigit() else 0
