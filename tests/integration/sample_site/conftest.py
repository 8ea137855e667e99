"""A running sample site and a client with a cookie jar."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from captchad.sample_site.site import SampleSite


@pytest.fixture
async def site() -> AsyncIterator[SampleSite]:
    """The site on a free port."""
    running = SampleSite()
    await running.start()
    yield running
    await running.close()


@pytest.fixture
async def visitor() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that keeps cookies also of addresses."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session
