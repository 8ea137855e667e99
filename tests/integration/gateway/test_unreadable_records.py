"""One record that can't be read does not spoil the answers about all the others."""

from typing import Any

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


DAMAGES: dict[str, dict[str, bytes]] = {
    "no JSON": {"request": b"{"},
    "a newer version": {"request": b'{"version": 2}'},
    "another type": {"request": b'{"version": 1, "target": 7}'},
    "no status of ours": {"status": b"\xff"},
    "no numbers": {"created_ms": b"x", "attempts": b"-", "started_ms": b"\xff", "completed_ms": b"soon"},
    "no result": {"status": b"completed", "result": b"{", "evidence": b"[]", "worker": b"\xff"},
    "no error": {"status": b"failed", "error": b'{"code": "of a later release"}', "replay_of": b"\xff"},
    "no session": {"status": b"completed", "returned_session": b"x"},
}


async def submit_again(gateway: RunningGateway, path: str, body: object) -> tuple[int, Any]:
    async with gateway.session.post(path, json=body, headers={"Idempotency-Key": "once"}) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
async def test_a_repeated_submit_is_answered_whatever_has_become_of_the_stored_record(
    gateway: RunningGateway, broker: Broker, damage: dict[str, bytes]
) -> None:
    task = {"url": "http://captcha.example.com/"}
    for path, body in (("/submit_task", task), ("/submit_batch", {"tasks": [task, task]})):
        status, first = await submit_again(gateway, path, body)
        assert status == 202
        submitted = first.get("tasks", [first])
        for one in submitted:
            await broker.client.hset(broker.partitions[0].task(one["task_id"]), mapping=damage)
        status, second = await submit_again(gateway, path, body)
        assert status == 202
        repeated = second.get("tasks", [second])
        assert [one["task_id"] for one in repeated] == [one["task_id"] for one in submitted]
        await broker.client.flushall()


@pytest.mark.parametrize("damage", ["gone", "another kind", "the key's own entry"])
async def test_a_repeated_submit_is_answered_where_nothing_can_be_read(
    gateway: RunningGateway, broker: Broker, damage: str
) -> None:
    body = {"url": "http://captcha.example.com/"}
    _, first = await submit_again(gateway, "/submit_task", body)
    record = broker.partitions[0].task(first["task_id"])
    if damage == "the key's own entry":
        [entry] = await broker.client.keys("*:idempotency:*")
        await broker.client.set(entry, "of another release")
    else:
        await broker.client.delete(record)
    if damage == "another kind":
        await broker.client.set(record, "x")
    status, second = await submit_again(gateway, "/submit_task", body)
    assert status == 202
    is_known = damage != "the key's own entry"
    assert (second["task_id"] == first["task_id"]) is is_known
