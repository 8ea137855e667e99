"""The createTask family, as clients of Anti-Captcha, CapMonster and 2captcha send it."""

import json
from typing import Any

import pytest

from captchad.broker.connection import Broker
from captchad.domain.errors import TaskErrorCode
from captchad.domain.recognition import CaptchaKind, Hints, Position, Side
from captchad.domain.task import TaskError, TaskResult
from captchad.web.compatibility.create_task import RIGHT_REPORTS, WRONG_REPORTS
from captchad.web.compatibility.numbers import NUMBER_LIMIT
from tests.integration.gateway.compatibility.conftest import PICTURE, WRONG_KEY, Solver, speak
from tests.integration.gateway.conftest import StartGateway
from tests.integration.gateway.test_reports import last_label
from tests.integration.gateway.test_sessions import PNG, take

KNOWN_MEMBERS = {"errorId", "status", "solution", "cost", "ip", "createTime", "endTime", "solveCount"}
"""All that the strictest client, python-rucaptcha, takes in a reply of getTaskResult, beside those of an error."""
ERROR_MEMBERS = {"errorId", "errorCode", "errorDescription"}


async def test_a_task_is_polled_by_number_or_text_until_it_is_ready(solver: Solver) -> None:
    number = await solver.create()
    assert 0 < number < NUMBER_LIMIT
    for spelled in (number, str(number), float(number) if number < 2**50 else number):
        assert await solver.ask("/getTaskResult", taskId=spelled) == {"errorId": 0, "status": "processing"}
    delivery = await solver.solve()
    assert delivery.request.picture == PNG
    for spelled in (number, str(number)):
        answer = await solver.ask("/getTaskResult", taskId=spelled)
        assert set(answer) <= KNOWN_MEMBERS
        assert (answer["errorId"], answer["status"], answer["solution"]) == (0, "ready", {"text": "7KM4"})
        assert answer["createTime"] <= answer["endTime"]
        assert float(answer["cost"]) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"callbackUrl": None, "languagePool": "en", "soft_id": "1899"},
        {"callbackUrl": "", "softId": 847},
    ],
)
async def test_what_clients_send_besides_is_taken(solver: Solver, fields: dict[str, Any]) -> None:
    task = {"type": "ImageToTextTask", "body": PICTURE, "CapMonsterModule": "universal", "nocache": True}
    assert (await solver.ask("/createTask", task=task, **fields))["errorId"] == 0


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", None])
async def test_the_body_is_json_whatever_its_type(solver: Solver, content_type: str | None) -> None:
    body = json.dumps({"clientKey": solver.key, "task": {"type": "ImageToTextTask", "body": PICTURE}})
    headers = {} if content_type is None else {"Content-Type": content_type}
    skipped = ["Content-Type"] if content_type is None else []
    async with solver.gateway.session.post(
        "/createTask", data=body.encode(), headers=headers, skip_auto_headers=skipped
    ) as answer:
        assert (answer.status, (await answer.json())["errorId"]) == (200, 0)


@pytest.mark.parametrize(
    ("fields", "hints"),
    [
        ({}, Hints()),
        ({"case": True}, Hints(case_sensitive=True)),
        ({"Case": True, "numeric": 0, "math": False}, Hints(case_sensitive=True)),
        ({"case": False, "phrase": False, "minLength": 0, "maxLength": 0, "comment": ""}, Hints()),
        ({"numeric": 1, "minLength": 4, "maxLength": 6}, Hints("0123456789", 4, 6)),
        ({"numeric": "1", "minLength": "4"}, Hints("0123456789", 4)),
        ({"math": True, "numeric": 1}, Hints(kind=CaptchaKind.MATH)),
        ({"math": 1}, Hints(kind=CaptchaKind.MATH)),
        ({"comment": "Please type only the red letters."}, Hints(colour="red")),
        ({"comment": "请输入蓝色的字符"}, Hints(colour="blue")),
        ({"comment": "enter the last 4 characters"}, Hints(position=Position(Side.LAST, 4))),
        ({"comment": "the captcha of our login page"}, Hints()),
    ],
)
async def test_fields_become_hints(solver: Solver, fields: dict[str, Any], hints: Hints) -> None:
    await solver.create(**fields)
    assert (await take(solver.broker)).request.hints == hints


