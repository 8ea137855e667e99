"""What all dialects have in common: who calls, taking a picture in, looking an answer up, and taking reports."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

from captchad.broker.tasks import TaskStore
from captchad.domain.api_key import ApiKey, Scope
from captchad.domain.errors import BrokerUnavailable, CaptchadError, Forbidden, TaskErrorCode, Unauthorized
from captchad.domain.recognition import Character
from captchad.domain.task import TaskRecord, TaskStatus
from captchad.intake.answer_judging import AnswerJudging
from captchad.intake.audit_objects import describe_drafts, describe_submissions
from captchad.intake.bound_targets import check_bound_target, choose_bound_host
from captchad.intake.draft import TaskDraft
from captchad.intake.idempotency import digest_key
from captchad.intake.intake import Admitted, Caller, Intake
from captchad.intake.rate_decisions import CallerRateLimiter
from captchad.telemetry.metrics import Metrics
from captchad.web.bodies import BodyWork, check_coding, read_content
from captchad.web.body_meter import BodyMeter
from captchad.web.body_room import MEBIBYTE, BodyPlace, BodyRoom
from captchad.web.compatibility.failures import Failure, SolverRefusal
from captchad.web.compatibility.forms import is_json
from captchad.web.compatibility.numbers import make_number, name_number, read_number
from captchad.web.compatibility.orders import PictureOrder
from captchad.web.middleware.access import admit_as
from captchad.web.middleware.audit import audit_as, audit_object
from captchad.web.middleware.key_watch import Authenticate
from captchad.web.middleware.rates import charge

BODY_LIMIT_BYTES = 4 * MEBIBYTE
QUESTION_LIMIT_BYTES = 16_384
"""Of a body without a picture."""
ROOM_BYTES = 64 * MEBIBYTE
"""The key is in the body here, so that anybody can have one read."""
KEY_LENGTH_LIMIT = 256
RETRIES = 1
"""Another attempt is for a worker that is lost: what can't be read in a picture can't be read the next time."""
MS = 1000
METADATA = "compatibility"
BALANCE = 1000
"""Nothing costs anything here, but clients look whether something is left."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a task: `text` is None while it has not ended, and where it ended without an answer.

    `is_blank` says that nothing can be read in the picture. Times are in whole seconds since 1970.
    """

    is_final: bool = False
    text: str | None = None
    reason: str = ""
    is_blank: bool = False
    created_seconds: int = 0
    ended_seconds: int = 0
    characters: tuple[Character, ...] = ()


NOT_READY = Answer()


class SolverDesk:
    """Serves the clients of all dialects. Only new pictures are charged to rate limits: polls and reports are not."""

    def __init__(
        self,
        intake: Intake,
        store: TaskStore,
        judging: AnswerJudging,
        authenticate: Authenticate,
        rates: CallerRateLimiter,
        metrics: Metrics,
    ) -> None:
        self._intake = intake
        self._store = store
        self._judging = judging
        self._authenticate = authenticate
        self._rates = rates
        self._metrics = metrics
        self._work = BodyWork()
        self.room = BodyRoom(ROOM_BYTES)

    async def read_body(
        self, request: web.Request, place: BodyPlace, limit_bytes: int = BODY_LIMIT_BYTES, *, always_json: bool = False
    ) -> bytes:
        """Return a body of any encoding, or of JSON whatever its Content-Type says; JSON is measured as it comes."""
        check_coding(request)
        meter = BodyMeter() if always_json or is_json(request.headers.get("Content-Type", "")) else None

        async def measure(piece: bytes) -> None:
            if meter is not None:
                await self._work.measure(meter, piece)

        return await read_content(request, limit_bytes, place.grow, measure)

    async def work(self, size_bytes: int, work: Callable[[], _T]) -> _T:
        """Return what `work` makes of a body, which holds nobody up."""
        return await self._work.run(size_bytes, work)

    async def identify(self, request: web.Request, text: object, scope: Scope) -> ApiKey:
        """Return the key that a request bears; Unauthorized or Forbidden. It is asked for on any configuration."""
        is_text = isinstance(text, str) and 0 < len(text) <= KEY_LENGTH_LIMIT
        key = await self._authenticate(text) if is_text and isinstance(text, str) else None
        if key is None:
            raise Unauthorized("this API key is not valid; ask whoever runs captchad for one")
        admit_as(request, key)
        if not key.allows(scope):
            raise Forbidden(f"this key lacks the scope {scope}")
        return key

    async def submit(
        self, request: web.Request, key: ApiKey, size_bytes: int, read: Callable[[], PictureOrder]
    ) -> tuple[int, str]:
        """Store the task of an order, and return its number and id; `read` makes the order of a body of that size."""
        audit_as(request, "submit_task")
        await charge(request, self._rates)
        number, audited = make_number(), audit_object(request)

        def admit() -> Admitted:
            draft = _make_draft(read(), number, key)
            audited.update(describe_drafts([draft]))
            [admitted] = self._intake.admit([draft], key)
            check_bound_target(admitted.target, admitted.standing)
            return admitted

        try:
            admitted = await self._work.run(size_bytes, admit)
            caller = Caller(key, name_number(number), secrets.token_hex())
            [submission] = await self._intake.submit([admitted], caller)
        except CaptchadError:
            self._metrics.record_submissions("refused", 1)
            raise
        audited.update(describe_submissions([submission]))
        self._metrics.record_submissions("accepted", 1)
        return number, submission.task_id

    async def look_up(self, request: web.Request, key_text: object, number: object) -> Answer:
        """Return what is known of a task; while Redis is away, that it is not ready."""
        try:
            key = await self.identify(request, key_text, Scope.READ)
            return read_answer(await self._store.read(await self._find(key, number)))
        except BrokerUnavailable:
            return NOT_READY

    async def report(self, request: web.Request, key_text: object, number: object, is_right: bool) -> None:
        """Take a report; the same one again is taken again, for some clients repeat it until they give up."""
        audit_as(request, "report_answer")
        audit_object(request)["right"] = is_right
        key = await self.identify(request, key_text, Scope.SUBMIT)
        task_id = audit_object(request)["task_id"] = await self._find(key, number)
        await self._judging.judge(task_id, key, is_right)

    async def _find(self, key: ApiKey, value: object) -> str:
        number = read_number(value)
        if number is None:
            raise SolverRefusal(Failure.UNKNOWN_TASK, "there is no task with this id")
        return await self._store.find(digest_key(name_number(number), key.key_id))


def _make_draft(order: PictureOrder, number: int, key: ApiKey) -> TaskDraft:
    return TaskDraft(
        picture=order.picture,
        target_host=choose_bound_host(key, order.page),
        hints=order.hints,
        retry_count=RETRIES,
        metadata={METADATA: {"id": number, "minimum_confidence": order.minimum_confidence}},
    )


def read_answer(record: TaskRecord) -> Answer:
    """Return what a record says; a text with less confidence than was asked for is none."""
    if not record.status.is_final:
        return NOT_READY
    if record.status is not TaskStatus.COMPLETED or record.result is None:
        error = record.error
        is_blank = error is not None and error.code is TaskErrorCode.CAPTCHA_UNREADABLE
        return Answer(True, None, f"the task is {record.status}" if error is None else error.message, is_blank)
    result = record.result
    asked = (record.request.metadata or {}).get(METADATA, {}).get("minimum_confidence", 0)
    if result.confidence < asked:
        return Answer(True, None, f"read with a confidence of {result.confidence:.2f}", is_blank=True)
    return Answer(
        True,
        result.captcha_text,
        created_seconds=record.created_ms // MS,
        ended_seconds=(record.completed_ms or record.created_ms) // MS,
        characters=result.characters,
    )
