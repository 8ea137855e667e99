import orjson
from hypothesis import given
from hypothesis import strategies as st

from captchad.broker.messages import (
    decode_record,
    decode_request,
    decode_result,
    encode_evidence,
    encode_request,
    encode_result,
)
from captchad.domain.page import Cookie, Evidence, Fill, KeptEvidence, SessionState
from captchad.domain.recognition import CaptchaKind, Hints, Position, Side
from captchad.domain.task import Priority, TaskRequest, TaskResult

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
REQUESTS = st.builds(
    TaskRequest,
    target=TEXT,
    url=st.none() | TEXT,
    priority=st.sampled_from(Priority),
    hints=st.builds(
        Hints,
        charset=st.none() | TEXT,
        kind=st.none() | st.sampled_from(CaptchaKind),
        colour=st.none() | TEXT,
        position=st.none() | st.builds(Position, st.sampled_from(Side), st.integers(1, 64)),
    ),
    key_id=st.none() | TEXT.filter(bool),
    fill=st.none() | st.builds(Fill, input=TEXT, success=st.none() | TEXT, refresh=st.none() | TEXT),
    return_session=st.booleans(),
    evidence=st.booleans(),
)
FIRST_REQUEST = {
    "version": 1,
    "target": "captcha.example",
    "url": "http://captcha.example/",
    "timeout_seconds": 60.0,
    "retry_count": 2,
    "priority": "high",
    "selector": None,
    "hints": {"charset": "abc", "min_length": 4, "max_length": 4, "case_sensitive": None, "kind": "text"},
    "task_deadline_seconds": 3600.0,
    "metadata": {"ticket": 7},
}
FIRST_RESULT = {
    "captcha_text": "7KM4",
    "confidence": 0.9,
    "kind": "text",
    "recogniser": "first",
    "characters": [{"text": "7", "confidence": 0.9}],
    "verified": None,
    "expression": None,
    "timings_ms": {"total": 3.0},
}
"""A request and a result as releases without sessions wrote them."""


@given(REQUESTS)
def test_a_request_reads_back_as_it_was(request: TaskRequest) -> None:
    assert decode_request(encode_request(request), None) == request


def test_records_of_releases_without_sessions_still_read() -> None:
    request = decode_request(orjson.dumps(FIRST_REQUEST), b"picture")
    assert (request.priority, request.hints.max_length, request.picture) == (Priority.HIGH, 4, b"picture")
    assert (request.session, request.fill, request.key_id, request.return_session) == (None, None, None, False)
    result = decode_result(orjson.dumps(FIRST_RESULT))
    assert (result.captcha_text, result.session) == ("7KM4", None)


def test_a_plain_task_is_written_so_that_those_releases_read_it() -> None:
    plain = TaskRequest(
        target="captcha.example",
        url="http://captcha.example/",
        timeout_seconds=60.0,
        retry_count=2,
        priority=Priority.HIGH,
        hints=Hints("abc", 4, 4, None, CaptchaKind.TEXT),
        metadata={"ticket": 7},
    )
    assert orjson.loads(encode_request(plain)) == FIRST_REQUEST
    assert orjson.loads(encode_result(decode_result(orjson.dumps(FIRST_RESULT)))) == FIRST_RESULT


def test_no_session_is_ever_written_in_the_clear() -> None:
    session = SessionState((Cookie("sid", "open-sesame"),), {"X-Token": "open-sesame"}, {"a": "open-sesame"})
    request = TaskRequest("captcha.example", url="http://captcha.example/", session=session, return_session=True)
    result = TaskResult("7KM4", 0.9, CaptchaKind.TEXT, "first", session=session)
    assert b"sesame" not in encode_request(request) + encode_result(result)
    assert "sesame" not in repr(request) + repr(result)


def test_a_record_says_what_evidence_was_kept() -> None:
    kept = orjson.dumps({"has_picture": True, "has_screenshot": False, "choice": "img#a"})
    values = [b"completed", orjson.dumps(FIRST_REQUEST), b"1", b"1", b"2", None, None, None, orjson.dumps(FIRST_RESULT)]
    record = decode_record("task_00", [*values, None, None, kept, b"captcha.example", b"2", None])
    assert record is not None
    assert record.evidence == KeptEvidence(True, False, "img#a")
    assert (record.attempts, record.answers) == (1, 2)


def test_an_earlier_release_reads_evidence_without_a_judgement() -> None:
    kept = orjson.loads(encode_evidence(Evidence(b"picture", None, "img#a")))
    assert kept == {"has_picture": True, "has_screenshot": False, "choice": "img#a"}
    judged = orjson.loads(encode_evidence(Evidence(b"picture", None, "img#a", 0.0)))
    assert judged == kept | {"judgement": 0.0}
