"""The routes about tasks, from outside."""

import asyncio
import base64

import pytest

from captchad.broker.connection import Broker
from captchad.broker.task_pages import TaskQuery
from captchad.domain.task_limits import LONGEST_WAIT_SECONDS, WAIT_LIMIT_SECONDS
from tests.integration.gateway.conftest import RunningGateway
from tests.integration.gateway.requests_to_send import make_png
from tests.patience import PATIENCE_SECONDS, until_true


async def test_a_submitted_page_is_stored_and_can_be_read(gateway: RunningGateway) -> None:
    fields = {"url": "http://captcha.example.com/login", "timeout": 60, "retry_count": 2, "metadata": {"ticket": 7}}
    async with gateway.session.post("/submit_task", json=fields) as answer:
        accepted = await answer.json()
        assert answer.status == 202
        assert answer.headers["Location"] == f"./task_status/{accepted['task_id']}"
    assert accepted["status"] == "pending"
    assert isinstance(accepted["estimated_wait_time"], int)
    async with gateway.session.get(f"/task_status/{accepted['task_id']}") as answer:
        state = await answer.json()
    assert answer.status == 200
    assert state["created_at"].endswith("Z")
    assert state | {"created_at": ""} == {
        "task_id": accepted["task_id"],
        "status": "pending",
        "result": None,
        "attempts": 0,
        "answers": 0,
        "created_at": "",
        "started_at": None,
        "completed_at": None,
        "worker": None,
        "metadata": {"ticket": 7},
    }
    request = (await gateway.store.read(accepted["task_id"])).request
    assert (request.timeout_seconds, request.retry_count, request.target) == (60, 2, "captcha.example.com")


async def test_a_submitted_picture_is_stored_with_its_bytes(gateway: RunningGateway, broker: Broker) -> None:
    picture = make_png(120, 40)
    task_id = await gateway.submit(image=base64.b64encode(picture).decode(), target="captcha.example.com")
    assert (await gateway.store.read(task_id)).request.target == "captcha.example.com"
    assert await broker.client.hget(broker.partitions[0].task(task_id), "picture") == picture


async def test_a_batch_is_stored_whole_or_not_at_all(gateway: RunningGateway) -> None:
    tasks = [{"url": f"http://captcha.example.com/{number}"} for number in range(100)]
    async with gateway.session.post("/submit_batch", json={"tasks": tasks}) as answer:
        accepted = (await answer.json())["tasks"]
    assert answer.status == 202
    assert len({task["task_id"] for task in accepted}) == 100
    assert accepted[0]["estimated_wait_time"] <= accepted[99]["estimated_wait_time"]
    tasks[99] = {"url": "http://elsewhere.example.net/"}
    async with gateway.session.post("/submit_batch", json={"tasks": tasks}) as answer:
        assert answer.status == 403
    assert len((await gateway.store.list_page(TaskQuery(limit=200))).tasks) == 100


async def test_a_charset_that_no_engine_reads_is_refused_by_name(gateway: RunningGateway) -> None:
    page = {"url": "http://captcha.example.com/"}
    async with gateway.session.post("/submit_task", json=page | {"hints": {"charset": "abあ龘"}}) as answer:
        problem = await answer.json()
    assert (answer.status, problem["code"]) == (400, "unsupported_charset")
    assert problem["violations"] == [{"pointer": "/hints/charset", "message": "no engine reads あ 龘"}]
    batch = {"tasks": [page, page | {"hints": {"charset": "€"}}]}
    async with gateway.session.post("/submit_batch", json=batch) as answer:
        problem = await answer.json()
    assert (answer.status, problem["code"]) == (400, "unsupported_charset")
    assert [one["pointer"] for one in problem["violations"]] == ["/tasks/1/hints/charset"]
    assert not (await gateway.store.list_page(TaskQuery(limit=1))).tasks
    await gateway.submit(**page, hints={"charset": "三加五乘等于?@#$яЯ۵٥"})


async def test_a_repeated_idempotency_key_gives_the_same_task(gateway: RunningGateway) -> None:
    headers = {"Idempotency-Key": "order-1", "Content-Type": "application/json"}
    first_body = b'{"url":"http://captcha.example.com/","timeout":60}'
    same_body = b'{ "timeout": 60.0, "url": "http://captcha.example.com/" }'
    answers = []
    for body in (first_body, same_body):
        async with gateway.session.post("/submit_task", data=body, headers=headers) as answer:
            assert answer.status == 202
            answers.append((await answer.json())["task_id"])
    assert answers[0] == answers[1]
    async with gateway.session.post("/submit_task", data=first_body.replace(b"60", b"61"), headers=headers) as answer:
        assert answer.status == 422
        assert (await answer.json())["code"] == "idempotency_conflict"


async def test_a_repeated_batch_gives_the_same_tasks(gateway: RunningGateway) -> None:
    headers = {"Idempotency-Key": "order-2"}
    body = {"tasks": [{"url": "http://captcha.example.com/"}] * 3}
    answers = []
    for _ in range(2):
        async with gateway.session.post("/submit_batch", json=body, headers=headers) as answer:
            answers.append([task["task_id"] for task in (await answer.json())["tasks"]])
    assert answers[0] == answers[1]
    assert len(set(answers[0])) == 3
    async with gateway.session.post("/submit_task", json=body["tasks"][0], headers=headers) as answer:
        assert answer.status == 422


