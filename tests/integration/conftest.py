"""Fixtures for tests against a real Redis."""

import pytest

from captchad.broker.connection import Broker
from captchad.broker.housekeeping import Housekeeping
from captchad.broker.tasks import TaskStore
from captchad.config.settings import SchedulerSection
from tests.integration.protocol import LIMITS, Partition


@pytest.fixture
def partition(broker: Broker) -> Partition:
    """Partition 0 of an empty Redis."""
    housekeeping = Housekeeping(broker, broker.partitions[0], SchedulerSection())
    return Partition(broker, TaskStore(broker, LIMITS), housekeeping)