async def test_numeric_and_phrase_say_which_characters_may_occur(solver: Solver) -> None:
    for fields, letter in (({"numeric": 2}, "a"), ({"numeric": 4}, "a1"), ({"numeric": 2, "phrase": True}, "a ")):
        await solver.create(**fields)
        charset = (await take(solver.broker)).request.hints.charset
        assert charset is not None
        assert set(letter) <= set(charset)
        assert ("1" in charset, " " in charset) == ("1" in letter, " " in letter)


@pytest.mark.parametrize(
    ("task", "error_id", "code"),
    [
        (None, 22, "ERROR_TASK_ABSENT"),
        ("ImageToTextTask", 22, "ERROR_TASK_ABSENT"),
        ({}, 23, "ERROR_TASK_NOT_SUPPORTED"),
        ({"type": "RecaptchaV2TaskProxyless", "websiteURL": "http://127.0.0.1/", "websiteKey": "k"}, 23, None),
        ({"type": "TurnstileTask"}, 23, None),
        ({"type": "CoordinatesTask", "body": PICTURE}, 23, None),
        ({"type": "ImageToTextTask"}, 3, "ERROR_ZERO_CAPTCHA_FILESIZE"),
        ({"type": "ImageToTextTask", "body": ""}, 3, None),
        ({"type": "ImageToTextTask", "body": "===="}, 3, None),
        ({"type": "ImageToTextTask", "body": 5}, 3, None),
        ({"type": "ImageToTextTask", "body": "a" * (3 * 1024 * 1024)}, 4, "ERROR_TOO_BIG_CAPTCHA_FILESIZE"),
        ({"type": "ImageToTextTask", "body": "aGVsbG8="}, 15, "ERROR_IMAGE_TYPE_NOT_SUPPORTED"),
        ({"type": "ImageToTextTask", "body": "no base64!"}, 15, None),
        ({"type": "ImageToTextTask", "body": PICTURE, "numeric": 9}, 110, "ERROR_BAD_PARAMETERS"),
        ({"type": "ImageToTextTask", "body": PICTURE, "minLength": 5, "maxLength": 4}, 110, None),
        ({"type": "ImageToTextTask", "body": PICTURE, "minLength": -1}, 110, None),
        ({"type": "ImageToTextTask", "body": PICTURE, "maxLength": 65}, 110, None),
        ({"type": "ImageToTextTask", "body": PICTURE, "case": "perhaps"}, 110, None),
        ({"type": "ImageToTextTask", "body": PICTURE, "case": []}, 110, None),
        ({"type": "ImageToTextTask", "body": PICTURE, "comment": ["red"]}, 110, None),
        ({"type": "ImageToTextTask", "body": PICTURE, "comment": "x" * 513}, 110, None),
        ({"type": "ImageToTextTask", "body": PICTURE, "recognizingThreshold": 101}, 110, None),
        ({"type": "ImageToTextTask", "body": PICTURE, "comment": "type only the second letter"}, 23, None),
        ({"type": "ImageToTextTask", "body": PICTURE, "imgInstructions": PICTURE}, 23, None),
        ({"type": "ImageToTextTask", "body": PICTURE, "websiteURL": "not a url"}, 200, "ERROR_DOMAIN_NOT_ALLOWED"),
        ({"type": "ImageToTextTask", "body": PICTURE, "websiteUrl": "http://captcha.example.com/"}, 200, None),
    ],
)
async def test_what_can_not_be_taken_is_refused_in_the_dialects_words(
    solver: Solver, task: Any, error_id: int, code: str | None
) -> None:
    answer = await solver.ask("/createTask", task=task)
    assert set(answer) == ERROR_MEMBERS
    assert answer["errorId"] == error_id, answer
    assert code in {None, answer["errorCode"]}
    assert answer["errorDescription"]


async def test_a_callback_is_refused_and_not_forgotten(solver: Solver) -> None:
    task = {"type": "ImageToTextTask", "body": PICTURE}
    answer = await solver.ask("/createTask", task=task, callbackUrl="http://127.0.0.1/done")
    assert (answer["errorId"], "callbackUrl" in answer["errorDescription"]) == (110, True)


