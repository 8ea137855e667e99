"""Many pages at once through `captchad up`: all end, read as well as the engine reads the bare pictures."""

import asyncio
import json
import os
from pathlib import Path

import aiohttp
import redis

from captchad.broker.embedded import find_socket
from captchad.domain.recognition import Hints, Recognition
from captchad.recognition.engines import load_engine
from captchad.recognition.service import read_pictures
from tests.system.fleet import UNLIMITED, GatedSite
from tests.system.up_process import UpProcess

TASKS = int(os.environ.get("CAPTCHAD_PROOF_TASKS", "40"))
COMPLETED_SHARE = 0.99
KEPT_WHEN_IDLE = {"task", "queue", "recent", "counters", "history", "free_slots"}


async def solve(client: aiohttp.ClientSession, gateway: str, url: str) -> dict[str, object]:
    """Submit one page and wait for its end."""
    async with client.post(f"{gateway}/submit_task", json={"url": url}) as response:
        task_id = (await response.json())["task_id"]
    while True:
        async with client.get(f"{gateway}/task_status/{task_id}?wait=60") as response:
            answer: dict[str, object] = await response.json()
        if answer["status"] in {"completed", "failed", "cancelled"}:
            return answer


async def solve_all(gateway: str, site: GatedSite) -> list[dict[str, object]]:
    """Submit every page at once and wait for all ends."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:
        return list(await asyncio.gather(*(solve(client, gateway, site.url(f"v{n}")) for n in range(TASKS))))


def check_redis(state: Path) -> None:
    """Check that no stream holds an entry, nothing is pending, and nothing is kept but results that expire."""
    socket = find_socket(state)
    assert socket is not None
    with redis.Redis(unix_socket_path=str(socket)) as client:
        keys = [key.decode() for key in client.keys("captchad:{p*")]
        assert {key.split("}:")[1].split(":")[0] for key in keys} <= KEPT_WHEN_IDLE
        for key in keys:
            if ":queue:" in key:
                assert client.xlen(key) == 0
                assert all(group["pending"] == 0 for group in client.xinfo_groups(key))
            elif ":task:" in key:
                assert 0 < client.ttl(key) <= 3600


async def test_many_pages_at_once_are_read_as_the_engine_reads_them_and_leave_nothing_but_results(
    tmp_path: Path,
) -> None:
    site = GatedSite()
    await site.start()
    site.gate.set()
    target = {"host": "127.0.0.1", "ports": [site.port], "allow_private_addresses": True} | UNLIMITED
    settings = {"gateway": {"rate_limit": {"enabled": False}}, "security": {"targets": [target]}}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    state = tmp_path / "state"
    up = UpProcess(state, "--workers=2", "--config", str(tmp_path / "config.json"))
    try:
        summary = await asyncio.to_thread(up.wait_until_up)
        answers = await solve_all(summary["gateway"], site)
        check_redis(state)
    finally:
        await asyncio.to_thread(up.end)
        await site.close()
    engine = load_engine()
    read = read_pictures(engine, [(site.pictures[f"v{number}"], Hints()) for number in range(TASKS)])
    completed, right, engine_right = 0, 0, 0
    for number, (answer, reading) in enumerate(zip(answers, read, strict=True)):
        truth = site.truths[f"v{number}"]
        assert isinstance(reading, Recognition)
        engine_right += reading.text == truth
        if answer["status"] == "completed":
            completed += 1
            result = answer["result"]
            assert isinstance(result, dict)
            right += result["captcha_text"] == truth
    print(f"{TASKS} pages: {completed} completed, {right} right; the engine alone: {engine_right} right")
    assert completed >= COMPLETED_SHARE * TASKS
    assert right >= engine_right - (TASKS - completed)
