"""Fixtures for tests against a real Redis, and with a page in a real browser."""

from collections.abc import AsyncIterator

import pytest

from captchad.broker.connection import Broker
from captchad.broker.housekeeping import Housekeeping
from captchad.broker.tasks import TaskStore
from captchad.config.settings import SchedulerSection
from tests.integration.protocol import LIMITS, Partition
from tests.watched_page import WatchedPage, watch_page


@pytest.fixture
def partition(broker: Broker) -> Partition:
    """Partition 0 of an empty Redis."""
    housekeeping = Housekeeping(broker, broker.partitions[0], SchedulerSection())
    return Partition(broker, TaskStore(broker, LIMITS), housekeeping)


@pytest.fixture
async def watched() -> AsyncIterator[WatchedPage]:
    """A page in a real browser."""
    async with watch_page() as page:
        yield page
