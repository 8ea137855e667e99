import socket

import pytest

from captchad.cli import services
from captchad.cli.main import run_command_line
from captchad.cli.services import probe, probe_usual_ports
from captchad.domain.node import Role
from tests.unit.client.conftest import StubGateway


def body(role: str, **members: object) -> dict[str, object]:
    return {"status": "ok", "role": role, "name": f"{role}-1", "services": {}, **members}


def address(server: StubGateway) -> str:
    return server.url.removeprefix("http://")


def test_a_role_that_is_well_says_its_name(stub: StubGateway) -> None:
    stub.answer(200, body("gateway"))
    found = probe(Role.GATEWAY, address(stub), "ck_1_2")
    assert (found.is_well, found.name, found.reason) == (True, "gateway-1", "")
    assert stub.requests[0][2]["Authorization"] == "Bearer ck_1_2"


def test_a_role_that_is_not_well_says_which_part_and_why(stub: StubGateway) -> None:
    parts = {"broker": {"ready": False, "reason": "Redis is away"}, "web": {"ready": True}}
    stub.answer(503, body("worker", services=parts))
    found = probe(Role.WORKER, address(stub), None)
    assert (found.is_well, found.is_answering, found.reason) == (False, True, "broker: Redis is away")


@pytest.mark.parametrize(
    ("status", "answer", "reason"),
    [
        (401, {"code": "unauthorized"}, "wants an API key with scope read"),
        (200, b"<html>", "another program answers at this port"),
        (200, {"role": "cook"}, "another program answers at this port"),
    ],
)
def test_what_answers_otherwise_is_not_well(stub: StubGateway, status: int, answer: object, reason: str) -> None:
    stub.answer(status, answer)
    found = probe(Role.GATEWAY, address(stub), None)
    assert (found.is_well, found.reason) == (False, reason)


def test_this_hosts_services_are_those_at_the_usual_ports(
    stub: StubGateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.answer(200, body("worker"))
    port = int(address(stub).rpartition(":")[2])
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        ports = {Role.GATEWAY: reserved.getsockname()[1], Role.WORKER: port}
        monkeypatch.setattr(services, "ROLE_PORTS", ports)
        monkeypatch.setattr(services, "WORKER_PORTS_SEARCHED", 1)
        gateway, worker = probe_usual_ports(None)
        assert (gateway.is_answering, worker.is_well, worker.name) == (False, True, "worker-1")
        assert run_command_line(["status"]) == 0
    shown = capsys.readouterr().out
    assert "not running" in shown
    assert "worker-1" in shown
