"""The roles that answer on this host's usual ports, and how they say they are."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from captchad.cli.options import open_client
from captchad.cli.printing import print_json, print_table, say
from captchad.client import GatewayClient
from captchad.client.trust import Trust
from captchad.client.wire import Answer
from captchad.domain.errors import CaptchadError
from captchad.domain.node import Role
from captchad.domain.ports import LOOPBACK_HOST, ROLE_PORTS

WORKER_PORTS_SEARCHED = 16
PROBE_TIMEOUT_SECONDS = 3.0
UNAUTHORIZED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True, slots=True)
class Probe:
    """One role asked for its health.

    `body` is its /health, or only its /readyz where it wants a key; empty where no captchad role answers.
    """

    role: Role
    address: str
    is_well: bool
    reason: str = ""
    is_answering: bool = False
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name the role gives itself; empty where it does not say."""
        return str(self.body.get("name", ""))


def probe(role: Role, address: str, api_key: str | None, certificate_digest: str | None = None) -> Probe:
    """Ask the role at HOST:PORT, or at a URL, for its health; by TLS alone where its certificate is known."""
    if "://" in address:
        return _ask(role, address, address, api_key, None)
    if certificate_digest is not None:
        return _ask(role, address, f"https://{address}", api_key, Trust(digest=certificate_digest))
    found = _ask(role, address, f"http://{address}", api_key, None)
    if found.is_answering or not address.startswith(LOOPBACK_HOST):
        return found
    # Its certificate is for the name by which others call it, and what goes over loopback is not to be overheard.
    return _ask(role, address, f"https://{address}", api_key, Trust(is_blind=True))


def _ask(role: Role, address: str, url: str, api_key: str | None, trust: Trust | None) -> Probe:
    client = GatewayClient(url, api_key, PROBE_TIMEOUT_SECONDS, trust=trust)
    try:
        answer = client.health()
        if answer.status in UNAUTHORIZED and isinstance(answer.body, dict) and "code" in answer.body:
            return _judge_readiness(role, address, client.readiness(), is_key_given=api_key is not None)
    except CaptchadError:
        return Probe(role, address, is_well=False, reason="does not answer")
    body = answer.body
    if not isinstance(body, dict) or body.get("role") not in set(Role):
        return Probe(role, address, is_well=False, reason="another program answers at this port", is_answering=True)
    found = Role(body["role"])
    reason = "" if answer.is_success else describe_unwell(body)
    return Probe(found, address, answer.is_success, reason, is_answering=True, body=body)


def _judge_readiness(role: Role, address: str, answer: Answer, *, is_key_given: bool) -> Probe:
    """Judge a role by what it tells everybody."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if is_key_given:
        reason = "refuses the API key; one with scope read is needed"
    elif answer.is_success:
        reason = "ready; an API key with scope read shows more"
    else:
        reason = f"{body.get('status', 'not ready')}; an API key with scope read shows why"
    return Probe(role, address, answer.is_success and not is_key_given, reason, is_answering=True, body=body)


def describe_unwell(body: dict[str, Any]) -> str:
    """Say which parts of a role are not well, and why."""
    parts = (
        f"{name}: {part.get('reason') or 'not ready'}"
        for name, part in (body.get("services") or {}).items()
        if isinstance(part, dict) and not part.get("ready", True)
    )
    return "; ".join(parts) or str(body.get("status", "not well"))


def probe_all(places: Iterable[tuple[Role, str, str | None]], api_key: str | None) -> list[Probe]:
    """Ask several roles at once, each at its address and by its certificate; answers come in their order."""
    listed = list(places)
    with ThreadPoolExecutor(max_workers=max(1, len(listed))) as pool:
        return list(pool.map(lambda place: probe(place[0], place[1], api_key, place[2]), listed))


def probe_usual_ports(api_key: str | None) -> list[Probe]:
    """Ask this host's usual ports; of the workers' ports those where one answers, or the first."""
    fixed = [(role, f"{LOOPBACK_HOST}:{port}") for role, port in ROLE_PORTS.items() if role is not Role.WORKER]
    worker_ports = range(ROLE_PORTS[Role.WORKER], ROLE_PORTS[Role.WORKER] + WORKER_PORTS_SEARCHED)
    places = [*fixed, *((Role.WORKER, f"{LOOPBACK_HOST}:{port}") for port in worker_ports)]
    found = probe_all(((role, address, None) for role, address in places), api_key)
    singles, workers = found[: len(fixed)], found[len(fixed) :]
    answering = [one for one in workers if one.role is Role.WORKER and one.body]
    return [*singles, *(answering or workers[:1])]


def print_services(api_key: str | None, is_json: bool, gateway: str | None = None) -> None:
    """Print this host's services, or the one at the URL of a gateway."""
    probes = [_probe_gateway(gateway, api_key)] if gateway is not None else probe_usual_ports(api_key)
    if is_json:
        print_json([represent_probe(one) for one in probes])
        return
    rows = ((one.role, one.name or None, one.address, _state(one), one.reason or None) for one in probes)
    print_table(("ROLE", "NAME", "ADDRESS", "STATE", "REASON"), rows, "")
    if gateway is None and not any(one.is_answering for one in probes):
        say("nothing is running here; start it with `captchad up`", is_error=True)


def _probe_gateway(url: str, api_key: str | None) -> Probe:
    # A gateway that is not a URL is wrong usage.
    open_client(url, api_key)
    return probe(Role.GATEWAY, url, api_key)


def represent_probe(one: Probe) -> dict[str, Any]:
    """Return a probe as JSON values."""
    return {
        "role": one.role.value,
        "name": one.name,
        "address": one.address,
        "state": _state(one),
        "reason": one.reason,
        "health": one.body or None,
    }


def _state(one: Probe) -> str:
    if one.is_well:
        return "well"
    return "not well" if one.is_answering else "not running"
