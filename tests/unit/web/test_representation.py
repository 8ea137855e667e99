import re
from datetime import datetime
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.errors import TaskErrorCode
from captchad.domain.identifier import make_task_id
from captchad.domain.recognition import CaptchaKind, Character
from captchad.domain.task import (
    Priority,
    TaskError,
    TaskRecord,
    TaskRequest,
    TaskResult,
    TaskStatus,
    WaitingFor,
    WaitReason,
)
from captchad.web.api.answers import ListedTask, TaskAnswer
from captchad.web.api.representation import represent_listed_task, represent_task, represent_time

TIMES = st.integers(0, 32_503_680_000_000)
PROBABILITIES = st.floats(0, 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
METADATA: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    TEXT, st.none() | st.booleans() | st.integers(-9, 9) | TEXT
)
RESULTS = st.builds(
    TaskResult,
    captcha_text=TEXT,
    confidence=PROBABILITIES,
    kind=st.sampled_from(CaptchaKind),
    recogniser=TEXT,
    characters=st.lists(st.builds(Character, TEXT, PROBABILITIES), max_size=8).map(tuple),
    verified=st.none() | st.booleans(),
    expression=st.none() | TEXT,
    timings_ms=st.dictionaries(st.sampled_from(["queue", "open", "total"]), st.floats(0, 1e6)),
)
RECORDS = st.builds(
    TaskRecord,
    task_id=st.builds(make_task_id, st.integers(0, 255)),
    status=st.sampled_from(TaskStatus),
    request=st.builds(
        TaskRequest, target=TEXT, url=TEXT, priority=st.sampled_from(Priority), metadata=st.none() | METADATA
    ),
    created_ms=TIMES,
    attempts=st.integers(0, 20),
    started_ms=st.none() | TIMES,
    completed_ms=st.none() | TIMES,
    worker=st.none() | TEXT,
    result=st.none() | RESULTS,
    error=st.none() | st.builds(TaskError, st.sampled_from(TaskErrorCode), TEXT, st.booleans()),
    replay_of=st.none() | st.builds(make_task_id, st.just(0)),
    waiting_for=st.none() | st.builds(WaitingFor, st.sampled_from(WaitReason), st.none() | TIMES),
)


@given(TIMES)
def test_a_time_is_utc_with_milliseconds_and_reads_back_exactly(milliseconds: int) -> None:
    text = represent_time(milliseconds)
    assert text is not None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert round(datetime.fromisoformat(text).timestamp() * 1000) == milliseconds


def test_a_time_not_reached_is_null() -> None:
    assert represent_time(None) is None
    assert represent_time(1_704_103_200_007) == "2024-01-01T10:00:00.007Z"


@given(RECORDS)
def test_every_record_is_represented_as_the_document_says(record: TaskRecord) -> None:
    body = orjson.loads(orjson.dumps(represent_task(record)))
    TaskAnswer.model_validate(body, strict=True)
    ListedTask.model_validate(orjson.loads(orjson.dumps(represent_listed_task(record))), strict=True)
    assert (body["result"] is not None) == (record.status is TaskStatus.COMPLETED and record.result is not None)
    assert "error" not in body or record.status is not TaskStatus.COMPLETED
    assert body["metadata"] == record.request.metadata


def test_optional_members_of_a_result_are_left_out() -> None:
    result = TaskResult("12", 0.987654, CaptchaKind.MATH, "first", expression="3+9")
    record = TaskRecord("task_00", TaskStatus.COMPLETED, TaskRequest("a"), 0, result=result)
    assert represent_task(record)["result"] == {
        "success": True,
        "captcha_text": "12",
        "confidence": 0.9877,
        "characters": [],
        "verified": None,
        "kind": "math",
        "recogniser": "first",
        "timings_ms": {},
        "expression": "3+9",
    }
