"""Keys and the audit log with real roles: one rate at two gateways, and what was done before a role ended."""

import json
import os
import signal
from pathlib import Path

import orjson

from captchad.broker.audit_log import AuditLog
from captchad.broker.connection import Broker
from captchad.config.settings import AuditLogSection
from captchad.domain.audit import find_faults
from tests.patience import until
from tests.system.fleet import Fleet
from tests.system.key_rate import BURST, WITH_KEYS, press

SECONDS = float(os.environ.get("CAPTCHAD_PROOF_KEY_SECONDS", "5"))
PROVEN_SECONDS = 60.0
"""So long that what the last moment loses does not count any more."""


async def read_actions(broker: Broker) -> list[tuple[str, str]]:
    """Return action and outcome of every entry, whose chain must be whole."""
    entries, chain = await AuditLog(broker, AuditLogSection()).read_whole()
    assert chain is not None
    assert list(find_faults(entries, chain)) == []
    acts = [orjson.loads(entry.act) for entry in entries]
    return [(act["action"], act["outcome"]) for act in acts]


async def test_two_gateways_accept_together_what_one_key_may(tmp_path: Path, redis_url: str) -> None:
    async with Fleet(tmp_path, redis_url, WITH_KEYS) as fleet:
        outcome = await press(fleet, SECONDS)
    assert set(outcome.statuses) == {202, 429}
    # The last request that it allows may come too late to be asked for, and the clock is read a moment later.
    assert BURST < outcome.statuses[202] <= outcome.allowed + 1
    print(f"{outcome.statuses[202]} accepted, {outcome.allowed:.1f} allowed in all: {outcome.excess:+.2%}")
    if SECONDS >= PROVEN_SECONDS:
        assert abs(outcome.excess) <= 0.01


async def test_what_a_role_has_done_is_written_before_it_ends(tmp_path: Path, redis_url: str, broker: Broker) -> None:
    async with Fleet(tmp_path, redis_url) as fleet:
        [gateway] = await fleet.start_ready("gateway")
        task_ids = [await fleet.submit(f"v{index}") for index in range(30)]
        gateway.signal(signal.SIGTERM)
        assert await gateway.wait() == 0, gateway.log
    assert await read_actions(broker) == [("submit_task", "done")] * len(task_ids)


async def test_a_reload_is_written_down_done_or_refused(tmp_path: Path, redis_url: str, broker: Broker) -> None:
    async with Fleet(tmp_path, redis_url) as fleet:
        [scheduler] = await fleet.start_ready("scheduler")
        file = fleet.folder / "config.json"
        settings = json.loads(file.read_text())

        async def has(count: int) -> bool:
            return bool(await broker.client.exists("captchad:{fleet}:audit_chain")) and (
                len(await read_actions(broker)) == count
            )

        file.write_text(json.dumps(settings | {"logging": {"level": "debug"}}))
        scheduler.signal(signal.SIGHUP)
        await until(lambda: has(1))
        file.write_text(json.dumps(settings | {"logging": {"level": "Xq7-no-level"}}))
        scheduler.signal(signal.SIGHUP)
        await until(lambda: has(2))
        entries, _ = await AuditLog(broker, AuditLogSection()).read_whole()
        assert await read_actions(broker) == [("reload", "done"), ("reload", "invalid_configuration")]
        done, refused = (orjson.loads(entry.act) for entry in entries)
        assert done["object"] == refused["object"] == {"settings": ["logging.level"]}
        assert done["actor"].startswith("scheduler-")
        assert b"Xq7" not in entries[1].act
