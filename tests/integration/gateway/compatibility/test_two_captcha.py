"""2captcha's first API, in every encoding that its clients use."""

import json
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import pytest

from captchad.broker.connection import Broker
from captchad.domain.recognition import CaptchaKind, Hints
from captchad.web.compatibility.numbers import NUMBER_LIMIT
from tests.integration.gateway.compatibility.conftest import PICTURE, WRONG_KEY, Solver
from tests.integration.gateway.test_reports import last_label
from tests.integration.gateway.test_sessions import PNG, take


def make_upload(key: str, **fields: str) -> aiohttp.FormData:
    form = aiohttp.FormData({"key": key} | fields)
    form.add_field("file", PNG, filename="captcha.png", content_type="image/png")
    return form


def make_multipart(**fields: str) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        form.add_field(name, value)
    return form


def list_encodings(key: str) -> dict[str, dict[str, Any]]:
    """Return what `request` is called with, by what it is."""
    wrapped = "\r\n".join(PICTURE[at : at + 60] for at in range(0, len(PICTURE), 60))
    return {
        "urlencoded": {"data": {"key": key, "method": "base64", "body": PICTURE}},
        "a data URI": {"data": {"key": key, "method": "base64", "body": f"data:image/png;base64,{PICTURE}"}},
        "a plus that nobody escaped": {
            "data": f"key={key}&method=base64&body={PICTURE}".encode(),
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
        "no Content-Type": {
            "data": f"key={key}&method=base64&body={quote_plus(PICTURE)}".encode(),
            "skip_auto_headers": ["Content-Type"],
        },
        "broken lines": {"data": {"key": key, "method": "base64", "body": wrapped}},
        "without its end": {"data": {"key": key, "method": "base64", "body": PICTURE.rstrip("=")}},
        "a file": {"data": make_upload(key, method="post")},
        "a file and no method": {"data": make_upload(key)},
        "base64 in multipart": {"data": make_multipart(key=key, method="base64", body=PICTURE)},
        "JSON": {"json": {"key": key, "method": "base64", "body": PICTURE, "soft_id": 4587, "header_acao": 1}},
        "fields in the query string": {"params": {"key": key, "method": "post"}, "data": make_upload("")},
        "all in the query string": {"params": {"key": key, "method": "base64", "body": PICTURE}, "method": "GET"},
    }


@pytest.mark.parametrize("name", list_encodings(""))
async def test_every_encoding_brings_the_same_picture(solver: Solver, name: str) -> None:
    arguments = {"method": "POST"} | list_encodings(solver.key)[name]
    if name == "fields in the query string":
        arguments["data"] = make_upload(solver.key)
    async with solver.gateway.session.request(url="/in.php", **arguments) as answer:
        status, text = answer.status, await answer.text()
    assert (status, answer.content_type, text[:3]) == (200, "text/plain", "OK|"), text
    assert 0 < int(text[3:]) < NUMBER_LIMIT
    assert (await take(solver.broker)).request.picture == PNG


async def test_an_answer_is_polled_as_text_or_as_json(solver: Solver) -> None:
    number = (await solver.ask_form("/in.php", body=PICTURE))[3:]

    async def poll(**fields: str) -> str:
        async with solver.gateway.session.get("/res.php", params={"key": solver.key, "id": number} | fields) as answer:
            assert answer.status == 200
            return await answer.text()

    assert await poll(action="get") == "CAPCHA_NOT_READY"
    assert json.loads(await poll(action="get2", json="1")) == {"status": 0, "request": "CAPCHA_NOT_READY"}
    await solver.solve()
    assert await poll(action="get") == "OK|7KM4"
    assert await poll(action="get2") == "OK|7KM4|0"
    assert await poll(action="get", json="0") == "OK|7KM4"
    assert json.loads(await poll(action="get", json="1")) == {"status": 1, "request": "7KM4"}
    assert json.loads(await poll(action="get2", json="1")) == {"status": 1, "request": "7KM4", "price": "0"}
    assert await solver.ask_form("/res.php", action="get", id=number) == "OK|7KM4"


async def test_a_submit_is_answered_in_json_where_that_is_asked_for(solver: Solver) -> None:
    answer = json.loads(await solver.ask_form("/in.php", body=PICTURE, json="1"))
    assert answer["status"] == 1
    assert answer["request"].isdigit()
    refused = json.loads(await solver.ask_form("/in.php", method="userrecaptcha", json="1"))
    assert (refused["status"], refused["request"]) == (0, "ERROR_TASK_NOT_SUPPORTED")
    assert refused["error_text"]


@pytest.mark.parametrize(
    ("fields", "hints"),
    [
        ({"regsense": "1"}, Hints(case_sensitive=True)),
        ({"regsense": "0", "phrase": "0", "numeric": "0", "min_len": "0", "max_len": "0", "calc": "0"}, Hints()),
        ({"numeric": "1", "min_len": "4", "max_len": "20"}, Hints("0123456789", 4, 20)),
        ({"calc": "1"}, Hints(kind=CaptchaKind.MATH)),
        ({"textinstructions": "type only the red letters", "lang": "en", "language": "2"}, Hints(colour="red")),
    ],
)
async def test_fields_become_hints(solver: Solver, fields: dict[str, str], hints: Hints) -> None:
    await solver.ask_form("/in.php", body=PICTURE, **fields)
    assert (await take(solver.broker)).request.hints == hints


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"method": "userrecaptcha", "googlekey": "k", "pageurl": "http://127.0.0.1/"}, "ERROR_TASK_NOT_SUPPORTED"),
        ({"method": "turnstile"}, "ERROR_TASK_NOT_SUPPORTED"),
        ({"method": "post", "textcaptcha": "what is two and two?"}, "ERROR_TASK_NOT_SUPPORTED"),
        ({"body": PICTURE, "coordinatescaptcha": "1"}, "ERROR_TASK_NOT_SUPPORTED"),
        ({"body": PICTURE, "imginstructions": PICTURE}, "ERROR_TASK_NOT_SUPPORTED"),
        ({}, "ERROR_ZERO_CAPTCHA_FILESIZE"),
        ({"body": "aGVsbG8="}, "ERROR_IMAGE_TYPE_NOT_SUPPORTED"),
        ({"body": "a" * (3 << 20)}, "ERROR_TOO_BIG_CAPTCHA_FILESIZE"),
        ({"body": PICTURE, "numeric": "7"}, "ERROR_BAD_PARAMETERS"),
        ({"body": PICTURE, "pingback": "http://127.0.0.1/done"}, "ERROR_BAD_PARAMETERS"),
        ({"body": PICTURE, "pageurl": "http://captcha.example.com/"}, "ERROR_DOMAIN_NOT_ALLOWED"),
        ({"body": PICTURE, "key": WRONG_KEY}, "ERROR_KEY_DOES_NOT_EXIST"),
        ({"body": PICTURE} | {f"x{number}": "1" for number in range(64)}, "ERROR_BAD_PARAMETERS"),
    ],
)
async def test_what_can_not_be_taken_is_refused_in_the_dialects_words(
    solver: Solver, fields: dict[str, str], code: str
) -> None:
    assert await solver.ask_form("/in.php", **fields) == code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "ERROR_EMPTY_ACTION"),
        ({"action": "userinfo"}, "ERROR_EMPTY_ACTION"),
        ({"action": "get", "id": "1"}, "ERROR_WRONG_CAPTCHA_ID"),
        ({"action": "get", "id": "x"}, "ERROR_WRONG_CAPTCHA_ID"),
        ({"action": "get"}, "ERROR_WRONG_CAPTCHA_ID"),
        ({"action": "reportbad", "id": "1"}, "ERROR_WRONG_CAPTCHA_ID"),
        ({"action": "getbalance", "key": WRONG_KEY}, "ERROR_KEY_DOES_NOT_EXIST"),
        ({"action": "get", "id": "1", "key": WRONG_KEY}, "ERROR_KEY_DOES_NOT_EXIST"),
        ({"action": "reportgood", "id": "1", "key": ""}, "ERROR_KEY_DOES_NOT_EXIST"),
    ],
)
async def test_a_wrong_question_is_answered_with_its_fault(solver: Solver, fields: dict[str, str], code: str) -> None:
    assert await solver.ask_form("/res.php", **fields) == code