async def test_a_wrong_key_may_do_nothing(solver: Solver) -> None:
    number = await solver.create()
    for path in ("/createTask", "/getTaskResult", "/getBalance", *RIGHT_REPORTS, *WRONG_REPORTS):
        for key in (WRONG_KEY, "", None, 5, "x" * 5000, [solver.key]):
            answer = await solver.ask(path, clientKey=key, taskId=number, task={"type": "ImageToTextTask"})
            assert (answer["errorId"], answer["errorCode"]) == (1, "ERROR_KEY_DOES_NOT_EXIST"), (path, key)
            assert set(answer) == ERROR_MEMBERS


async def test_a_task_without_an_answer_is_unsolvable(solver: Solver) -> None:
    for error in (
        TaskError(TaskErrorCode.CAPTCHA_UNREADABLE, "no text can be read", is_retryable=True),
        TaskError(TaskErrorCode.DEADLINE_EXCEEDED, "it took too long", is_retryable=False),
    ):
        number = await solver.create()
        await solver.give_up(error)
        answer = await solver.ask("/getTaskResult", taskId=number)
        assert answer == {"errorId": 12, "errorCode": "ERROR_CAPTCHA_UNSOLVABLE", "errorDescription": error.message}
        assert (await solver.ask(WRONG_REPORTS[0], taskId=number))["errorCode"] == "ERROR_REPORT_NOT_RECORDED"


async def test_a_text_below_the_threshold_is_unsolvable(solver: Solver) -> None:
    for threshold, error_id in ((90, 0), (91, 12), ("91", 12), (0, 0), (None, 0)):
        number = await solver.create(recognizingThreshold=threshold)
        await solver.solve(TaskResult("7KM4", 0.9, CaptchaKind.TEXT, "test"))
        assert (await solver.ask("/getTaskResult", taskId=number))["errorId"] == error_id, threshold


@pytest.mark.parametrize("number", [0, -1, 1, NUMBER_LIMIT, 2**80, "", "x", "1" * 400, "１", None, True, 1.5, [1]])
async def test_an_unknown_task_is_said_to_be_none(solver: Solver, number: Any) -> None:
    for path in ("/getTaskResult", RIGHT_REPORTS[0], WRONG_REPORTS[0]):
        answer = await solver.ask(path, taskId=number)
        assert (answer["errorId"], answer["errorCode"]) == (16, "ERROR_NO_SUCH_CAPCHA_ID")


async def test_reports_feed_the_label_store_and_may_be_repeated(solver: Solver, broker: Broker) -> None:
    number = await solver.create()
    await solver.solve()
    for paths, verdict in ((RIGHT_REPORTS, "right"), (WRONG_REPORTS, "wrong")):
        for path in (*paths, *paths):
            answer = await solver.ask(path, taskId=str(number))
            assert answer == {"errorId": 0, "status": "success"}
        label = await last_label(broker)
        assert (label.text, label.verdict) == ("7KM4", verdict)


async def test_something_is_left_to_spend(solver: Solver) -> None:
    answer = await solver.ask("/getBalance")
    assert set(answer) == {"errorId", "balance"}
    assert answer["balance"] > 0


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b'{"a": 1, "a": 2}', b"[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(solver: Solver, body: bytes) -> None:
    for path in ("/createTask", "/getTaskResult"):
        async with solver.gateway.session.post(path, data=body) as answer:
            value = await answer.json()
            assert (answer.status, value["errorId"] > 0, set(value)) == (200, True, ERROR_MEMBERS), value


async def test_bodies_are_bounded(solver: Solver) -> None:
    for path, size_bytes in (("/createTask", 5 << 20), ("/getTaskResult", 1 << 20)):
        answer = await solver.ask(path, padding="x" * size_bytes)
        assert answer["errorId"] == 4
    answer = await solver.ask("/createTask", task={"type": "ImageToTextTask", "x": list(range(20_000))})
    assert "more than 10000 values" in json.dumps(answer) or answer["errorId"] == 110
    async with solver.gateway.session.post("/createTask", data=b"{}", headers={"Content-Encoding": "gzip"}) as refused:
        assert (refused.status, (await refused.json())["errorId"]) == (200, 110)


async def test_without_the_setting_none_of_it_is_there(start_gateway: StartGateway) -> None:
    configuration = speak().model_copy(update={"compatibility": type(speak().compatibility)()})
    async with start_gateway(configuration) as gateway:
        for path in ("/createTask", "/getTaskResult", "/in.php", "/res.php", "/ocr", "/ocr/file"):
            async with gateway.session.post(path, json={}) as answer:
                assert answer.status == 404
