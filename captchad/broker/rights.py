"""Checks at the start that Redis allows all that captchad does there: what lacks later leaves work half done."""

from captchad.broker.connection import Broker
from captchad.broker.redis_keys import RIGHTS
from captchad.domain.errors import BrokerForbidden, ConfigurationError, ConfigurationProblem
from captchad.runtime.service import Service

ADVICE = "give the user the rights of config/redis.acl"


class Rights(Service):
    """Refuses to start where a right is missing, and names it."""

    name = "rights"

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def start(self) -> None:
        """Try all commands and channels; where Redis is away, once it is back."""
        is_checked = False
        while not is_checked:
            async with self._broker.waited_out():
                await self._check()
                is_checked = True

    async def _check(self) -> None:
        try:
            # Channels first: without them PUBLISH is refused too, and the command would seem to be what lacks.
            await self._check_channels()
            await self._check_commands()
        except BrokerForbidden as error:
            raise _refuse(error.message) from error

    async def _check_commands(self) -> None:
        refused = await self._broker.run_fleet_script("rights", [RIGHTS, f"{self._broker.node_events}:rights"], [])
        if refused:
            commands = ", ".join(sorted({f"+{name.decode().lower()}" for name in refused}))
            raise _refuse(f"Redis refuses the user what captchad needs on captchad:*: {commands}")

    async def _check_channels(self) -> None:
        channels = [self._broker.node_events, *(keys.events for keys in self._broker.partitions)]
        async with self._broker.guard():
            subscriber = self._broker.blocking_client.pubsub()
        try:
            async with self._broker.guard():
                await subscriber.subscribe(*channels)
                for _ in channels:
                    await subscriber.get_message(timeout=None)
        except BrokerForbidden:
            raise _refuse("Redis refuses the user the channels that captchad needs: &captchad:*, +subscribe") from None
        finally:
            await subscriber.aclose()


def _refuse(message: str) -> ConfigurationError:
    return ConfigurationError((ConfigurationProblem("redis", f"{message}; {ADVICE}"),))
