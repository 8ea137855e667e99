"""A callback is admitted at submit, or refused with the reason at its own field."""

from typing import Any

import pytest
from pydantic import SecretStr

from tests.integration.gateway.conftest import StartGateway, configure

PAGE = "http://captcha.example.com/"
PLACE = "https://hooks.example.com/done"


async def submit(start_gateway: StartGateway, path: str, body: Any, *hosts: str) -> tuple[int, dict[str, Any]]:
    configuration = configure(callback_hosts=hosts, callback_secret=SecretStr("s" * 32))
    async with start_gateway(configuration) as gateway, gateway.session.post(path, json=body) as response:
        return response.status, await response.json(content_type=None)


async def test_a_declared_receiver_is_taken(start_gateway: StartGateway) -> None:
    status, _ = await submit(start_gateway, "/submit_task", {"url": PAGE, "callback_url": PLACE}, "hooks.example.com")
    assert status == 202


@pytest.mark.parametrize("hosts", [(), ("other.example.com",), ("hooks.example.com:8443",)])
async def test_any_other_is_refused_at_its_field(start_gateway: StartGateway, hosts: tuple[str, ...]) -> None:
    tasks = {"tasks": [{"url": PAGE}, {"url": PAGE, "callback_url": PLACE}]}
    status, problem = await submit(start_gateway, "/submit_batch", tasks, *hosts)
    assert (status, problem["code"]) == (400, "invalid_request")
    assert [one["pointer"] for one in problem["violations"]] == ["/tasks/1/callback_url"]
    assert "security.callback_hosts" in problem["violations"][0]["message"]


async def test_a_private_address_is_refused_at_once(start_gateway: StartGateway) -> None:
    body = {"url": PAGE, "callback_url": "http://169.254.169.254/latest"}
    status, problem = await submit(start_gateway, "/submit_task", body, "169.254.169.254")
    assert (status, problem["violations"][0]["pointer"]) == (400, "/callback_url")
