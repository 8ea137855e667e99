"""Reports on answers, from outside: what they need, what they become, and who may make them."""

from typing import Any

from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Settlement
from captchad.broker.labels import LabelStream
from captchad.domain.api_key import Scope
from captchad.domain.label import CollectedAnswers, Label
from captchad.domain.recognition import CaptchaKind, Character
from captchad.domain.task import TaskResult
from captchad.web.api.answers import ReportedAnswer
from tests.integration.gateway.conftest import RunningGateway, StartGateway, configure
from tests.integration.gateway.test_sessions import PNG, make_worker, take

HOST = "captcha.example.com"
TEXT = TaskResult("7KM4", 0.9, CaptchaKind.TEXT, "test")
SUM = TaskResult("8", 0.9, CaptchaKind.MATH, "test", tuple(Character(one, 0.9) for one in "3+5=?"), expression="3 + 5")


async def answer_task(gateway: RunningGateway, broker: Broker, result: TaskResult = TEXT, picture: bytes = PNG) -> str:
    """Submit a task and answer it, with the picture kept for a report."""
    task_id = await gateway.submit()
    delivery = await take(broker)
    answers = CollectedAnswers(HOST, (), picture)
    settlement = Settlement(delivery, AttemptOutcome.COMPLETED, result=result, answers=answers)
    assert await make_worker(broker).settle([settlement]) == ["completed"]
    return task_id


async def report(
    gateway: RunningGateway, task_id: str, body: Any, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    async with gateway.session.post(f"/report_answer/{task_id}", json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def last_label(broker: Broker) -> Label:
    label = (await LabelStream(broker, broker.partitions[0]).wait(100))[-1].label
    assert label is not None
    return label


async def test_a_report_becomes_a_label(gateway: RunningGateway, broker: Broker) -> None:
    task_id = await answer_task(gateway, broker)
    for body, text, verdict in (
        ({"right": True}, "7KM4", "right"),
        ({"right": True, "text": "7kM4"}, "7kM4", "right"),
        ({"right": False}, "7KM4", "wrong"),
        ({"right": False, "text": " 7XM4 "}, "7XM4", "right"),
    ):
        status, answer = await report(gateway, task_id, body)
        assert (status, answer) == (200, {"task_id": task_id, "kept": True, "reason": None})
        ReportedAnswer.model_validate(answer, strict=True)
        label = await last_label(broker)
        assert (label.text, label.verdict, label.host, label.who) == (text, verdict, HOST, "anonymous")


async def test_of_arithmetic_the_label_has_what_is_drawn(gateway: RunningGateway, broker: Broker) -> None:
    task_id = await answer_task(gateway, broker, SUM)
    for body, text, verdict in (
        ({"right": True}, "3+5=?", "right"),
        ({"right": True, "text": "8"}, "3+5=?", "right"),
        ({"right": False, "text": "9"}, "3+5=?", "wrong"),
        ({"right": False, "text": "3+6=?"}, "3+6=?", "right"),
    ):
        assert (await report(gateway, task_id, body))[0] == 200
        label = await last_label(broker)
        assert (label.text, label.verdict) == (text, verdict)


async def test_a_report_that_contradicts_itself_is_refused(gateway: RunningGateway, broker: Broker) -> None:
    task_id = await answer_task(gateway, broker)
    for body, pointer in (
        ({"right": True, "text": "other"}, "/text"),
        ({"right": False, "text": "7KM4"}, "/text"),
        ({"right": False, "text": ""}, "/text"),
        ({"right": False, "text": "a\u202eb"}, "/text"),
        ({"right": False, "text": "a" * 65}, "/text"),
        ({"right": "yes"}, "/right"),
        ({}, "/right"),
        ({"right": True, "wrong": True}, "/wrong"),
        ({"right": True, "text": None}, "/text"),
    ):
        status, answer = await report(gateway, task_id, body)
        assert (status, answer["code"]) == (400, "invalid_request"), body
        assert [violation["pointer"] for violation in answer["violations"]] == [pointer], body


async def test_only_a_task_with_an_answer_can_be_reported_on(gateway: RunningGateway) -> None:
    task_id = await gateway.submit()
    status, answer = await report(gateway, task_id, {"right": True})
    assert (status, answer["code"]) == (409, "no_answer")
    assert "it is pending" in answer["detail"]
    status, answer = await report(gateway, "task_00" + "a" * 26, {"right": True})
    assert (status, answer["code"]) == (404, "task_not_found")


async def test_why_no_label_was_made_is_said(gateway: RunningGateway, broker: Broker) -> None:
    task_id = await answer_task(gateway, broker, picture=b"")
    assert (await report(gateway, task_id, {"right": True}))[1]["reason"] == "picture_gone"
    elsewhere = await gateway.submit(url="http://127.0.0.1:8085/")
    settlement = Settlement(await take(broker), AttemptOutcome.COMPLETED, result=TEXT)
    await make_worker(broker).settle([settlement])
    status, answer = await report(gateway, elsewhere, {"right": True})
    assert (status, answer) == (200, {"task_id": elsewhere, "kept": False, "reason": "not_collected"})


async def test_others_tasks_are_reported_on_by_admins_alone(start_gateway: StartGateway, broker: Broker) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        keys = {}
        for name, scopes in (
            ("ann", {Scope.SUBMIT}),
            ("bob", {Scope.SUBMIT, Scope.READ_ALL}),
            ("carl", {Scope.SUBMIT}),
            ("reader", {Scope.READ}),
            ("admin", {Scope.ADMIN}),
        ):
            text, key = await gateway.keys.create(name, frozenset(scopes), ())
            keys[name] = ({"X-API-Key": text}, key.key_id)
        body = {"url": f"http://{HOST}/"}
        async with gateway.session.post("/submit_task", json=body, headers=keys["ann"][0]) as submitted:
            task_id = (await submitted.json())["task_id"]
        settlement = Settlement(
            await take(broker), AttemptOutcome.COMPLETED, result=TEXT, answers=CollectedAnswers(HOST, (), PNG)
        )
        await make_worker(broker).settle([settlement])
        for name, status in (("ann", 200), ("bob", 403), ("carl", 404), ("reader", 403), ("admin", 200)):
            assert (await report(gateway, task_id, {"right": True}, keys[name][0]))[0] == status, name
        assert (await last_label(broker)).who == keys["admin"][1]
