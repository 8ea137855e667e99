"""Gateway and monitor speak TLS: everything that speaks to them goes on, also while a certificate is renewed."""

import asyncio
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.certificates import Issued, issue, split
from tests.patience import until, until_true
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet, RoleProcess

HSTS = "max-age=31536000"


class Files:
    """A certificate and its key, where the roles look for them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate, self.key = folder / "served.pem", folder / "served.key"

    @property
    def settings(self) -> dict[str, Any]:
        return {"tls": {"certificate": str(self.certificate), "key": str(self.key)}}

    def renew(self) -> Issued:
        issued = issue(self._folder, None, "127.0.0.1")
        for source, file in zip(split(issued), (self.certificate, self.key), strict=True):
            shutil.copy(source, f"{file}.new")
            Path(f"{file}.new").replace(file)
        return issued


async def run_captchad(fleet: Fleet, issued: Issued, *arguments: str) -> Any:
    """Return the JSON that a command prints; the gateway is the fleet's, and one certificate is believed."""
    environment = os.environ | {"CAPTCHAD_GATEWAY_URL": fleet.gateway_url, "CAPTCHAD_CA_FILE": issued.path}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "captchad", *arguments, "--json"],
        env=environment | {"REDIS_URL": fleet.redis_url, "CAPTCHAD_STATE_DIRECTORY": str(fleet.folder / "state")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


async def await_health(fleet: Fleet, issued: Issued) -> None:
    """Wait until `captchad health` finds both roles well: by Redis it learns their certificates."""

    async def are_well() -> bool:
        lines = (await run_captchad(fleet, issued, "health"))["lines"]
        return {line["what"] for line in lines if line["well"]} == {"redis", "gateway", "monitor"}

    await until(are_well)


async def await_renewal(role: RoleProcess, count: int) -> None:
    await until_true(lambda: role.log.count(f"{role.role}.tls: a new certificate is in use") == count)


async def test_a_renewal_drops_no_connection(tmp_path: Path, own_redis: RedisServer) -> None:
    files = Files(tmp_path)
    first = files.renew()
    settings = {"gateway": {"rate_limit": {"enabled": False}, **files.settings}, "monitor": files.settings}
    trust = ssl.create_default_context(cafile=first.path)
    async with Fleet(tmp_path, own_redis.url, settings=settings, trust=trust) as fleet:
        gateway, monitor = await fleet.start_ready("gateway", "monitor")
        await await_health(fleet, first)
        task_id = await fleet.submit("a")
        async with fleet.client.get(f"{fleet.gateway_url}/events") as events:
            assert events.headers["Strict-Transport-Security"] == HSTS
            waiting = asyncio.ensure_future(fleet.status(task_id, 50))
            second = files.renew()
            await await_renewal(gateway, 1)
            await await_renewal(monitor, 1)
            await await_health(fleet, second)
            cancelled = await run_captchad(fleet, second, "cancel", task_id)
            assert (cancelled["status"], (await waiting)["status"]) == ("cancelled", "cancelled")
            async for line in events.content:
                if task_id.encode() in line and b"cancelled" in line:
                    break
        gateway.signal(signal.SIGHUP)
        shutil.copy(split(first)[1], files.key)
        await until_true(lambda: "the certificate in use stays" in gateway.log)
        assert (await run_captchad(fleet, second, "status", task_id))["status"] == "cancelled"
        assert "Traceback" not in gateway.log + monitor.log
