import socket
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256

from captchad.cli import services
from captchad.cli.main import run_command_line
from captchad.cli.services import probe, probe_usual_ports
from captchad.domain.node import Role
from tests.certificates import issue
from tests.unit.client.conftest import StubGateway


def body(role: str, **members: object) -> dict[str, object]:
    return {"status": "ok", "role": role, "name": f"{role}-1", "services": {}, **members}


def address(server: StubGateway) -> str:
    return server.url.partition("://")[2]


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
        (401, b"<html>", "another program answers at this port"),
        (200, b"<html>", "another program answers at this port"),
        (200, {"role": "cook"}, "another program answers at this port"),
    ],
)
def test_what_answers_otherwise_is_not_well(stub: StubGateway, status: int, answer: object, reason: str) -> None:
    stub.answer(status, answer)
    found = probe(Role.GATEWAY, address(stub), None)
    assert (found.is_well, found.reason) == (False, reason)


@pytest.mark.parametrize(
    ("status", "word", "is_well", "reason"),
    [
        (200, "ok", True, "ready; an API key with scope read shows more"),
        (503, "unavailable", False, "unavailable; an API key with scope read shows why"),
    ],
)
def test_a_role_that_wants_a_key_is_asked_whether_it_is_ready(
    stub: StubGateway, status: int, word: str, is_well: bool, reason: str
) -> None:
    stub.answer(401, {"code": "unauthorized"})
    stub.answer(status, {"status": word})
    found = probe(Role.WORKER, address(stub), None)
    assert (found.role, found.is_well, found.is_answering, found.reason) == (Role.WORKER, is_well, True, reason)
    assert [request[1] for request in stub.requests] == ["/health", "/readyz"]


def test_a_key_that_is_refused_is_said(stub: StubGateway) -> None:
    stub.answer(401, {"code": "unauthorized"})
    stub.answer(200, {"status": "ok"})
    found = probe(Role.GATEWAY, address(stub), "ck_wrong_key")
    assert (found.is_well, found.reason) == (False, "refuses the API key; one with scope read is needed")


@pytest.mark.parametrize("is_by_variable", [True, False])
def test_a_gateway_that_is_named_is_the_one_that_is_shown(
    stub: StubGateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_by_variable: bool
) -> None:
    stub.answer(200, body("gateway"))
    if is_by_variable:
        monkeypatch.setenv("CAPTCHAD_GATEWAY_URL", stub.url)
    assert run_command_line(["status", *([] if is_by_variable else ["--gateway", stub.url])]) == 0
    _, line = capsys.readouterr().out.splitlines()
    assert line.split() == ["gateway", "gateway-1", stub.url, "well", "-"]


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


@pytest.mark.parametrize("is_known", [True, False])
def test_a_role_that_speaks_tls_is_asked_by_its_certificate_or_on_loopback(
    stub: StubGateway, tmp_path: Path, is_known: bool
) -> None:
    issued = issue(tmp_path, None, "captchad.example.com")
    stub.speak_tls(issued.serve())
    stub.answer(200, body("gateway"))
    digest = issued.certificate.fingerprint(SHA256()).hex()
    found = probe(Role.GATEWAY, address(stub), "ck_1_2", digest if is_known else None)
    assert (found.is_well, found.name) == (True, "gateway-1")
    assert not probe(Role.GATEWAY, address(stub), None, "0" * 64).is_answering
