"""What faults strike: the roles of a fleet, and the Redis servers under them."""

import asyncio
import signal
from dataclasses import dataclass, field

import redis

from tests.redis_server import RedisServer
from tests.sentinels import SentinelFleet
from tests.system.fleet import Fleet, RoleProcess


@dataclass
class Ground:
    """A fleet on one server, or on several with Sentinels."""

    fleet: Fleet
    servers: list[RedisServer]
    sentinels: SentinelFleet | None = None
    struck: list[str] = field(default_factory=list)

    def find_role(self, name: str) -> RoleProcess:
        """Return the role of that name that runs."""
        [role] = [role for role in self.fleet.roles if role.role == name and role.process.poll() is None]
        return role

    async def start_again(self, role: RoleProcess) -> None:
        """Start a role that has ended, on its old port, and wait until it is ready."""
        self.fleet.roles.remove(role)
        await self.fleet.wait_ready(self.fleet.start(role.role, role.port))

    async def find_master(self) -> RedisServer:
        """Return the server that is written to now."""
        if self.sentinels is None:
            return self.servers[0]
        while (port := await asyncio.to_thread(lambda: self.sentinels.master_port)) == 0:  # type: ignore[union-attr]
            await asyncio.sleep(0.1)
        return self.sentinels.find_server(port)

    async def start_server(self, server: RedisServer) -> None:
        """Start a server that has ended: as a replica, as its own configuration would say, unless it is the master."""
        await asyncio.to_thread(server.start)
        master = await self.find_master()
        if server is not master:
            await self.order(server, "REPLICAOF", "127.0.0.1", master.port)

    async def order(self, server: RedisServer, *command: str | int) -> None:
        """Have a server do something, as an operator would."""
        await asyncio.to_thread(redis.Redis(port=server.port, protocol=2).execute_command, *command)

    @staticmethod
    def signal(server: RedisServer, number: signal.Signals) -> None:
        """Send a server a signal."""
        assert server.process is not None
        server.process.send_signal(number)

    async def wait_whole(self) -> None:
        """Wait until everything that was struck is as it was before."""
        if self.sentinels is not None:
            await asyncio.to_thread(self.sentinels.wait_replicas)
        for role in self.fleet.roles:
            await self.fleet.wait_ready(role)
