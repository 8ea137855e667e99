"""The form of ddddocr's own server."""

import asyncio
import base64
from typing import Any

import aiohttp
import pytest

from captchad.domain.errors import TaskErrorCode
from captchad.domain.recognition import Hints
from captchad.domain.task import TaskError
from tests.integration.gateway.compatibility.conftest import PICTURE, TEXT, WRONG_KEY, Solver
from tests.integration.gateway.test_sessions import PNG, take

MEMBERS = {"result", "probability", "processing_time"}


def credentials(solver: Solver) -> dict[str, str]:
    return {"X-API-Key": solver.key}


async def read(solver: Solver, path: str = "/ocr", **arguments: Any) -> tuple[int, dict[str, Any]]:
    arguments.setdefault("headers", credentials(solver))
    async with solver.gateway.session.post(path, **arguments) as answer:
        return answer.status, await answer.json()


def make_upload(**fields: str) -> aiohttp.FormData:
    form = aiohttp.FormData(fields)
    form.add_field("file", PNG, filename="captcha.png")
    return form


async def read_while_solved(solver: Solver, path: str = "/ocr", **arguments: Any) -> tuple[int, dict[str, Any]]:
    answer, delivery = await asyncio.gather(read(solver, path, **arguments), solver.solve_next())
    assert delivery.request.picture == PNG
    return answer


async def test_a_picture_is_answered_with_its_text(solver: Solver) -> None:
    for path, arguments in (
        ("/ocr", {"json": {"image": PICTURE}}),
        ("/ocr", {"json": {"image": PICTURE, "probability": False, "colors": [], "custom_color_ranges": None}}),
        ("/ocr?det=false&beta=true", {"json": {"image": PICTURE}}),
        ("/ocr/file", {"data": make_upload()}),
        ("/ocr/file", {"data": make_upload(probability="false", colors="[]", custom_color_ranges="null")}),
    ):
        status, answer = await read_while_solved(solver, path, **arguments)
        assert (status, set(answer), answer["result"]) == (200, MEMBERS, "7KM4"), answer
        assert answer["processing_time"] >= 0


async def test_with_probability_the_text_is_read_as_ddddocr_shows_it(solver: Solver) -> None:
    for path, arguments in (
        ("/ocr", {"json": {"image": PICTURE, "probability": True}}),
        ("/ocr/file", {"data": make_upload(probability="true")}),
    ):
        status, answer = await read_while_solved(solver, path, **arguments)
        result = answer["result"]
        text = "".join(result["charsets"][row.index(max(row))] for row in result["probability"])
        assert (status, text) == (200, TEXT.captcha_text)


async def test_the_key_comes_with_the_address_or_in_a_header(solver: Solver) -> None:
    address = f"http://:{solver.key}@127.0.0.1:{solver.gateway.port}/ocr"

    async def read_by_address() -> str:
        async with aiohttp.ClientSession() as session, session.post(address, json={"image": PICTURE}) as answer:
            return str((await answer.json())["result"])

    text, _ = await asyncio.gather(read_by_address(), solver.solve_next())
    assert text == TEXT.captcha_text
    as_name = base64.b64encode(f"{solver.key}:".encode()).decode()
    for authorization in (f"Bearer {solver.key}", f"Basic {as_name}"):
        status, _ = await read_while_solved(solver, json={"image": PICTURE}, headers={"Authorization": authorization})
        assert status == 200
    for headers in ({}, {"X-API-Key": WRONG_KEY}, {"Authorization": "Basic !"}, {"Authorization": "Basic /w=="}):
        status, answer = await read(solver, json={"image": PICTURE}, headers=headers)
        assert (status, set(answer)) == (401, {"detail"})


async def test_a_picture_without_a_text_reads_as_nothing(solver: Solver) -> None:
    async def give_up(error: TaskError | None) -> None:
        await solver.wait_for_task()
        await (solver.give_up() if error is None else solver.give_up(error))

    (status, answer), _ = await asyncio.gather(read(solver, json={"image": PICTURE}), give_up(None))
    assert (status, answer["result"]) == (200, "")
    late = TaskError(TaskErrorCode.DEADLINE_EXCEEDED, "it took too long", is_retryable=False)
    (status, answer), _ = await asyncio.gather(read(solver, json={"image": PICTURE}), give_up(late))
    assert (status, answer) == (503, {"detail": "it took too long"})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"image": ""}, 400),
        ({"image": 5}, 400),
        ({"image": "aGVsbG8="}, 400),
        ({"image": PICTURE, "colors": "red"}, 400),
        ({"image": PICTURE, "colors": ["red", "blue"]}, 400),
        ({"image": PICTURE, "colors": ["reddish"]}, 400),
        ({"image": PICTURE, "colors": [["red"]]}, 400),
        ({"image": PICTURE, "custom_color_ranges": {"red": [[0, 0, 0], [1, 1, 1]]}}, 400),
        ({"image": PICTURE, "probability": "perhaps"}, 400),
        ([], 400),
    ],
)
async def test_what_can_not_be_read_is_refused(solver: Solver, body: Any, status: int) -> None:
    found, answer = await read(solver, json=body)
    assert (found, set(answer)) == (status, {"detail"}), answer


async def test_an_upload_needs_its_file(solver: Solver) -> None:
    for form in (aiohttp.FormData({"probability": "true"}), make_upload(colors="[")):
        status, answer = await read(solver, "/ocr/file", data=form)
        assert (status, set(answer)) == (400, {"detail"})


async def test_one_colour_is_a_hint(solver: Solver) -> None:
    pending = asyncio.gather(read(solver, json={"image": PICTURE, "colors": ["red"]}), return_exceptions=True)
    await solver.wait_for_task()
    assert (await take(solver.broker)).request.hints == Hints(colour="red")
    pending.cancel()
