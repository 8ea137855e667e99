"""A real redis-server for tests."""

import subprocess
from pathlib import Path

import redis

from tests.patience import wait_until
from tests.ports import find_free_port
from tests.redis_versions import find_server


class RedisServer:
    """A real redis-server on a loopback port of its own, which a test may kill and start again."""

    def __init__(self, folder: Path, *options: str, program: Path | None = None, version: str = "installed") -> None:
        self.port = find_free_port()
        self._program = program or find_server(version)
        self._folder = folder
        self._options = options
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        arguments = [
            self._program,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self._folder),
        ]
        self.process = subprocess.Popen(
            [*arguments, "--appendonly", "yes", *self._options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # SIGXFSZ stays ignored, so that a limit on its files is to it what a full disk is.
            restore_signals=False,
        )
        self._wait_until_up()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _wait_until_up(self) -> None:
        with redis.Redis(port=self.port, protocol=2) as client:
            wait_until(lambda: self._answers(client), "redis-server to come up")

    def _answers(self, client: "redis.Redis") -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "redis-server has ended"
        try:
            client.ping()
        except redis.AuthenticationError:
            return True
        except redis.RedisError:
            return False
        return True