async def test_a_task_without_an_answer_is_unsolvable(solver: Solver) -> None:
    number = (await solver.ask_form("/in.php", body=PICTURE))[3:]
    await solver.give_up()
    assert await solver.ask_form("/res.php", action="get", id=number) == "ERROR_CAPTCHA_UNSOLVABLE"
    assert await solver.ask_form("/res.php", action="reportbad", id=number) == "ERROR_REPORT_NOT_RECORDED"


async def test_reports_feed_the_label_store(solver: Solver, broker: Broker) -> None:
    number = (await solver.ask_form("/in.php", body=PICTURE))[3:]
    await solver.solve()
    for action, verdict in (("reportgood", "right"), ("reportbad", "wrong"), ("reportbad", "wrong")):
        assert await solver.ask_form("/res.php", action=action, id=number) == "OK_REPORT_RECORDED"
        assert (await last_label(broker)).verdict == verdict
    answer = json.loads(await solver.ask_form("/res.php", action="reportgood", id=number, json="1"))
    assert answer == {"status": 1, "request": "OK_REPORT_RECORDED"}


async def test_something_is_left_to_spend(solver: Solver) -> None:
    assert float(await solver.ask_form("/res.php", action="getbalance")) > 0
    assert float(json.loads(await solver.ask_form("/res.php", action="getbalance", json="1"))["request"]) > 0


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno head"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nk'),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n\r\n" * 100 + b"--x--"),
        ("application/json", b"[1]"),
        ("application/json", b'{"key": {}}'),
        ("application/x-www-form-urlencoded", b"\xff=\xff"),
        ("application/x-www-form-urlencoded", b"%41" * 300_000),
    ],
)
async def test_a_body_that_is_not_what_it_says_is_refused(solver: Solver, content_type: str, body: bytes) -> None:
    headers = {"Content-Type": content_type}
    async with solver.gateway.session.post("/in.php", data=body, headers=headers) as answer:
        assert answer.status == 200
        assert await answer.text() in {"ERROR_BAD_PARAMETERS", "ERROR_KEY_DOES_NOT_EXIST"}
