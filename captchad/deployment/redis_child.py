"""The embedded Redis as a supervised process."""

from captchad.broker.embedded import EmbeddedRedis


class RedisChild:
    """Adapts the embedded server to the supervision."""

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
        """Let the server save its data, end it, and release its folder."""
        await self._server.close()

    def kill(self) -> None:
        """Do nothing: the server stops quickly anyway, and must save its data first."""

    def reload(self) -> None:
        """Do nothing: it has no configuration of its own."""

    def read_last_words(self, count: int) -> list[str]:
        """Return the end of the server's log."""
        return self._server.read_last_log_lines(count)
