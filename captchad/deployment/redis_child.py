"""The embedded Redis as a supervised process."""

from captchad.broker.embedded import EmbeddedRedis


class RedisChild:
    """Returns the embedded server the shape that the supervision expects."""

    name = "redis"

    def __init__(self, server: EmbeddedRedis) -> None:
        self._server = server

    async def start(self) -> None:
        """Start the server; it answers when this returns."""
        await self._server.start()

    async def wait_until_ready(self) -> None:
        """Return at once: a started server is ready."""

    async def wait(self) -> int:
        """Return the exit code once the server has ended."""
        return await self._server.wait()

    async def stop(self) -> None:
        """Let the server write what it has, end it, and let its folder go."""
        await self._server.close()

    def kill(self) -> None:
        """Do nothing: the server ends within moments when it is stopped, and its data is worth them."""

    def reload(self) -> None:
        """Do nothing: it has no configuration of its own."""

    def read_last_lines(self, count: int) -> list[str]:
        """Return the end of the server's log."""
        return self._server.read_last_log_lines(count)
