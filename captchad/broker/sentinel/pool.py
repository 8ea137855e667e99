"""Connections to whichever server the Sentinels call the master."""

from typing import Any
from weakref import WeakKeyDictionary

from redis import exceptions

from captchad.broker.keeping_pool import KeepingPool
from captchad.broker.sentinel.watch import MasterWatch
from captchad.runtime.clock import Clock

ROLE_CHECK_SECONDS = 1.0


class MasterPool(KeepingPool):
    """Lends no connection that leads elsewhere, and none whose server has not called itself a master lately.

    A server is asked on each connection that is new, or was last asked a second ago or before the last doubt.
    """

    def __init__(self, masters: MasterWatch, clock: Clock, **options: Any) -> None:
        super().__init__(**options)
        self._masters = masters
        self._clock = clock
        self._checked: WeakKeyDictionary[Any, tuple[float, int]] = WeakKeyDictionary()
        masters.add_pool(self)

    async def get_connection(self, *arguments: Any, **options: Any) -> Any:
        """Return a connection to the master; while that changes, wait before one of the pool's places is taken."""
        await self._masters.wait_settled()
        return await super().get_connection(*arguments, **options)  # type: ignore[no-untyped-call]

    async def ensure_connection(self, connection: Any) -> None:
        """Connect to the master and see that it is one."""
        address = self._masters.address
        if (connection.host, connection.port) != address:
            await connection.disconnect()
            connection.host, connection.port = address
        if not connection.is_connected:
            self._checked.pop(connection, None)
        await super().ensure_connection(connection)
        checked_seconds, doubts = self._checked.get(connection, (float("-inf"), 0))
        now_seconds = self._clock.monotonic_seconds()
        if now_seconds - checked_seconds > ROLE_CHECK_SECONDS or doubts != self._masters.doubts:
            self._checked[connection] = now_seconds, self._masters.doubts
            await self._check_role(connection)
        if address != self._masters.address:
            await connection.disconnect()
            raise exceptions.ConnectionError("the Redis master changed")

    async def _check_role(self, connection: Any) -> None:
        await connection.send_command("ROLE")
        role, *_ = await connection.read_response()
        if role != b"master":
            await connection.disconnect()
            raise exceptions.ConnectionError(
                f"{connection.host}:{connection.port} is the master to the Sentinels, but calls itself {role.decode()}"
            )
