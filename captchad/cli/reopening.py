"""Reopens a target in Redis; apart, since the other commands about targets need no Redis driver."""

from captchad.broker.target_closures import Reopening, TargetClosures
from captchad.cli.broker_connection import open_broker, run_connected
from captchad.config.loader import LoadedConfiguration
from captchad.operations.audited import audited


def reopen_target(loaded: LoadedConfiguration, host: str) -> Reopening:
    """Let a declared target be visited again; BrokerUnavailable where Redis does not answer."""
    return run_connected(_reopen(loaded, host))


async def _reopen(loaded: LoadedConfiguration, host: str) -> Reopening:
    async with open_broker(loaded) as broker, audited(broker, loaded.configuration, "targets_reopen", host=host):
        return await TargetClosures(broker).reopen(host)
