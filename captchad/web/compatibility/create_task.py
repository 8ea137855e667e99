"""The createTask family, as Anti-Captcha, CapMonster and 2captcha's second API speak it.

Every request is a JSON object with the key in it, whatever its Content-Type; every answer has HTTP status 200.
"""

from typing import Any

from aiohttp import web

from captchad.domain.api_key import Scope
from captchad.domain.errors import CaptchadError, InvalidRequest
from captchad.web.bodies import parse_json
from captchad.web.compatibility.desk import BALANCE, BODY_LIMIT_BYTES, QUESTION_LIMIT_BYTES, Answer, SolverDesk
from captchad.web.compatibility.failures import Failure, SolverRefusal, find_failure
from captchad.web.compatibility.orders import PictureOrder, decode_body, read_order
from captchad.web.routes import Handler, Route, answer_json

TASK_TYPE = "ImageToTextTask"
COST = "0.00000"
KEY_FIELD, TASK_FIELD, NUMBER_FIELD, CALLBACK_FIELD = "clientKey", "task", "taskId", "callbackUrl"
RIGHT_REPORTS = ("/reportCorrect", "/reportCorrectImageCaptcha")
WRONG_REPORTS = ("/reportIncorrect", "/reportIncorrectImageCaptcha")


class CreateTaskRoutes:
    """Handlers of the family's routes."""

    def __init__(self, desk: SolverDesk) -> None:
        self._desk = desk

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        return (
            _route("/createTask", self.create_task, "Submit a picture"),
            _route("/getTaskResult", self.get_task_result, "Poll a task"),
            _route("/getBalance", self.get_balance, "What is left to spend"),
            *(_route(path, self.report_correct, "Report an answer as right") for path in RIGHT_REPORTS),
            *(_route(path, self.report_incorrect, "Report an answer as wrong") for path in WRONG_REPORTS),
        )

    async def create_task(self, request: web.Request) -> web.Response:
        """Store one picture."""
        with self._desk.room.enter() as place:
            body = await self._desk.read_body(request, place, BODY_LIMIT_BYTES, always_json=True)
            value = await self._desk.work(len(body), lambda: read_object(body))
            key = await self._desk.identify(request, value.get(KEY_FIELD), Scope.SUBMIT)
            number, _ = await self._desk.submit(request, key, len(body), lambda: read_task_order(value))
        return answer_json({"errorId": 0, "taskId": number})

    async def get_task_result(self, request: web.Request) -> web.Response:
        """Say what became of a task."""
        value = await self._read_question(request)
        answer = await self._desk.look_up(request, value.get(KEY_FIELD), value.get(NUMBER_FIELD))
        if answer.is_final and answer.text is None:
            raise SolverRefusal(Failure.UNSOLVABLE, answer.reason)
        return answer_json(represent_answer(answer))

    async def get_balance(self, request: web.Request) -> web.Response:
        """Say that something is left."""
        value = await self._read_question(request)
        await self._desk.identify(request, value.get(KEY_FIELD), Scope.READ)
        return answer_json({"errorId": 0, "balance": float(BALANCE)})

    async def report_correct(self, request: web.Request) -> web.Response:
        """Take the report that an answer was right."""
        return await self._report(request, is_right=True)

    async def report_incorrect(self, request: web.Request) -> web.Response:
        """Take the report that an answer was wrong."""
        return await self._report(request, is_right=False)

    async def _report(self, request: web.Request, is_right: bool) -> web.Response:
        value = await self._read_question(request)
        await self._desk.report(request, value.get(KEY_FIELD), value.get(NUMBER_FIELD), is_right)
        return answer_json({"errorId": 0, "status": "success"})

    async def _read_question(self, request: web.Request) -> dict[str, Any]:
        with self._desk.room.enter() as place:
            return read_object(await self._desk.read_body(request, place, QUESTION_LIMIT_BYTES, always_json=True))


def _route(path: str, handler: Handler, summary: str) -> Route:
    return Route("POST", path, handler, None, summary, answer_failure=answer_failure, is_audited=False)


def read_object(body: bytes) -> dict[str, Any]:
    """Return a body's JSON object."""
    value = parse_json(body)
    if not isinstance(value, dict):
        raise InvalidRequest("the body must be a JSON object")
    return value


def read_task_order(value: dict[str, Any]) -> PictureOrder:
    """Return what /createTask is asked for; SolverRefusal for anything but text in a picture."""
    task = value.get(TASK_FIELD)
    if not isinstance(task, dict):
        raise SolverRefusal(Failure.TASK_ABSENT, f"{TASK_FIELD} must be an object")
    # `Case` and `case`, `websiteURL` and `websiteUrl`: clients differ.
    fields = {name.lower(): member for name, member in task.items()}
    if fields.get("type") != TASK_TYPE:
        raise SolverRefusal(Failure.TASK_KIND, f"captchad reads text in pictures, and nothing else: {TASK_TYPE}")
    if value.get(CALLBACK_FIELD):
        raise SolverRefusal(Failure.PARAMETERS, f"{CALLBACK_FIELD} is not offered; poll /getTaskResult")
    return read_order(fields, decode_body(fields.get("body")))


def represent_answer(answer: Answer) -> dict[str, Any]:
    """Return the reply of /getTaskResult: never the taskId nor anything new, at which clients break off."""
    if answer.text is None:
        return {"errorId": 0, "status": "processing"}
    return {
        "errorId": 0,
        "status": "ready",
        "solution": {"text": answer.text},
        "cost": COST,
        "createTime": answer.created_seconds,
        "endTime": answer.ended_seconds,
        "solveCount": 1,
    }


def answer_failure(request: web.Request, error: CaptchadError) -> web.Response:
    """Answer a failure in the family's words."""
    failure = find_failure(error)
    return answer_json({"errorId": failure.error_id, "errorCode": failure.code, "errorDescription": error.message})
