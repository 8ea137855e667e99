"""`captchad health`: every role of the fleet and every dependency, one line each."""

import logging
import socket
from dataclasses import dataclass
from typing import Any

import click

from captchad.broker.connection import Broker
from captchad.broker.failures import FULL_MEMORY
from captchad.broker.leases import find_presence_lease_seconds
from captchad.broker.nodes import NodeRegistry
from captchad.broker.server_contact import contact_server
from captchad.cli.broker_connection import describe_redis, embedded_url, open_broker, run_connected
from captchad.cli.options import api_key_option, config_option, json_option, load
from captchad.cli.printing import print_json, print_table
from captchad.cli.services import Probe, probe_all, probe_usual_ports
from captchad.config.loader import LoadedConfiguration
from captchad.domain.errors import BrokerUnavailable, CaptchadError
from captchad.domain.exit_codes import EXIT_FAILED
from captchad.domain.node import Node, NodeState, Role
from captchad.domain.ports import find_local_host, show_host
from captchad.domain.target import is_loopback_host
from captchad.runtime.clock import Clock, Stopwatch

_ROLE_ORDER = {role: place for place, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Line:
    """How one role or dependency is."""

    what: str
    name: str
    where: str
    is_well: bool
    remark: str = ""

    def represent(self) -> dict[str, Any]:
        """Return the line as JSON values."""
        return {
            "what": self.what,
            "name": self.name,
            "where": self.where,
            "well": self.is_well,
            "remark": self.remark,
        }


@click.command()
@api_key_option("A key with scope read.")
@config_option
@json_option
@click.pass_context
def health(ctx: click.Context, /, api_key: str | None, config_path: str | None, is_json: bool) -> None:
    """Check every role and dependency, one line each; exit 1 if any is not well.

    The roles are those that Redis knows of; where Redis does not answer, those at this host's usual ports.
    """
    redis, nodes = run_connected(_ask_redis(load(config_path)))
    roles = _check_nodes(nodes, api_key) if nodes else [_line_of(one) for one in probe_usual_ports(api_key)]
    present = {line.what for line in roles}
    absent = [Line(role, "", "", is_well=False, remark="not running") for role in Role if role not in present]
    lines = [redis, *sorted([*roles, *absent], key=lambda line: (_ROLE_ORDER[Role(line.what)], line.name))]
    is_well = all(line.is_well for line in lines)
    if is_json:
        print_json({"well": is_well, "lines": [line.represent() for line in lines]})
    else:
        rows = (
            (
                line.what,
                line.name or None,
                line.where or None,
                "well" if line.is_well else "NOT WELL",
                line.remark or None,
            )
            for line in lines
        )
        print_table(("WHAT", "NAME", "WHERE", "STATE", "REMARK"), rows, "")
    ctx.exit(0 if is_well else EXIT_FAILED)


async def _ask_redis(loaded: LoadedConfiguration) -> tuple[Line, tuple[Node, ...]]:
    section = loaded.configuration.redis
    where = describe_redis(section, embedded_url(section))
    try:
        async with open_broker(loaded) as broker:
            remark = await _measure(broker)
            trouble = await _find_trouble(broker)
            nodes = await NodeRegistry(broker).read_all(find_presence_lease_seconds(loaded.configuration.scheduler))
    except CaptchadError as error:
        logging.getLogger(__name__).debug("Redis can't be asked", exc_info=error)
        return Line("redis", "", where, is_well=False, remark=error.message), ()
    return Line("redis", "", where, not trouble, f"{trouble}; {remark}" if trouble else remark), nodes


async def _find_trouble(broker: Broker) -> str:
    """Return why a Redis that answers takes no tasks; empty where it takes them."""
    try:
        return FULL_MEMORY.message if (await contact_server(broker)).is_full else ""
    except BrokerUnavailable as error:
        return error.message


async def _measure(broker: Broker) -> str:
    stopwatch = Stopwatch(Clock())
    async with broker.guard():
        server = await broker.client.info("server")
    return f"version {server.get('redis_version', 'unknown')}, answers in {stopwatch.lap_ms():.1f} ms"


def _check_nodes(nodes: tuple[Node, ...], api_key: str | None) -> list[Line]:
    """Ask every node that this host can reach; of the others their heartbeat is all there is."""
    asked: list[Node] = []
    lines: list[Line] = []
    for node in nodes:
        if node.state is NodeState.LOST:
            lines.append(_line_of_node(node, is_well=False, remark="lost"))
        elif _is_reachable(node):
            asked.append(node)
        else:
            lines.append(_line_of_node(node, is_well=node.state is NodeState.UP, remark=node.state))
    probes = probe_all(((node.report.role, _dialled(node)) for node in asked), api_key)
    for node, probe in zip(asked, probes, strict=True):
        is_here = probe.is_answering and probe.role is node.report.role
        reason = probe.reason if is_here else "sends heartbeats, but does not answer at its address"
        lines.append(_line_of_node(node, is_well=probe.is_well and is_here, remark=reason))
    return lines


def _is_reachable(node: Node) -> bool:
    host = node.report.address.rpartition(":")[0].strip("[]")
    return bool(node.report.address) and (node.report.host == socket.gethostname() or not is_loopback_host(host))


def _dialled(node: Node) -> str:
    host, _, port = node.report.address.rpartition(":")
    return f"{show_host(find_local_host(host.strip('[]')))}:{port}"


def _line_of_node(node: Node, is_well: bool, remark: str) -> Line:
    report = node.report
    seen = f"last seen {node.heartbeat_age_seconds:.1f} s ago"
    where = f"{report.address} on {report.host}" if report.address else report.host
    return Line(report.role, report.name, where, is_well, f"{remark}, {seen}" if remark else seen)


def _line_of(one: Probe) -> Line:
    return Line(one.role, one.name, one.address, one.is_well, one.reason)
