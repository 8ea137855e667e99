"""A running monitor, and a fleet it watches."""

from collections.abc import AsyncIterator

import pytest

from captchad.broker.connection import Broker
from tests.integration.monitor.fleet import MonitorUnderTest, SmallFleet, make_small_fleet


@pytest.fixture
async def monitor(broker: Broker) -> AsyncIterator[MonitorUnderTest]:
    """A monitor without keys."""
    running = MonitorUnderTest(broker)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def fleet(broker: Broker) -> SmallFleet:
    """What the monitor watches."""
    return make_small_fleet(broker)
