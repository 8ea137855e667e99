"""The routes about declared targets as they count now: the list, and what an operator narrows without a restart."""

from collections.abc import Callable, Sequence
from datetime import date

from aiohttp import web

from captchad.broker.connection import Broker
from captchad.broker.target_narrowings import TargetNarrowings
from captchad.broker.target_proofs import TargetProofs
from captchad.domain.api_key import Scope
from captchad.domain.narrowing import NOT_NARROWED, Narrowing
from captchad.domain.proof import KnownProofs, ProofRecord, read_waiver
from captchad.domain.target import Target, find_declared_target
from captchad.operations.narrowing import limit_target, pause_target, reset_target, resume_target
from captchad.web.api.representation import represent_time
from captchad.web.api.schema import LimitsBody
from captchad.web.api.target_answers import ResumedTarget, TargetAnswer, TargetList
from captchad.web.api.validation import check_says_nothing, read_limits
from captchad.web.bodies import BodyWork, parse_json, read_body
from captchad.web.body_meter import BodyMeter
from captchad.web.middleware.audit import audit_object
from captchad.web.routes import Route, answer_json

BODY_LIMIT_BYTES = 4096
_BODY_ERRORS = ("invalid_request", "body_too_large", "unsupported_media_type", "request_timeout")


class NarrowingRoutes:
    """Handlers of these routes; `declared` returns the targets as the configuration has them now."""

    def __init__(self, broker: Broker, declared: Callable[[], Sequence[Target]]) -> None:
        self._broker = broker
        self._declared = declared
        self._body_work = BodyWork()

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        return (
            Route(
                "GET",
                "/targets",
                self.list_targets,
                Scope.ADMIN,
                "Every declared target: how its ownership is shown, and what is narrowed of it",
                query=(),
                answers={200: TargetList},
            ),
            Route(
                "POST",
                "/limit_target/{host}",
                self.limit_target,
                Scope.ADMIN,
                "Narrow a target's limits; never beyond the declared ones",
                query=(),
                body=LimitsBody,
                answers={200: TargetAnswer},
                errors=("target_not_allowed", *_BODY_ERRORS),
            ),
            Route(
                "POST",
                "/pause_target/{host}",
                self.pause_target,
                Scope.ADMIN,
                "Begin no more tasks of a target; those that come wait",
                query=(),
                answers={200: TargetAnswer},
                errors=("target_not_allowed", *_BODY_ERRORS),
            ),
            Route(
                "POST",
                "/resume_target/{host}",
                self.resume_target,
                Scope.ADMIN,
                "Begin a paused target's tasks again",
                query=(),
                answers={200: ResumedTarget},
                errors=("target_not_allowed", *_BODY_ERRORS),
            ),
        )

    async def list_targets(self, request: web.Request) -> web.Response:
        """List every declared target."""
        return answer_json({"targets": await self._represent(self._declared())})

    async def limit_target(self, request: web.Request) -> web.Response:
        """Narrow the limits that the body has."""
        target = self._find(request)
        body = read_limits(parse_json(await self._read_body(request)))
        audit_object(request).update(body.model_dump(exclude_unset=True))
        day = None if body.expires is None else date.fromisoformat(body.expires)
        if body.reset:
            await reset_target(self._broker, target)
        if body.model_fields_set != {"reset"}:
            await limit_target(self._broker, target, Narrowing(day, body.max_per_minute, body.max_concurrent))
        return await self._answer(target)

    async def pause_target(self, request: web.Request) -> web.Response:
        """Pause a target."""
        target = self._find(request)
        await self._check_body(request)
        await pause_target(self._broker, target)
        return await self._answer(target)

    async def resume_target(self, request: web.Request) -> web.Response:
        """End a pause."""
        target = self._find(request)
        await self._check_body(request)
        return answer_json({"host": target.host, "waiting_tasks": await resume_target(self._broker, target)})

    def _find(self, request: web.Request) -> Target:
        target = find_declared_target(self._declared(), request.match_info["host"])
        audit_object(request)["host"] = target.host
        return target

    async def _answer(self, target: Target) -> web.Response:
        [answer] = await self._represent([target])
        return answer_json(answer)

    async def _represent(self, targets: Sequence[Target]) -> list[dict[str, object]]:
        hosts = [target.host for target in targets]
        known = await TargetProofs(self._broker).read(hosts)
        narrowed = await TargetNarrowings(self._broker).read(hosts)
        return [represent_target(target, narrowed.get(target.host, NOT_NARROWED), known) for target in targets]

    async def _check_body(self, request: web.Request) -> None:
        if request.can_read_body:
            check_says_nothing(parse_json(await self._read_body(request)))

    async def _read_body(self, request: web.Request) -> bytes:
        meter = BodyMeter()

        async def measure(piece: bytes) -> None:
            await self._body_work.measure(meter, piece)

        return await read_body(request, BODY_LIMIT_BYTES, lambda length: None, measure)


def represent_target(declared: Target, narrowing: Narrowing, known: KnownProofs) -> dict[str, object]:
    """Return a target as the API shows it."""
    now, standing = narrowing.apply(declared), known.find_standing(declared)
    record = known.records.get(declared.host)
    return {
        "host": declared.host,
        "ports": list(declared.ports),
        **_represent_limits(now),
        "declared": _represent_limits(declared),
        "paused_at": represent_time(narrowing.paused_ms),
        "standing": str(standing.standing),
        "grace_until": represent_time(standing.until_ms),
        "waiver": read_waiver(declared),
        "proof": None if record is None else _represent_proof(record),
    }


def _represent_limits(target: Target) -> dict[str, object]:
    return {
        "expires": None if target.expires is None else target.expires.isoformat(),
        "max_per_minute": target.max_per_minute,
        "max_concurrent": target.max_concurrent,
    }


def _represent_proof(record: ProofRecord) -> dict[str, object]:
    return {
        "way": None if record.way is None else str(record.way),
        "proven_at": represent_time(record.proven_ms),
        "lapsed_at": represent_time(record.lapsed_ms),
        "checked_at": represent_time(record.checked_ms),
        "finding": record.finding,
    }
