"""What an operator sees and narrows of targets by the API, and that a public one needs a proof."""

import base64
from typing import Any

import pytest

from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Settlement
from captchad.broker.target_limits import TargetLimits
from captchad.broker.target_proofs import TargetProofs
from captchad.domain.api_key import Scope
from captchad.domain.proof import Look, ProofWay, note_look
from captchad.domain.task import WaitReason
from tests.integration.gateway.conftest import RunningGateway, StartGateway, configure
from tests.integration.gateway.test_sessions import PNG, make_worker
from tests.patience import until

HOST = "captcha.example.com"
UNPROVEN = "unproven.example.com"
PICTURE = base64.b64encode(PNG).decode()


async def call(gateway: RunningGateway, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
    async with gateway.session.post(path, json=body or None) as answer:
        return answer.status, await answer.json()


async def show(gateway: RunningGateway, host: str = HOST) -> dict[str, Any]:
    async with gateway.session.get("/targets") as answer:
        [found] = [one for one in (await answer.json())["targets"] if one["host"] == host]
        return dict(found)


async def prove(broker: Broker, host: str, way: ProofWay | None) -> None:
    """Write what a look would have found."""
    proofs = TargetProofs(broker)
    known = await proofs.read([host])
    record = known.records.get(host) or known.begin_record()
    looked = note_look(record, Look(way, frozenset(ProofWay) if way is None else frozenset()), known.now_ms)
    await proofs.write(host, looked, is_news=True)


async def test_limits_are_narrowed_at_once_and_never_widened(gateway: RunningGateway) -> None:
    status, narrowed = await call(gateway, f"/limit_target/{HOST}", max_per_minute=5, expires="2020-01-31")
    assert (status, narrowed["max_per_minute"], narrowed["expires"]) == (200, 5, "2020-01-31")
    assert narrowed["declared"]["max_per_minute"] == 60

    async def is_refused() -> bool:
        status, answer = await call(gateway, "/submit_task", url=f"http://{HOST}/")
        return status == 403 and "expired on 2020-01-31" in answer["detail"]

    await until(is_refused)
    for wider in ({"max_per_minute": 61}, {"max_concurrent": 5}, {"expires": "2999-01-01"}):
        status, answer = await call(gateway, f"/limit_target/{HOST}", **wider)
        assert (status, answer["code"]) == (403, "target_not_allowed"), wider
    assert (await show(gateway))["max_concurrent"] == 4
    status, again = await call(gateway, f"/limit_target/{HOST}", reset=True)
    assert (again["max_per_minute"], again["expires"]) == (60, again["declared"]["expires"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"max_per_minute": 0}, "/max_per_minute"),
        ({"expires": "2026-02-30"}, "/expires"),
        ({"nonsense": 1}, "/nonsense"),
        ({"reset": False}, ""),
    ],
)
async def test_a_wrong_limit_is_named(gateway: RunningGateway, body: dict[str, Any], pointer: str) -> None:
    status, answer = await call(gateway, f"/limit_target/{HOST}", **body)
    assert (status, answer["violations"][0]["pointer"]) == (400, pointer)


@pytest.mark.parametrize("path", ["pause_target", "resume_target"])
async def test_a_pause_takes_no_fields(gateway: RunningGateway, path: str) -> None:
    status, answer = await call(gateway, f"/{path}/{HOST}", minutes=5)
    assert (status, answer["violations"][0]["pointer"]) == (400, "/minutes")
    assert (await show(gateway))["paused_at"] is None
    async with gateway.session.post(f"/{path}/{HOST}", json={}) as answered:
        assert answered.status == 200


async def test_a_paused_targets_tasks_wait_and_go_on(gateway: RunningGateway, broker: Broker) -> None:
    assert (await call(gateway, f"/pause_target/{HOST}"))[1]["paused_at"] is not None
    task_id = await gateway.submit(url=f"http://{HOST}/")
    worker = make_worker(broker)
    [delivery] = await worker.take(1)
    [target] = [one for one in gateway.targets.current if one.host == HOST]
    refusal = await TargetLimits(broker, "w.1", 60).begin(delivery, target)
    assert refusal is not None
    await worker.settle([Settlement(delivery, AttemptOutcome.DEFERRED, deferral=refusal.deferral)])
    waiting = (await gateway.store.read(task_id)).waiting_for
    assert waiting is not None
    assert (waiting.reason, waiting.until_ms) == (WaitReason.PAUSED, None)
    status, resumed = await call(gateway, f"/resume_target/{HOST}")
    assert (status, resumed) == (200, {"host": HOST, "waiting_tasks": 1})
    assert await TargetLimits(broker, "w.1", 60).begin(delivery, target) is None


async def test_a_public_target_opens_with_its_proof_and_closes_with_its_lapse(
    gateway: RunningGateway, broker: Broker
) -> None:
    status, answer = await call(gateway, "/submit_task", url=f"http://{UNPROVEN}/")
    token = (await TargetProofs(broker).ensure_installation()).token
    assert (status, answer["code"]) == (403, "target_not_allowed")
    assert f'_captchad.{UNPROVEN} TXT "{token}"' in answer["detail"]
    assert (await show(gateway, UNPROVEN))["standing"] == "unproven"
    await prove(broker, UNPROVEN, ProofWay.DNS)

    async def is_open() -> bool:
        return (await call(gateway, "/submit_task", url=f"http://{UNPROVEN}/"))[0] == 202

    await until(is_open)
    shown = await show(gateway, UNPROVEN)
    assert (shown["standing"], shown["proof"]["way"]) == ("proven", "dns")
    await prove(broker, UNPROVEN, None)
    assert (await show(gateway, UNPROVEN))["standing"] == "grace"


async def test_a_picture_needs_a_key_of_its_target_whatever_its_scope(start_gateway: StartGateway) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        for name, scope, hosts, expected in (
            ("any", Scope.SUBMIT, (), 403),
            ("admin", Scope.ADMIN, (), 403),
            ("bound", Scope.SUBMIT, (HOST,), 202),
        ):
            text, _ = await gateway.keys.create(name, frozenset({scope}), hosts)
            body = {"image": PICTURE, "target": HOST}
            async with gateway.session.post("/submit_task", json=body, headers={"X-API-Key": text}) as answer:
                assert answer.status == expected, (name, await answer.text())
            page = {"url": f"http://{HOST}/"}
            async with gateway.session.post("/submit_task", json=page, headers={"X-API-Key": text}) as answer:
                assert answer.status == 202, name