async def test_a_repeated_submit_of_a_cancelled_task_says_that_it_is_cancelled(gateway: RunningGateway) -> None:
    headers, body = {"Idempotency-Key": "order-3"}, {"url": "http://captcha.example.com/"}
    async with gateway.session.post("/submit_task", json=body, headers=headers) as answer:
        task_id = (await answer.json())["task_id"]
    await gateway.store.cancel(task_id)
    async with gateway.session.post("/submit_task", json=body, headers=headers) as answer:
        assert await answer.json() == {"task_id": task_id, "status": "cancelled", "estimated_wait_time": 0}


async def test_a_waiting_status_call_answers_when_the_task_ends(gateway: RunningGateway) -> None:
    task_id = await gateway.submit()

    async def wait() -> str:
        async with gateway.session.get(f"/task_status/{task_id}?wait=30") as answer:
            return str((await answer.json())["status"])

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(wait())
        async with gateway.session.post(f"/cancel_task/{task_id}") as answer:
            assert answer.status == 200
            assert (await answer.json())["error"]["code"] == "cancelled"
    assert waiting.result() == "cancelled"


async def test_a_wait_that_ends_first_answers_the_present_state(gateway: RunningGateway) -> None:
    task_id = await gateway.submit()
    async with gateway.session.get(f"/task_status/{task_id}?wait=0.05") as answer:
        assert answer.status == 200
        assert (await answer.json())["status"] == "pending"


async def test_a_draining_gateway_answers_waits_with_the_present_state(gateway: RunningGateway) -> None:
    task_id = await gateway.submit()

    async def wait() -> tuple[int, str]:
        async with gateway.session.get(f"/task_status/{task_id}?wait=60") as answer:
            return answer.status, (await answer.json())["status"]

    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        waiting = group.create_task(wait())
        while not gateway.feed.health().details["waiters"]:
            await asyncio.sleep(0)
        gateway.feed.release_waiters()
        await gateway.server.drain()
    assert waiting.result() == (200, "pending")


async def test_a_wait_of_a_minute_is_answered_before_a_proxy_gives_up(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LONGEST_WAIT_SECONDS <= WAIT_LIMIT_SECONDS - 2
    monkeypatch.setattr("captchad.web.api.tasks.LONGEST_WAIT_SECONDS", 0.05)
    task_id = await gateway.submit()
    async with (
        asyncio.timeout(WAIT_LIMIT_SECONDS - 2),
        gateway.session.get(f"/task_status/{task_id}?wait=60") as answer,
    ):
        assert (answer.status, (await answer.json())["status"]) == (200, "pending")


async def test_a_wait_ends_with_the_connection_of_its_caller(gateway: RunningGateway) -> None:
    task_id = await gateway.submit()
    connections = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(20)]
    for _, writer in connections:
        writer.write(f"GET /task_status/{task_id}?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await until_true(lambda: gateway.server.health().details["connections"] >= 20 and count_waiters(gateway) == 1)
    for _, writer in connections:
        writer.close()
    async with asyncio.timeout(WAIT_LIMIT_SECONDS / 4):
        await until_true(lambda: count_waiters(gateway) == 0)
    async with gateway.session.get("/livez") as answer:
        assert answer.status == 200


def count_waiters(gateway: RunningGateway) -> int:
    """Return how many tasks are waited for."""
    return int(gateway.feed.health().details["waiters"])


async def test_cancelling_twice_is_fine(gateway: RunningGateway) -> None:
    task_id = await gateway.submit()
    for _ in range(2):
        async with gateway.session.post(f"/cancel_task/{task_id}") as answer:
            assert answer.status == 200
            assert (await answer.json())["status"] == "cancelled"


async def test_tasks_are_listed_newest_first_page_by_page(gateway: RunningGateway) -> None:
    task_ids = [await gateway.submit(url=f"http://captcha.example.com/{number}") for number in range(5)]
    await gateway.store.cancel(task_ids[0])
    found, cursor = [], ""
    while True:
        async with gateway.session.get(
            "/tasks", params={"limit": 2, "status": "pending"} | cursor_of(cursor)
        ) as answer:
            page = await answer.json()
        found += [task["task_id"] for task in page["tasks"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(found) == sorted(task_ids[1:])
    async with gateway.session.get("/tasks?target=other.example.com") as answer:
        assert await answer.json() == {"tasks": [], "next_cursor": None}


def cursor_of(cursor: str) -> dict[str, str]:
    return {"cursor": cursor} if cursor else {}


async def test_a_reload_of_the_targets_counts_at_once(gateway: RunningGateway) -> None:
    gateway.targets.replace(())
    async with gateway.session.post("/submit_task", json={"url": "http://captcha.example.com/"}) as answer:
        assert answer.status == 403
        assert (await answer.json())["code"] == "target_not_allowed"


async def test_a_login_in_the_url_is_refused_with_where_to_put_it(gateway: RunningGateway) -> None:
    async with gateway.session.post("/submit_task", json={"url": "http://user:pa55@captcha.example.com/"}) as answer:
        text = await answer.text()
        assert (answer.status, (await answer.json())["code"]) == (403, "target_not_allowed")
    assert "session.headers" in text
    assert "pa55" not in text
