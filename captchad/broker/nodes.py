"""Who is running: every role sends heartbeats and, less often, a report."""

import orjson

from captchad.broker.availability import Operation
from captchad.broker.connection import Broker
from captchad.broker.node_reports import decode_report, encode_report
from captchad.broker.redis_keys import ALIVE, NODES
from captchad.domain.node import Node, NodeReport, NodeState, leave_out_replaced

FORGET_AFTER_MS = 600_000
MS = 1000
_PUBLISHING = Operation("publishing", is_write=False)


class NodeRegistry:
    """The roles of the whole fleet."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def beat(self, consumer: str) -> bool:
        """Record a role's heartbeat; return whether its report is stored."""
        return await self._beat(consumer, b"")

    async def write(self, report: NodeReport, announce: bool = True) -> None:
        """Write a role's report; `announce` it to watchers unless only figures have changed."""
        await self._beat(report.consumer, encode_report(report))
        if not announce:
            return
        async with self._broker.guard(_PUBLISHING):
            await self._broker.client.publish(
                self._broker.node_events,
                orjson.dumps({"name": report.name, "role": report.role, "is_draining": report.is_draining}),
            )

    async def _beat(self, consumer: str, report: bytes) -> bool:
        is_full, is_reported = await self._broker.run_fleet_script("beat", [ALIVE, NODES], [consumer, report])
        self._broker.note_memory(bool(is_full))
        return bool(is_reported)

    async def forget(self, consumer: str) -> None:
        """Remove a role that shut down cleanly."""
        async with self._broker.guard():
            pipeline = self._broker.client.pipeline(transaction=False)
            pipeline.zrem(ALIVE, consumer)
            pipeline.hdel(NODES, consumer)
            await pipeline.execute()

    async def read_all(self, lease_seconds: float) -> tuple[Node, ...]:
        """Return every role by name; one silent for longer than the lease is lost, until it is started again."""
        now_ms, reports, signs = await self._broker.run_fleet_script("nodes", [ALIVE, NODES], [FORGET_AFTER_MS])
        last_ms = {consumer: float(at_ms) for consumer, at_ms in zip(signs[::2], signs[1::2], strict=True)}
        nodes = [
            _see_node(decode_report(data), (now_ms - last_ms[consumer]) / MS, lease_seconds)
            for consumer, data in zip(reports[::2], reports[1::2], strict=True)
            if consumer in last_ms
        ]
        return tuple(
            sorted(
                leave_out_replaced(nodes),
                key=lambda node: (node.report.role, node.report.name, node.report.incarnation),
            )
        )

    async def alive_consumers(self, lease_seconds: float) -> tuple[str, ...]:
        """Return the consumers that are not lost."""
        nodes = await self.read_all(lease_seconds)
        return tuple(node.report.consumer for node in nodes if node.state is not NodeState.LOST)


def _see_node(report: NodeReport, age_seconds: float, lease_seconds: float) -> Node:
    if age_seconds > lease_seconds:
        state = NodeState.LOST
    else:
        state = NodeState.DRAINING if report.is_draining else NodeState.UP
    return Node(report, state, round(max(0.0, age_seconds), 3))
