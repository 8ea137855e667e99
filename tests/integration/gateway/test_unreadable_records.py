"""One record that can't be read does not spoil the answers about all the others."""

import pytest

from captchad.broker.connection import Broker
from tests.integration.gateway.conftest import RunningGateway


@pytest.mark.parametrize("data", [b"{", b'{"version": 2}', b'{"version": 1, "target": 7}'])
async def test_a_list_and_a_status_show_it_without_what_cannot_be_read(
    gateway: RunningGateway, broker: Broker, data: bytes
) -> None:
    unreadable, readable = await gateway.submit(), await gateway.submit()
    await broker.client.hset(broker.partitions[0].task(unreadable), "request", data)
    async with gateway.session.get("/tasks?target=captcha.example.com") as answer:
        assert answer.status == 200
        listed = {task["task_id"]: task for task in (await answer.json())["tasks"]}
    assert set(listed) == {unreadable, readable}
    assert (listed[unreadable]["status"], listed[unreadable]["metadata"]) == ("pending", None)
    async with gateway.session.get(f"/task_status/{unreadable}") as answer:
        assert (answer.status, (await answer.json())["status"]) == (200, "pending")
    async with gateway.session.post(f"/cancel_task/{unreadable}") as answer:
        assert (answer.status, (await answer.json())["status"]) == (200, "cancelled")
