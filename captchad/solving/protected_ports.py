"""Keeps every page away from the fleet's own listening addresses, whatever the targets declare."""

from captchad.broker.connection import Broker
from captchad.broker.events import EventFeed
from captchad.broker.nodes import NodeRegistry
from captchad.domain.node import NodeReport
from captchad.domain.ports import ANY_HOSTS, LOOPBACK_HOST
from captchad.egress.scope import ScopePolicy
from captchad.runtime.service import Service

REMEMBERED_SECONDS = 600.0


class ProtectedPorts(Service):
    """Protects the listening addresses of all roles, learned from their reports."""

    name = "protected-ports"

    def __init__(self, broker: Broker, feed: EventFeed, policy: ScopePolicy, host: str) -> None:
        self._broker = broker
        self._registry = NodeRegistry(broker)
        self._feed = feed
        self._policy = policy
        self._host = host

    async def start(self) -> None:
        """Learn the present roles before the first page is opened."""
        async with self._broker.waited_out():
            await self._learn()

    async def run(self) -> None:
        """Learn new roles until cancelled."""
        async with self._feed.subscription() as events:
            async for event in events:
                if event.kind != "task":
                    async with self._broker.waited_out():
                        await self._learn()

    async def _learn(self) -> None:
        for node in await self._registry.read_all(REMEMBERED_SECONDS):
            for host, port in list_listening_addresses(node.report, self._host):
                self._policy.protect(host, port)


def list_listening_addresses(report: NodeReport, own_host: str) -> tuple[tuple[str, int], ...]:
    """Return the (host, port) pairs at which a role can be reached from `own_host`."""
    bracketed, _, port_text = report.address.rpartition(":")
    host, port = bracketed.strip("[]"), int(port_text)
    if port == 0:
        return ()
    if report.host == own_host:
        return ((LOOPBACK_HOST, port),)
    # By both: the address it is bound to, and the name of its machine.
    return ((report.host, port),) if host in ANY_HOSTS else ((host, port), (report.host, port))
