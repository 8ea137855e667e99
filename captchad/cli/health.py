"""`captchad health`: every role of the fleet and every dependency, one line each."""

import logging
import os
import socket
from dataclasses import dataclass
from typing import Any

import click

from captchad.broker.backup.restore_mark import find_restore_state
from captchad.broker.connection import Broker
from captchad.broker.embedded import FOLDER
from captchad.broker.embedded_dump import describe_dump
from captchad.broker.failures import FULL_MEMORY
from captchad.broker.leases import find_presence_lease_seconds
from captchad.broker.nodes import NodeRegistry
from captchad.broker.server_contact import contact_server
from captchad.cli.broker_connection import describe_redis, embedded_url, open_broker, run_connected
from captchad.cli.options import api_key_option, config_option, json_option, load
from captchad.cli.printing import print_json, print_table
from captchad.cli.services import Probe, probe_all, probe_usual_ports
from captchad.config.loader import LoadedConfiguration
from captchad.config.state import resolve_state_directory
from captchad.domain.errors import BrokerUnavailable, CaptchadError
from captchad.domain.exit_codes import EXIT_FAILED
from captchad.domain.node import Node, NodeReport, NodeState, Role
from captchad.domain.ports import ANY_HOSTS, find_local_host, show_host
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
    dump = describe_dump(resolve_state_directory(os.environ) / FOLDER) if embedded_url(section) else ""
    remarks = "; ".join(filter(None, (trouble, remark, dump)))
    return Line("redis", "", where, not trouble, remarks), nodes


async def _find_trouble(broker: Broker) -> str:
    """Return why a Redis that answers takes no tasks, or has not all of its data; empty where it is well."""
    try:
        full = FULL_MEMORY.message if (await contact_server(broker)).is_full else ""
        return full or await find_restore_state(broker) or ""
    except BrokerUnavailable as error:
        return error.message


async def _measure(broker: Broker) -> str:
    stopwatch = Stopwatch(Clock())
    async with broker.guard():
        server = await broker.client.info("server")
    return f"version {server.get('redis_version', 'unknown')}, answers in {stopwatch.lap_ms():.1f} ms"


def _check_nodes(nodes: tuple[Node, ...], api_key: str | None) -> list[Line]:
    """Ask every role that this host can reach; of the others their heartbeat is all there is."""
    asked: list[tuple[Node, str]] = []
    lines: list[Line] = []
    for node in nodes:
        address = find_reachable_address(node.report)
        if node.state is NodeState.LOST:
            lines.append(_line_of_node(node, is_well=False, remark="lost"))
        elif address:
            asked.append((node, address))
        else:
            lines.append(_line_of_node(node, is_well=node.state is NodeState.UP, remark=node.state))
    probes = probe_all(
        ((node.report.role, address, node.report.certificate_digest) for node, address in asked), api_key
    )
    return lines + [_judge(node, probe) for (node, _), probe in zip(asked, probes, strict=True)]


def _judge(node: Node, probe: Probe) -> Line:
    if probe.is_answering and probe.role is node.report.role:
        return _line_of_node(node, is_well=probe.is_well, remark=probe.reason)
    if _names_no_address(node.report):
        # Where it was asked is a guess, and a firewall may be on the way.
        remark = f"{node.state}, does not answer at {probe.address}"
        return _line_of_node(node, is_well=node.state is NodeState.UP, remark=remark)
    return _line_of_node(node, is_well=False, remark="sends heartbeats, but does not answer at its address")


def find_reachable_address(report: NodeReport) -> str:
    """Return the HOST:PORT at which a role can be asked from here; empty where there is none.

    What listens on every address of another host is asked at that host's name, if it has one here that leads there.
    """
    host, port = _split(report.address)
    if not port:
        return ""
    if report.host == socket.gethostname():
        return f"{show_host(find_local_host(host))}:{port}"
    if _names_no_address(report):
        host = _resolve(report.host)
    return f"{show_host(host)}:{port}" if host and not is_loopback_host(host) else ""


def _names_no_address(report: NodeReport) -> bool:
    return report.host != socket.gethostname() and _split(report.address)[0] in ANY_HOSTS


def _split(address: str) -> tuple[str, str]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), port


def _resolve(name: str) -> str:
    try:
        return str(socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError:
        return ""


def _line_of_node(node: Node, is_well: bool, remark: str) -> Line:
    report = node.report
    seen = f"last seen {node.heartbeat_age_seconds:.1f} s ago"
    where = f"{report.address} on {report.host}" if report.address else report.host
    return Line(report.role, report.name, where, is_well, f"{remark}, {seen}" if remark else seen)


def _line_of(one: Probe) -> Line:
    return Line(one.role, one.name, one.address, one.is_well, one.reason)
