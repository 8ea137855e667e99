from pathlib import Path

import pytest

from captchad.domain.node import Role
from captchad.domain.ports import PORTS_OF_OTHERS, ROLE_PORTS, find_local_host, show_host

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("role", Role)
def test_the_documents_name_the_usual_ports(role: Role) -> None:
    assert f"{ROLE_PORTS[role]} " in (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    assert f"127.0.0.1:{ROLE_PORTS[role]}" in (ROOT / "config/prometheus.yml").read_text(encoding="utf-8")


def test_a_search_passes_the_ports_of_the_others_and_not_the_first_workers() -> None:
    assert sorted(PORTS_OF_OTHERS) == [6379, 8000, 8080, 9090, 9091]


@pytest.mark.parametrize(
    ("bound", "reached"),
    [
        ("0.0.0.0", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("::", "::1"),
        ("192.0.2.1", "192.0.2.1"),
        ("a.example", "a.example"),
    ],
)
def test_what_listens_everywhere_is_reached_by_loopback(bound: str, reached: str) -> None:
    assert find_local_host(bound) == reached


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert show_host("fd00::1") == "[fd00::1]"
    assert show_host("10.0.0.1") == "10.0.0.1"
