"""A real redis-server for tests."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

import redis


def find_free_port() -> int:
    """Return a loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """A real redis-server on a loopback port of its own, which a test may kill and start again."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = find_free_port()
        self._folder = folder
        self._options = options
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        assert program, "the tests need a redis-server; `make test` installs it"
        arguments = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self.process = subprocess.Popen(
            [*arguments, "--appendonly", "yes", *self._options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait_until_up()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with redis.Redis(port=self.port, protocol=2) as client:
                try:
                    client.ping()
                except redis.AuthenticationError:
                    return
                except redis.RedisError:
                    time.sleep(0.02)
                else:
                    return
        raise TimeoutError("redis-server did not come up")
