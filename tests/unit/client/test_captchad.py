"""Both clients against a prepared gateway: what one does, the other does too."""

import asyncio
import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from captchad.client import AsyncCaptchad, Captchad, Progress, Task, TaskFailed, TaskUnfinished, errors
from captchad.client.advice import TASK_ADVICE
from captchad.domain.task import TaskStatus
from tests.ports import find_free_port
from tests.unit.client.conftest import StubGateway

TASK = "task_00abcdefghijklmnopqrstuvwxyz"
ACCEPTED = {"task_id": TASK, "status": "pending", "estimated_wait_time": 5}
RESULT = {
    "success": True,
    "captcha_text": "7KMP",
    "confidence": 0.93,
    "characters": [{"text": "7", "confidence": 0.99}],
    "verified": None,
    "kind": "text",
    "recogniser": "captchad",
    "timings_ms": {"total": 140.2},
}
COMPLETED = {
    "task_id": TASK,
    "status": "completed",
    "result": RESULT,
    "attempts": 1,
    "answers": 0,
    "created_at": "2026-01-01T10:00:00.000Z",
    "started_at": "2026-01-01T10:00:00.003Z",
    "completed_at": "2026-01-01T10:00:00.143Z",
    "worker": "worker-1",
    "metadata": None,
}
FAILED = {
    "task_id": TASK,
    "status": "failed",
    "result": None,
    "error": {"code": "captcha_not_found", "message": "no picture looks like one", "retryable": True},
}

Call = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, stub: StubGateway) -> Call:
    """Call a method of a client of the stub by its name; the asynchronous one's is run to its end."""

    def call_sync(name: str, *arguments: Any, **options: Any) -> Any:
        found = getattr(Captchad(stub.url), name)(*arguments, **options)
        return list(found) if name == "as_completed" else found

    def call_async(name: str, *arguments: Any, **options: Any) -> Any:
        async def collect() -> list[Task]:
            return [task async for task in AsyncCaptchad(stub.url).as_completed(*arguments, **options)]

        if name == "as_completed":
            return asyncio.run(collect())
        return asyncio.run(getattr(AsyncCaptchad(stub.url), name)(*arguments, **options))

    return call_sync if request.param == "sync" else call_async


def problem(code: str, **members: object) -> dict[str, object]:
    return {"code": code, "detail": f"about {code}", "title": "A problem", **members}


def test_a_page_is_submitted_waited_for_and_answered(call: Call, stub: StubGateway) -> None:
    stub.answer(202, ACCEPTED)
    stub.answer(200, COMPLETED)
    solution = call("solve", "https://a.example/login", timeout=60, hints={"max_length": 4})
    assert (solution.text, solution.confidence, solution.task_id) == ("7KMP", 0.93, TASK)
    assert solution.characters[0].confidence == 0.99
    submit, wait = stub.requests
    assert submit[3] == {"url": "https://a.example/login", "timeout": 60, "hints": {"max_length": 4}}
    assert wait[1] == f"/task_status/{TASK}?wait=60"


def test_a_picture_is_sent_as_bytes_or_from_its_file(call: Call, stub: StubGateway, tmp_path: Path) -> None:
    stub.answer(202, ACCEPTED)
    (tmp_path / "a.png").write_bytes(b"PNG")
    for picture in (b"PNG", tmp_path / "a.png", str(tmp_path / "a.png")):
        assert call("submit", picture, target="a.example").status is TaskStatus.PENDING
    expected = {"image": base64.b64encode(b"PNG").decode(), "target": "a.example"}
    assert [body for _, _, _, body in stub.requests] == [expected] * 3


def test_a_picture_that_is_too_large_is_not_sent(call: Call, stub: StubGateway) -> None:
    with pytest.raises(errors.BodyTooLarge, match="larger than 2 MiB"):
        call("submit", bytes(3 << 20), target="a.example")
    assert stub.requests == []


def test_what_is_neither_a_url_nor_a_file_is_said_so(call: Call, stub: StubGateway) -> None:
    with pytest.raises(errors.InvalidRequest, match=r"'nowhere\.png' is neither an http\(s\) URL nor a file"):
        call("submit", "nowhere.png", target="a.example")
    assert stub.requests == []


