"""Where roles of other hosts are asked how they are, and how they are judged where that is a guess."""

import socket
from dataclasses import replace

import pytest

from captchad.cli import health
from captchad.cli.health import find_reachable_address
from captchad.cli.services import Probe
from captchad.domain.node import Node, NodeReport, NodeState, Role

HERE = socket.gethostname()
REPORT = NodeReport("gateway-1", "1", Role.GATEWAY, "alpha", 1, "0.0.0.0:8080", "0.3.0", is_draining=False)
NAMES = {"alpha": "10.0.0.5", "loop": "127.0.1.1"}


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(name: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        if name not in NAMES:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (NAMES[name], 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize(
    ("host", "address", "asked"),
    [
        (HERE, "127.0.0.1:8080", "127.0.0.1:8080"),
        (HERE, "0.0.0.0:8080", "127.0.0.1:8080"),
        (HERE, "[::]:8080", "[::1]:8080"),
        ("alpha", "10.0.0.9:8080", "10.0.0.9:8080"),
        ("alpha", "0.0.0.0:8080", "10.0.0.5:8080"),
        ("alpha", "[::]:8080", "10.0.0.5:8080"),
        ("alpha", "127.0.0.1:8080", ""),
        ("loop", "0.0.0.0:8080", ""),
        ("unknown", "0.0.0.0:8080", ""),
        ("alpha", "", ""),
    ],
)
def test_a_role_is_asked_where_it_can_be_reached_from_here(host: str, address: str, asked: str) -> None:
    assert find_reachable_address(replace(REPORT, host=host, address=address)) == asked


def judge(monkeypatch: pytest.MonkeyPatch, report: NodeReport, state: NodeState, probe: Probe) -> health.Line:
    monkeypatch.setattr(health, "probe_all", lambda places, api_key: [probe for _ in places])
    [line] = health._check_nodes((Node(report, state, 0.4),), None)
    return line


SILENT = Probe(Role.GATEWAY, "10.0.0.5:8080", is_well=False)


def test_a_role_elsewhere_that_listens_on_every_address_is_judged_by_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = replace(SILENT, is_answering=True, reason="broker: away")
    assert not judge(monkeypatch, REPORT, NodeState.UP, answer).is_well
    assert judge(monkeypatch, REPORT, NodeState.UP, replace(answer, is_well=True)).is_well


def test_where_its_address_is_a_guess_that_is_not_answered_its_heartbeat_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = judge(monkeypatch, REPORT, NodeState.UP, SILENT)
    assert line.is_well
    assert line.remark == "up, does not answer at 10.0.0.5:8080, last seen 0.4 s ago"
    assert not judge(monkeypatch, REPORT, NodeState.DRAINING, SILENT).is_well


def test_a_role_that_does_not_answer_at_an_address_of_its_own_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    line = judge(monkeypatch, replace(REPORT, address="10.0.0.5:8080"), NodeState.UP, SILENT)
    assert not line.is_well
    assert "does not answer at its address" in line.remark
