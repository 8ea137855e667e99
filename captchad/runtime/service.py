"""The base of every long-running part of a role, and its health."""

import asyncio
from dataclasses import dataclass, field
from typing import Any


class Service:
    """One long-running part of a process; the supervisor calls these in order.

    `start` returns once the service is ready, `run` works until cancelled (after a return or an exception it is called
    again), `drain` stops taking new work and finishes what is under way, `close` frees everything.
    """

    name: str = "service"

    async def start(self) -> None:
        """Get ready; raise to refuse to start."""

    async def run(self) -> None:
        """Work until cancelled."""
        await asyncio.Event().wait()

    async def drain(self) -> None:
        """Stop taking new work and finish what is under way."""

    async def close(self) -> None:
        """Free everything; called also after a failed start."""

    def health(self) -> "ServiceHealth":
        """Return the service's health from memory, without waiting."""
        return ServiceHealth(is_ready=True)


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """Whether a service can do its work now, why not, and figures worth showing."""

    is_ready: bool
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)