def test_a_task_has_typed_fields(call: Call, stub: StubGateway) -> None:
    stub.answer(200, COMPLETED)
    task = call("status", TASK)
    assert task.is_final
    assert task.completed_at is not None
    assert (task.completed_at - task.started_at).total_seconds() == 0.14
    assert task.body["worker"] == task.worker == "worker-1"


def test_a_submit_whose_answer_was_lost_is_made_again_under_its_key(call: Call, stub: StubGateway) -> None:
    stub.answer(429, problem("rate_limited"), Retry_After="0")
    stub.answer(502, b"<html>bad gateway</html>")
    stub.answer(503, problem("queue_full"), Retry_After="0")
    stub.answer(503, problem("broker_unavailable", task_id=TASK), Retry_After="0")
    stub.answer(202, ACCEPTED)
    assert call("submit", "http://a.example").task_id == TASK
    assert len(stub.requests) == 5
    assert len({headers["Idempotency-Key"] for _, _, headers, _ in stub.requests}) == 1


def test_where_no_gateway_ever_answered_the_caller_is_told_at_once() -> None:
    url = f"http://127.0.0.1:{find_free_port()}"
    advice = r"does not answer: .* — start one with `captchad up`"
    with pytest.raises(errors.GatewayUnreachable, match=advice):
        Captchad(url).solve("http://a.example")
    with pytest.raises(errors.GatewayUnreachable, match=advice):
        asyncio.run(AsyncCaptchad(url).solve("http://a.example"))


def test_a_task_without_an_answer_raises_what_to_do(call: Call, stub: StubGateway) -> None:
    stub.answer(202, ACCEPTED)
    stub.answer(200, FAILED)
    with pytest.raises(TaskFailed, match="captcha_not_found: no picture looks like one — name the picture") as failed:
        call("solve", "http://a.example")
    assert failed.value.task_code == "captcha_not_found"
    assert failed.value.task.error is not None
    assert failed.value.task.error.is_retryable


def test_a_wait_that_is_over_has_the_task(call: Call, stub: StubGateway) -> None:
    stub.answer(200, {**ACCEPTED, "waiting_for": {"reason": "target_closed", "until": None}})
    with pytest.raises(TaskUnfinished, match="still pending after 0 s, waiting for target_closed") as unfinished:
        call("wait", TASK, 0)
    assert unfinished.value.task.task_id == TASK


@pytest.mark.parametrize(
    ("status", "error", "advice"),
    [
        (401, errors.Unauthorized, "CAPTCHAD_API_KEY"),
        (403, errors.TargetNotAllowed, "about target_not_allowed$"),
        (422, errors.IdempotencyConflict, "about idempotency_conflict"),
    ],
)
def test_an_error_says_what_to_do(
    call: Call, stub: StubGateway, status: int, error: type[errors.CaptchadError], advice: str
) -> None:
    stub.answer(status, problem(error.code))
    with pytest.raises(error, match=advice):
        call("stats")


def test_every_error_of_the_api_is_an_exception_of_its_own(stub: StubGateway) -> None:
    document = (Path(__file__).parents[3] / "docs/api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", document, re.MULTILINE)
    assert len(rows) > 15
    for status, code in rows:
        stub.answers = [(int(status), problem(code), {"Retry-After": "3600"})]
        with pytest.raises(errors.CaptchadError) as raised:
            Captchad(stub.url).status(TASK)
        assert type(raised.value) is not errors.CaptchadError
        assert raised.value.code == code or type(raised.value) in {errors.GatewayFailed, errors.InvalidRequest}
        assert type(raised.value).__name__ in errors.__all__


def test_wrong_fields_are_named(call: Call, stub: StubGateway) -> None:
    stub.answer(400, problem("invalid_request", violations=[{"pointer": "/hints/kind", "message": "must be one of"}]))
    with pytest.raises(errors.InvalidRequest, match="/hints/kind must be one of"):
        call("submit", "http://a.example", hints={"kind": "words"})


