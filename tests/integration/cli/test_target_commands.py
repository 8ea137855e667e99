"""`captchad targets` beside a real Redis and a real name server: proofs, and what is narrowed."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from captchad.broker.audit_log import AuditLog
from captchad.broker.connection import Broker
from captchad.broker.target_narrowings import TargetNarrowings
from captchad.broker.target_proofs import TargetProofs
from captchad.config.settings import AuditLogSection
from tests.integration.cli.conftest import Run
from tests.name_server import NameServer, serving_names

HOST = "captcha.example.com"
EXPIRES = date.today() + timedelta(days=30)


@pytest.fixture
def names(environment: dict[str, str]) -> Iterator[NameServer]:
    """A name server, in a configuration with a public and a private target."""
    with serving_names() as names:
        authority = {"owner": "o", "reference": "r", "expires": EXPIRES.isoformat()}
        targets = [{"host": HOST, **authority}, {"host": "localhost", "ports": [8090], "allow_private_addresses": True}]
        security = {"targets": targets, "proof": {"nameservers": [names.address]}}
        Path(environment["DISTRIBUTED_CONFIG_PATH"]).write_text(json.dumps({"security": security}))
        yield names


async def test_a_target_is_proven_and_the_fleet_told(captchad: Run, names: NameServer, broker: Broker) -> None:
    checked = captchad("targets", "check", f"https://{HOST}/")
    assert checked.returncode == 1
    token = (await TargetProofs(broker).ensure_installation()).token
    assert f'publish the DNS record _captchad.{HOST} TXT "{token}", or the file https://{HOST}/' in checked.stderr
    names.texts[f"_captchad.{HOST}"] = [token]
    proven = captchad("targets", "prove", HOST)
    assert proven.returncode == 0, proven.stderr
    assert proven.stdout.endswith(f"{HOST} is proven to be yours, and open\n")
    assert captchad("targets", "check", f"https://{HOST}/").returncode == 0
    shown = json.loads(captchad("targets", "prove", HOST, "--json").stdout)
    assert (shown["standing"], shown["way"], shown["token"]) == ("proven", "dns", token)
    entries, _ = await AuditLog(broker, AuditLogSection()).read_whole()
    acts = [json.loads(entry.act) for entry in entries]
    assert {"host": HOST, "standing": "proven"} in [act["object"] for act in acts if act["action"] == "targets_prove"]


async def test_a_private_target_needs_no_proof(captchad: Run, names: NameServer) -> None:
    assert captchad("targets", "prove", "localhost").stdout == "localhost is private and needs no proof\n"
    assert names.asked == []


async def test_limits_are_narrowed_and_never_widened(captchad: Run, names: NameServer, broker: Broker) -> None:
    day = date.today().isoformat()
    narrowed = captchad("targets", "limit", HOST, "--max-per-minute", "5", "--expires", day)
    assert narrowed.stdout == f"{HOST}: 5 visits a minute, 4 pages at once, until {day}\n", narrowed.stderr
    wider = captchad("targets", "limit", HOST, "--max-concurrent", "9")
    assert (wider.returncode, "is wider than the 4 that" in wider.stderr) == (1, True)
    [public, _] = json.loads(captchad("targets", "list", "--json").stdout)
    assert (public["max_per_minute"], public["narrowed"]["max_per_minute"], public["standing"]) == (60, 5, "unproven")
    assert "5 of 60" in captchad("targets", "list").stdout
    assert captchad("targets", "limit", HOST).returncode == 2
    closed = captchad("targets", "limit", HOST, "--expires", "2026-01-01")
    assert closed.stdout.startswith(f"{HOST} is closed now: its last day was 2026-01-01"), closed.stderr
    again = captchad("targets", "limit", HOST, "--reset")
    assert again.stdout == f"{HOST}: 60 visits a minute, 4 pages at once, until {EXPIRES.isoformat()}\n"
    assert await TargetNarrowings(broker).read([HOST]) == {}


async def test_a_target_is_paused_and_resumed(captchad: Run, names: NameServer) -> None:
    paused = captchad("pause", "--target", "localhost")
    assert paused.stdout.startswith("localhost is paused: its tasks wait until"), paused.stderr
    assert "private, paused" in captchad("targets", "list").stdout
    assert captchad("resume", "--target", "localhost").stdout == "localhost is resumed; 0 tasks wait for it\n"


def test_the_list_says_what_it_does_not_know_without_redis(captchad: Run, names: NameServer) -> None:
    listed = captchad("targets", "list", "--json", REDIS_URL="redis://127.0.0.1:1/0")
    assert listed.returncode == 0
    assert [one["standing"] for one in json.loads(listed.stdout)] == [None, "private"]
    assert "proofs and narrowed limits are not known here" in listed.stderr
