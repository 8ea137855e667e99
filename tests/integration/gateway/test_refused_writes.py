"""A gateway before a Redis that takes no writes: whoever only reads is answered, whoever writes is told why not."""

from pathlib import Path

import pytest

from captchad.config.settings import GatewaySection, RateLimitSection
from tests.integration.gateway.conftest import StartGateway, configure
from tests.redis_server import RedisServer
from tests.refusals import READ_ONLY, open_client


@pytest.fixture
def redis_url(own_redis: RedisServer) -> str:
    """A Redis that the tests of this file may change."""
    return own_redis.url


async def test_a_rate_limit_that_cannot_be_charged_lets_reads_pass(
    start_gateway: StartGateway, own_redis: RedisServer, tmp_path: Path
) -> None:
    limited = GatewaySection(rate_limit=RateLimitSection(requests_per_minute=600, burst_size=100))
    async with start_gateway(configure(limited)) as gateway:
        task_id = await gateway.submit()
        with open_client(own_redis) as client:
            READ_ONLY.begin(client, tmp_path)
            async with gateway.session.get(f"/task_status/{task_id}") as answer:
                assert (answer.status, (await answer.json())["status"]) == (200, "pending")
            async with gateway.session.post("/submit_task", json={"url": "http://captcha.example.com/"}) as answer:
                problem = await answer.json()
            assert (answer.status, problem["code"]) == (503, "broker_unavailable")
            assert problem["detail"].startswith("Redis takes no writes: ")
            assert "task_id" not in problem
            READ_ONLY.end(client, tmp_path)
        await gateway.submit()
