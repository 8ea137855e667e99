"""What all connections of a server share: its table of them, its figures, and what every answer says of TLS."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from captchad.telemetry.metrics import ConnectionEnd, Metrics
from captchad.web.connections import ConnectionTable


class Guest(Protocol):
    """A connection as the table's limits see it, whether it is shaking hands or asking."""

    def give_up(self) -> None:
        """Close the connection now, whatever is still to be sent."""


@dataclass(frozen=True, slots=True)
class ConnectionDesk:
    """Where connections enter; `strict_transport_security_seconds` 0 without TLS."""

    table: ConnectionTable[Guest]
    metrics: Metrics | None = None
    strict_transport_security_seconds: int = 0

    def enter(self, guest: Guest, transport: asyncio.BaseTransport, door: Guest | None = None) -> None:
        """Enter a connection into the table, in the place of its `door`, and close the one that is too many."""
        if door is not None:
            self.table.leave(door)
        peer = transport.get_extra_info("peername")
        surplus = self.table.enter(guest, peer[0] if isinstance(peer, tuple) else None)
        if surplus is not None:
            self.note_closed("surplus")
            # At once: until its end is noticed, it would be chosen again in the place of the next one.
            self.table.leave(surplus)
            surplus.give_up()

    def note_closed(self, reason: ConnectionEnd) -> None:
        """Count a connection that was closed on its caller."""
        if self.metrics is not None:
            self.metrics.record_connection_closed(reason)

    def note_refusal(self, code: str) -> None:
        """Count a request that was refused before it reached the gate."""
        if self.metrics is not None:
            self.metrics.record_refusal(code)
