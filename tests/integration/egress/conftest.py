"""A proxy of the test's own, for the tests of what a client sees of it."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.egress.network import Network


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    network = Network()
    await network.start()
    yield network
    await network.stop()
