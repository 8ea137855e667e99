"""A bounded pool of connections of which some are kept open."""

from typing import Any

from redis import asyncio as redis


class KeepingPool(redis.BlockingConnectionPool):
    """Opens up to `max_connections` and keeps `kept_connections` of them once they are idle."""

    kept_connections = 1
    _available_connections: list[Any]

    async def release(self, connection: Any) -> None:
        """Take a connection back; close it where enough are kept open already."""
        is_kept = sum(other.is_connected for other in self._available_connections) < self.kept_connections
        if not is_kept:
            await connection.disconnect()
        await super().release(connection)
        # Looked up now: the list may have been emptied meanwhile.
        idle = self._available_connections
        if not is_kept and connection in idle:
            # The pool takes from the end; what is closed must not be taken before what is open.
            idle.remove(connection)
            idle.insert(0, connection)

    async def drop_idle(self) -> None:
        """Close the idle connections.

        They leave the pool first. The driver closes them in their place, where somebody may take one meanwhile and have
        it closed in the middle of a call.
        """
        idle, self._available_connections = self._available_connections, []
        for connection in idle:
            await connection.disconnect(nowait=True)
