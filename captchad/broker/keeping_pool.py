"""A bounded pool of connections of which some are kept open."""

from typing import Any

from redis import asyncio as redis


class KeepingPool(redis.BlockingConnectionPool):
    """Opens up to `max_connections` and keeps `kept_connections` of them once they are idle."""

    kept_connections = 1

    async def release(self, connection: Any) -> None:
        """Take a connection back; close it where enough are kept open already."""
        idle = self._available_connections
        is_kept = sum(other.is_connected for other in idle) < self.kept_connections
        if not is_kept:
            await connection.disconnect()
        await super().release(connection)
        if not is_kept and connection in idle:
            # The pool takes from the end; what is closed must not be taken before what is open.
            idle.remove(connection)
            idle.insert(0, connection)
