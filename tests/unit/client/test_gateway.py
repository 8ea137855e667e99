import socket
from itertools import count

import pytest

from captchad.client import GatewayClient
from captchad.domain import errors
from tests.unit.client.conftest import StubGateway

TASK = "task_00abcdefghijklmnopqrstuvwxyz"


def problem(code: str, **members: object) -> dict[str, object]:
    return {"code": code, "detail": f"about {code}", "title": "A problem", **members}


def test_a_task_is_posted_with_key_and_idempotency_key(stub: StubGateway) -> None:
    stub.answer(202, {"task_id": TASK})
    client = GatewayClient(f"{stub.url}/prefix/", "ck_1_2")
    assert client.submit({"url": "http://x"}, "once") == {"task_id": TASK}
    method, path, headers, body = stub.requests[0]
    assert (method, path, body) == ("POST", "/prefix/submit_task", {"url": "http://x"})
    assert headers["Authorization"] == "Bearer ck_1_2"
    assert headers["Idempotency-Key"] == "once"
    assert headers["Content-Type"] == "application/json"


def test_each_method_asks_its_route(stub: StubGateway) -> None:
    stub.answer(200, {})
    client = GatewayClient(stub.url)
    client.submit_batch([{"url": "a"}])
    client.task_status("a/b", 90)
    client.cancel(TASK)
    client.tasks(status="failed", limit=2)
    client.stats()
    client.workers()
    client.queue_status()
    assert [f"{method} {path}" for method, path, _, _ in stub.requests] == [
        "POST /submit_batch",
        "GET /task_status/a%2Fb?wait=60",
        f"POST /cancel_task/{TASK}",
        "GET /tasks?status=failed&limit=2",
        "GET /stats",
        "GET /workers",
        "GET /queue_status",
    ]


def test_evidence_comes_as_bytes(stub: StubGateway) -> None:
    stub.answer(200, b"\x89PNG")
    client = GatewayClient(stub.url)
    assert client.evidence(TASK) == client.evidence(TASK, "screenshot") == b"\x89PNG"
    assert [path for _, path, _, _ in stub.requests] == [
        f"/task_evidence/{TASK}/image",
        f"/task_evidence/{TASK}/screenshot",
    ]


def test_evidence_that_is_gone_is_an_error(stub: StubGateway) -> None:
    stub.answer(404, problem("task_not_found"))
    with pytest.raises(errors.TaskNotFound):
        GatewayClient(stub.url).evidence(TASK)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (403, errors.TargetNotAllowed),
        (404, errors.TaskNotFound),
        (408, errors.RequestTimedOut),
        (409, errors.AlreadyFinished),
        (413, errors.BodyTooLarge),
        (415, errors.UnsupportedMediaType),
        (422, errors.IdempotencyConflict),
        (501, errors.FeatureNotBuilt),
        (503, errors.QueueFull),
    ],
)
def test_a_problem_becomes_the_error_it_was_made_from(
    stub: StubGateway, status: int, error: type[errors.CaptchadError]
) -> None:
    stub.answer(status, problem(error.code))
    with pytest.raises(error, match=f"about {error.code}"):
        GatewayClient(stub.url).stats()


def test_wrong_fields_are_kept(stub: StubGateway) -> None:
    stub.answer(400, problem("invalid_request", violations=[{"pointer": "/url", "message": "is no URL"}]))
    with pytest.raises(errors.InvalidRequest) as refused:
        GatewayClient(stub.url).submit({})
    assert refused.value.violations == (errors.Violation("/url", "is no URL"),)


def test_an_unreadable_charset_is_kept_with_its_symbols(stub: StubGateway) -> None:
    wrong = {"pointer": "/hints/charset", "message": "no engine reads 龘"}
    stub.answer(400, problem("unsupported_charset", violations=[wrong]))
    with pytest.raises(errors.UnsupportedCharset) as refused:
        GatewayClient(stub.url).submit({})
    assert refused.value.violations == (errors.Violation(**wrong),)


