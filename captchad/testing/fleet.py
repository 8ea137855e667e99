"""A fleet of the test session's own: `captchad up` on free ports, in a folder of its own, for loopback targets."""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from captchad.deployment.private_fleet import choose_base, make_private_environment
from captchad.domain.errors import TargetNotAllowed
from captchad.domain.ports import LOOPBACK_HOST
from captchad.domain.target import is_loopback_host, parse_origin
from captchad.runtime.tethered_process import TETHER_COMMAND, write_order
from captchad.testing.errors import FleetNotStarted

START_SECONDS = 180.0
GRACE_SECONDS = 20.0
"""How long the fleet may take to end by itself once its session has ended or was killed."""
UNLIMITED_PER_MINUTE = 1_000_000
CONCURRENT_PAGES = 8
USUAL_HOSTS = (LOOPBACK_HOST, "localhost", "::1")
"""Where pages of tests usually are. Their pictures are read; pages are opened at named ports alone."""
LAST_LINES = 8
_ENDED = None


def declare_targets(urls: Iterable[str]) -> list[dict[str, Any]]:
    """Return the targets that make loopback URLs their own scope; TargetNotAllowed for any other URL."""
    ports: dict[str, list[int]] = {host: [] for host in USUAL_HOSTS}
    for url in urls:
        origin = parse_origin(url)
        if not is_loopback_host(origin.host):
            raise TargetNotAllowed(
                f"{url} is not on this machine, and a test's own fleet opens nothing else — run captchad with a "
                "configuration that declares it, and set CAPTCHAD_GATEWAY_URL"
            )
        ports.setdefault(origin.host, []).append(origin.port)
    return [_declare(host, sorted(set(found))) for host, found in ports.items()]


def _declare(host: str, ports: list[int]) -> dict[str, Any]:
    return {
        "host": host,
        **({"ports": ports} if ports else {}),
        "owner": "the test session",
        "max_per_minute": UNLIMITED_PER_MINUTE,
        "max_concurrent": CONCURRENT_PAGES,
        "allow_private_addresses": True,
    }


class SessionFleet:
    """Runs the fleet under a tether, so that it ends with this process, however that ends."""

    def __init__(self, urls: Iterable[str], environment: Mapping[str, str] | None = None) -> None:
        self._targets = declare_targets(urls)
        self._given_environment = os.environ if environment is None else environment
        self._folder = tempfile.TemporaryDirectory(
            prefix="captchad-test-", dir=choose_base(), ignore_cleanup_errors=True
        )
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._process: subprocess.Popen[bytes] | None = None
        self.gateway_url = ""

    def __enter__(self) -> Self:
        try:
            self._start()
            self.gateway_url = self._await_gateway()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the fleet, and return once all its processes and its folder are gone."""
        if self._process is not None:
            assert self._process.stdin is not None
            # The tether's lifeline; the kernel cuts it too, when this process is killed.
            self._process.stdin.close()
            self._process.wait()
            self._process = None
        self._folder.cleanup()

    def _start(self) -> None:
        folder = Path(self._folder.name)
        configuration = {
            "gateway": {"rate_limit": {"enabled": False}},
            "security": {"targets": self._targets},
        }
        path = folder / "distributed.json"
        path.write_text(json.dumps(configuration, indent=2))
        ports = ("--gateway-port=0", "--scheduler-port=0", "--monitor-port=0")
        command = [sys.executable, "-m", "captchad", "up", "--json", "--workers=1", f"--config={path}", *ports]
        self._process = subprocess.Popen(  # noqa: S603 - captchad itself
            TETHER_COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=make_private_environment(self._given_environment, folder),
            # A terminal's Ctrl-C is for the tests; the fleet ends after them.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(write_order(command, GRACE_SECONDS))
        self._process.stdin.flush()
        # A process that a test forks must not hold the lifeline, which would outlive this one with it.
        os.register_at_fork(after_in_child=self._process.stdin.close)
        threading.Thread(target=self._collect_lines, name="captchad-fleet", daemon=True).start()

    def _collect_lines(self) -> None:
        """Take what the fleet prints, for as long as it lives: it must never wait for us."""
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                if not self.gateway_url:
                    self._lines.put(line)
        self._lines.put(_ENDED)

    def _await_gateway(self) -> str:
        seen: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=START_SECONDS)
            except queue.Empty:
                raise _fail(seen, f"it said nothing for {START_SECONDS:g} s") from None
            if line is _ENDED:
                raise _fail(seen, "it has ended")
            event = _parse(line)
            if event.get("event") == "up":
                return str(event["gateway"])
            seen.append(str(event.get("text") or line.decode(errors="replace").strip()))


def _parse(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _fail(seen: list[str], reason: str) -> FleetNotStarted:
    last = " / ".join(filter(None, seen[-LAST_LINES:])) or "it printed nothing"
    return FleetNotStarted(f"captchad did not come up for the tests, {reason}: {last} — `captchad doctor` may say more")
