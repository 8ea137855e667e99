"""A supervised role: when it counts as ready."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from captchad.deployment.events import ServiceEvent, ServiceEventKind
from captchad.deployment.log_file import LogFile
from captchad.deployment.role_child import RoleChild, RoleOrder
from captchad.deployment.watch import ChildGaveUp, Watch
from captchad.domain.node import Role
from captchad.runtime.clock import Clock


class _YesMan(BaseHTTPRequestHandler):
    """Another program, to which every request is fine."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture
def foreign_port() -> Iterator[int]:
    """A port at which another program answers 200."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _YesMan) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


async def test_an_answer_of_another_program_at_its_port_makes_no_role_ready(
    tmp_path: Path, redis_url: str, foreign_port: int
) -> None:
    order = RoleOrder(Role.GATEWAY, "gateway", "gateway-1", None, "127.0.0.1", stop_seconds=5.0)
    told: list[ServiceEvent] = []
    environment = os.environ | {"REDIS_URL": redis_url, "CAPTCHAD_STATE_DIRECTORY": str(tmp_path)}
    log = LogFile(tmp_path / "gateway.log")
    child = RoleChild(order, lambda: foreign_port, environment, log, told.append, Clock())
    with pytest.raises(ChildGaveUp, match=f"gateway does not start: .*port {foreign_port} is taken by"):
        await Watch(child, told.append, Clock()).run()
    assert ServiceEventKind.READY not in {event.kind for event in told}
