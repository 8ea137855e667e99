"""Asks the server itself: by a write that changes nothing, and so is refused when renewals are."""

from dataclasses import dataclass

from captchad.broker.connection import Broker
from captchad.broker.redis_keys import CONTACT


@dataclass(frozen=True, slots=True)
class ServerSign:
    """What a server said of itself; the run id changes with every start and failover, the time is Redis TIME."""

    run_id: str
    time_ms: int
    is_full: bool


async def contact_server(broker: Broker) -> ServerSign:
    """Return the sign of a server that takes writes; BrokerRefused where it doesn't."""
    run_id, time_ms, is_full = await broker.run_fleet_script("contact", [CONTACT], [])
    return ServerSign(run_id.decode(), time_ms, bool(is_full))
