"""What other services' clients submit and report is in the audit log under captchad's own names; polls are not."""

import hashlib
from typing import Any

import orjson

from captchad.domain.audit import DONE
from tests.integration.gateway.compatibility.conftest import HOST, PICTURE, Solver
from tests.integration.gateway.test_sessions import PNG
from tests.patience import until

TASK = {"type": "ImageToTextTask", "body": PICTURE}


async def read_acts(solver: Solver, count: int) -> list[dict[str, Any]]:
    """Return the acts once so many are written."""

    async def are_written() -> list[dict[str, Any]] | None:
        entries, _ = await solver.gateway.audit_log.read_whole()
        return [orjson.loads(entry.act) for entry in entries] if len(entries) >= count else None

    found: list[dict[str, Any]] = await until(are_written)
    assert len(found) == count
    return found


async def test_submits_and_reports_are_written_down_and_polls_are_not(solver: Solver) -> None:
    number = await solver.create()
    await solver.solve()
    for _ in range(3):
        assert (await solver.ask("/getTaskResult", taskId=number))["status"] == "ready"
    assert (await solver.ask("/reportIncorrectImageCaptcha", taskId=number))["errorId"] == 0
    assert await solver.ask_form("/in.php", body="not base64") != ""
    refused = await solver.ask("/createTask", task=TASK | {"websiteURL": "http://localhost/"})
    assert refused["errorCode"] == "ERROR_DOMAIN_NOT_ALLOWED"
    submitted, reported, unread, outside = await read_acts(solver, 4)
    [task_id] = submitted["object"]["task_ids"]
    assert submitted["object"] == {
        "hosts": [HOST],
        "pictures": [hashlib.sha256(PNG).hexdigest()],
        "task_ids": [task_id],
    }
    assert reported["object"] == {"right": False, "task_id": task_id}
    assert [(act["action"], act["outcome"]) for act in (submitted, reported, unread, outside)] == [
        ("submit_task", DONE),
        ("report_answer", DONE),
        ("submit_task", "invalid_request"),
        ("submit_task", "target_not_allowed"),
    ]
    assert outside["object"]["hosts"] == ["localhost"]
    assert len({act["key_id"] for act in (submitted, reported, unread, outside)}) == 1
