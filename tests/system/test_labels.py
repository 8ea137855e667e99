"""Labels from a site that verifies to the learner's disk, with real processes that are killed on the way."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from captchad.broker.address import open_clients
from captchad.config.settings import RecognitionSection, RedisSection
from captchad.domain.label import LabelOrigin, Verdict
from captchad.operations.labels.label_store import LabelStore, open_label_store
from captchad.runtime.clock import Clock
from captchad.sample_site.site import SampleSite
from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import UNLIMITED, Fleet

HOST = "127.0.0.1"
TASKS = 24
KILLS = 3
FILL = {
    "input": "#captcha",
    "submit": "#submit",
    "success": "#welcome",
    "failure": ".error",
    "refresh": "#refresh",
}


@asynccontextmanager
async def run_sample(tmp_path: Path, redis_url: str, **recognition: Any) -> AsyncIterator[tuple[Fleet, SampleSite]]:
    """Run gateway, scheduler and worker before the sample site, whose labels are collected."""
    sample = SampleSite()
    await sample.start()
    target = {"host": HOST, "ports": [sample.port], "allow_private_addresses": True, "collect_labels": True} | UNLIMITED
    settings = {"security": {"targets": [target]}, "recognition": recognition}
    try:
        async with Fleet(tmp_path, redis_url, settings=settings) as fleet:
            await fleet.start_ready("gateway", "scheduler", "worker")
            yield fleet, sample
    finally:
        await sample.close()


def open_store(tmp_path: Path) -> LabelStore:
    return open_label_store(tmp_path / "state", RecognitionSection(), Clock())


async def solve(fleet: Fleet, sample: SampleSite, visit: str, **fields: Any) -> str:
    return await fleet.submit("", url=sample.url(visit), **fields)


async def test_verified_answers_reach_the_disk_though_the_keeper_is_killed(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    store = open_store(tmp_path)
    async with run_sample(tmp_path, own_redis.url) as (fleet, sample):
        task_ids = [await solve(fleet, sample, f"v{number}", fill=FILL) for number in range(TASKS)]
        ends = asyncio.ensure_future(fleet.wait_final(task_ids))
        for kill in range(KILLS):

            async def has_come(kill: int = kill) -> bool:
                return len(store.read(HOST)) > kill * 2

            await until(has_come)
            [keeper] = [role for role in fleet.roles if role.role == "scheduler" and role.process.poll() is None]
            keeper.kill()
            await fleet.start_ready("scheduler")
        answers = dict(zip(task_ids, await ends, strict=True))
        texts = {
            task_id: answer["result"]["captcha_text"]
            for task_id, answer in answers.items()
            if answer["status"] == "completed" and answer["result"]["verified"]
        }
        assert len(texts) > TASKS // 2, answers

        async def has_all() -> bool:
            found = [label for label in store.read(HOST) if label.verdict is Verdict.RIGHT]
            return len(found) >= len(texts)

        await until(has_all)
        found = store.read(HOST)
        right = {label.task_id: label for label in found if label.verdict is Verdict.RIGHT}
        assert {task_id: right[task_id].text for task_id in texts} == texts
        assert set(Counter(label.label_id for label in found).values()) == {1}
        assert all(label.picture.startswith(b"\x89PNG") for label in found)
        assert {label.origin for label in found} == {LabelOrigin.VERIFIED}
        assert all(label.who.startswith("worker-") for label in found)


async def test_a_callers_report_reaches_the_disk(tmp_path: Path, own_redis: RedisServer) -> None:
    store = open_store(tmp_path)
    async with run_sample(tmp_path, own_redis.url) as (fleet, sample):
        task_id = await solve(fleet, sample, "v1")
        [answer] = await fleet.wait_final([task_id])
        assert store.read(HOST) == ()
        truth = str(sample.truth("v1"))
        text = answer["result"]["captcha_text"]
        body: dict[str, Any] = {"right": True} if text == truth else {"right": False, "text": truth}
        async with fleet.client.post(f"{fleet.gateway_url}/report_answer/{task_id}", json=body) as reported:
            assert (await reported.json())["kept"] is True

        async def has_come() -> bool:
            return len(store.read(HOST)) == 1

        await until(has_come)
        [label] = store.read(HOST)
        assert (label.text, label.verdict, label.origin) == (truth, Verdict.RIGHT, LabelOrigin.REPORTED)


async def test_another_hosts_labels_are_left_to_it(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_sample(tmp_path, own_redis.url, learner="elsewhere") as (fleet, sample):
        [answer] = await fleet.wait_final([await solve(fleet, sample, "v1", fill=FILL)])
        assert answer["status"] == "completed", answer
        clients = open_clients(RedisSection(), "test", own_redis.url)
        assert await clients.commands.xlen("captchad:{p00}:labels") > 0
        await clients.close()
        assert open_store(tmp_path).read(HOST) == ()
