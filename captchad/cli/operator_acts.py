"""Writes to the audit log what a command has done to files of this host, or in Redis by a hand of its own."""

from typing import Any

from captchad.cli.broker_connection import open_broker, run_connected
from captchad.cli.printing import say
from captchad.config.loader import LoadedConfiguration
from captchad.domain.errors import BrokerUnavailable
from captchad.operations.audited import audited


def note_done(loaded: LoadedConfiguration, action: str, **object_: Any) -> None:
    """Write down what was done; where Redis does not answer, say that this is missing there."""
    try:
        run_connected(_note(loaded, action, object_))
    except BrokerUnavailable as error:
        say(f"this is not in the audit log: {error.message}", is_error=True)


async def _note(loaded: LoadedConfiguration, action: str, object_: dict[str, Any]) -> None:
    async with open_broker(loaded) as broker, audited(broker, loaded.configuration, action, **object_):
        pass
