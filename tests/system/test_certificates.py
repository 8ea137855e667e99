"""A worker reads a site behind a private authority once its target names that, and fails at once before."""

from pathlib import Path
from typing import Any

from tests.certificates import issue, make_authority
from tests.integration.browser.secure_site import SecureSite
from tests.redis_server import RedisServer
from tests.system.fleet import UNLIMITED, Fleet, run_fleet
from tests.system.test_reload import reload

HOST = "127.0.0.1"


async def solve(fleet: Fleet, site: SecureSite) -> dict[str, Any]:
    [answer] = await fleet.wait_final([await fleet.submit("", url=site.url())])
    return answer


async def test_a_private_authority_counts_from_the_reload_on(tmp_path: Path, own_redis: RedisServer) -> None:
    authority = make_authority(tmp_path)
    site = SecureSite(issue(tmp_path, authority, HOST).serve())
    await site.start()
    target = {"host": HOST, "ports": [site.port], "allow_private_addresses": True, **UNLIMITED}
    settings = {"security": {"targets": [target]}}
    try:
        async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker", settings=settings) as fleet:
            [worker] = [role for role in fleet.roles if role.role == "worker"]
            refused = await solve(fleet, site)
            assert (refused["status"], refused["attempts"]) == ("failed", 1)
            assert refused["error"]["code"] == "certificate_error"
            assert refused["error"]["retryable"] is False
            assert "security.targets[].certificate_authorities" in refused["error"]["message"]
            trusting = target | {"certificate_authorities": authority.path}
            assert "security.targets" in (await reload(fleet, worker, {"security": {"targets": [trusting]}}))[-1]
            assert (await solve(fleet, site))["status"] == "completed"
    finally:
        await site.stop()


async def test_a_worker_does_not_start_without_the_files_it_is_to_trust(tmp_path: Path, own_redis: RedisServer) -> None:
    missing = str(tmp_path / "missing.pem")
    target = {"host": HOST, "allow_private_addresses": True, "certificate_authorities": missing}
    async with Fleet(tmp_path, own_redis.url, settings={"security": {"targets": [target]}}) as fleet:
        worker = fleet.start("worker")
        assert await worker.wait() != 0
        assert f"security.targets[0].certificate_authorities: {missing} can't be read" in worker.log
