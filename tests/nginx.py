"""A real nginx for tests."""

import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.patience import wait_until
from tests.ports import find_free_port

# Debian keeps it where only root looks.
PROGRAM = shutil.which("nginx") or "/usr/sbin/nginx"
CONFIGURATION = """
daemon off; worker_processes 1; pid nginx.pid; error_log nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  # Its worker process may be another user, for whom the test's folder is closed.
  proxy_max_temp_file_size 0; client_body_buffer_size 16m;
  {servers}
}}
"""


class Nginx:
    """A reverse proxy on a loopback port of its own, with the locations a test wants, or whole servers for its port."""

    def __init__(self, folder: Path, locations: str = "", write_servers: Callable[[int], str] | None = None) -> None:
        self.port = find_free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        plain = f"server {{ listen 127.0.0.1:{self.port}; {locations} }}"
        servers = write_servers(self.port) if write_servers else plain
        (folder / "nginx.conf").write_text(CONFIGURATION.format(servers=servers))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        log = self._folder / "nginx.log"
        arguments = [PROGRAM, "-p", str(self._folder), "-c", "nginx.conf", "-e", str(log)]
        self._process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, "nginx to come up")

    def stop(self) -> None:
        """Have the master end its worker, and wait for both."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "nginx.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