def test_a_batch_is_sent_a_hundred_at_a_time(call: Call, stub: StubGateway) -> None:
    stub.answer(202, {"tasks": [ACCEPTED] * 100})
    stub.answer(202, {"tasks": [ACCEPTED] * 2})
    pages: list[object] = [f"http://a.example/{number}" for number in range(101)]
    tasks = call("batch", [*pages, {"url": "http://b.example", "priority": "low"}], priority="high")
    assert len(tasks) == 102
    first, second = (body["tasks"] for _, _, _, body in stub.requests)
    assert (len(first), first[0]) == (100, {"url": "http://a.example/0", "priority": "high"})
    assert second[1] == {"url": "http://b.example", "priority": "low"}
    assert len({headers["Idempotency-Key"] for _, _, headers, _ in stub.requests}) == 2


def test_tasks_come_as_they_end_with_progress(call: Call, stub: StubGateway) -> None:
    stub.answer(200, COMPLETED)
    seen: list[Progress] = []
    tasks = call("as_completed", ["task_a", "task_b", "task_a"], seen.append)
    assert [task.status for task in tasks] == [TaskStatus.COMPLETED] * 2
    assert [(one.ended, one.total) for one in seen] == [(1, 2), (2, 2)]


def test_more_tasks_than_places_all_come(call: Call, stub: StubGateway) -> None:
    stub.answer(200, ACCEPTED)
    stub.answer(200, COMPLETED)
    assert len(call("as_completed", [f"task_{number}" for number in range(50)])) == 50


def test_an_error_of_one_task_ends_the_others_waits(call: Call, stub: StubGateway) -> None:
    stub.answer(404, problem("task_not_found"))
    with pytest.raises(errors.TaskNotFound):
        call("as_completed", ["task_a", "task_b"])


def test_a_loop_may_be_left_and_may_run_where_a_loop_runs_already(stub: StubGateway) -> None:
    stub.answer(200, COMPLETED)

    async def look_once() -> str:
        # As under Playwright's synchronous API.
        for task in Captchad(stub.url).as_completed(["task_a", "task_b"]):
            return task.task_id
        return ""

    assert asyncio.run(look_once()) == TASK


def test_cancel_report_and_stats_ask_their_routes(call: Call, stub: StubGateway) -> None:
    stub.answer(200, {"task_id": TASK, "status": "cancelled"})
    stub.answer(200, {"task_id": TASK, "kept": False, "reason": "not_collected"})
    stub.answer(200, {"active_workers": 2, "completed_tasks": 7, "average_processing_time": 0.4})
    assert call("cancel", TASK).status is TaskStatus.CANCELLED
    report = call("report", TASK, right=False, text="7KM4")
    assert (report.is_kept, report.reason) == (False, "not_collected")
    assert call("stats").average_processing_seconds == 0.4
    assert [f"{method} {path}" for method, path, _, _ in stub.requests] == [
        f"POST /cancel_task/{TASK}",
        f"POST /report_answer/{TASK}",
        "GET /stats",
    ]
    assert stub.requests[1][3] == {"right": False, "text": "7KM4"}


def test_a_status_that_a_newer_gateway_has_is_an_error_of_ours(call: Call, stub: StubGateway) -> None:
    stub.answer(200, {"task_id": TASK, "status": "suspended"})
    with pytest.raises(errors.GatewayUnreachable, match="upgrade captchad"):
        call("status", TASK)


def test_gateway_and_key_come_from_the_environment(stub: StubGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPTCHAD_GATEWAY_URL", stub.url)
    monkeypatch.setenv("CAPTCHAD_API_KEY", "ck_1_2")
    stub.answer(200, {})
    Captchad().stats()
    assert stub.requests[0][2]["Authorization"] == "Bearer ck_1_2"


def test_every_task_error_that_has_advice_is_one(stub: StubGateway) -> None:
    assert set(TASK_ADVICE) <= {str(code) for code in errors.TaskErrorCode}


def test_results_are_json_and_hide_secrets(call: Call, stub: StubGateway) -> None:
    stub.answer(200, {**COMPLETED, "result": {**RESULT, "session": {"cookies": [{"value": "secret"}]}}})
    task = call("status", TASK)
    assert "secret" not in repr(task)
    assert json.loads(json.dumps(task.body))["task_id"] == TASK