def test_a_call_the_rate_limit_refuses_is_made_again_when_it_may_be(stub: StubGateway) -> None:
    pauses: list[float] = []
    stub.answer(429, problem("rate_limited"), Retry_After="7")
    stub.answer(429, problem("rate_limited"), Retry_After="2")
    stub.answer(202, {"task_id": TASK})
    assert GatewayClient(stub.url, sleep=pauses.append).submit({"url": "http://x"}) == {"task_id": TASK}
    assert pauses == [7, 2]
    assert [body for _, _, _, body in stub.requests] == [{"url": "http://x"}] * 3


def test_a_rate_limit_that_lasts_too_long_is_an_error_that_says_how_long(stub: StubGateway) -> None:
    pauses: list[float] = []
    stub.answer(429, problem("rate_limited"), Retry_After="20")
    with pytest.raises(errors.RateLimited) as refused:
        GatewayClient(stub.url, timeout_seconds=30, sleep=pauses.append).stats()
    assert refused.value.retry_after_seconds == 20
    assert pauses == [20], "a second pause would end after the time"


def test_a_wait_pauses_as_long_as_the_rate_limit_says_and_no_longer_than_it_may(stub: StubGateway) -> None:
    pauses: list[float] = []
    stub.answer(429, problem("rate_limited"), Retry_After="40")
    stub.answer(200, {"task_id": TASK, "status": "completed"})
    client = GatewayClient(stub.url, sleep=pauses.append)
    assert client.wait(TASK, 1000)["status"] == "completed"
    assert pauses == [40]
    stub.answers = [(429, problem("rate_limited"), {"Retry-After": "40"})]
    with pytest.raises(errors.RateLimited):
        client.wait(TASK, 30)
    assert pauses == [40], "the wait would be over first"


def test_an_unsure_submit_keeps_its_task_id(stub: StubGateway) -> None:
    stub.answer(503, problem("broker_unavailable", task_id=TASK))
    with pytest.raises(errors.BrokerUnavailable) as refused:
        GatewayClient(stub.url).submit({})
    assert refused.value.task_id == TASK


def test_an_unknown_code_is_still_an_error_of_ours(stub: StubGateway) -> None:
    stub.answer(500, problem("internal_error"))
    with pytest.raises(errors.CaptchadError, match="about internal_error"):
        GatewayClient(stub.url).stats()


@pytest.mark.parametrize(
    ("status", "body"), [(502, b"<html>"), (404, b"{}"), (200, b"<html>"), (200, b"[]"), (302, b"")]
)
def test_what_is_no_captchad_is_named_as_such(stub: StubGateway, status: int, body: bytes) -> None:
    stub.answer(status, body)
    with pytest.raises(errors.GatewayUnreachable, match="captchad gateway"):
        GatewayClient(stub.url).stats()


def test_nobody_there_is_gateway_unreachable() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        with pytest.raises(errors.GatewayUnreachable, match="does not answer"):
            GatewayClient(url).stats()


def test_silence_ends_with_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(errors.GatewayUnreachable, match="no answer in time"):
            GatewayClient(url, timeout_seconds=0.05).stats()


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://x", "http://", "http://x:port"])
def test_an_address_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(errors.InvalidRequest):
        GatewayClient(url)


def test_a_key_that_no_header_can_carry_is_refused(stub: StubGateway) -> None:
    with pytest.raises(errors.InvalidRequest):
        GatewayClient(stub.url, "two\nlines").stats()


def test_waiting_asks_again_until_the_task_has_ended(stub: StubGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("captchad.client.calls.RETRY_PAUSE_SECONDS", 0.0)
    stub.answer(200, {"task_id": TASK, "status": "pending"})
    stub.answer(503, b"")
    stub.answer(503, problem("broker_unavailable"))
    stub.answer(429, problem("rate_limited"))
    stub.answer(200, {"task_id": TASK, "status": "processing"})
    stub.answer(200, {"task_id": TASK, "status": "completed"})
    client = GatewayClient(stub.url, sleep=lambda _: None)
    assert client.wait(TASK, 1000)["status"] == "completed"
    assert len(stub.requests) == 6


def test_waiting_ends_after_its_time(stub: StubGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("captchad.client.calls.RETRY_PAUSE_SECONDS", 0.0)
    stub.answer(200, {"task_id": TASK, "status": "pending"})
    client = GatewayClient(stub.url, monotonic_seconds=count().__next__)
    assert client.wait(TASK, 10)["status"] == "pending"
    assert 1 < len(stub.requests) < 10
