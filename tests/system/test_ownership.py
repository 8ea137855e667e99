"""Real roles: a public host is closed at the gateway until the scheduler finds its proof, and open from then on."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.name_server import serving_names
from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet

HOST = "captcha.example.com"
RECORD = f"_captchad.{HOST}"


async def submit(fleet: Fleet, port: int) -> tuple[int, dict[str, Any]]:
    url = f"http://127.0.0.1:{port}/submit_task"
    async with fleet.client.post(url, json={"url": f"https://{HOST}/login"}) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_public_host_is_open_once_the_scheduler_has_found_its_proof(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    target = {"host": HOST, "owner": "o", "reference": "r", "expires": (date.today() + timedelta(days=9)).isoformat()}
    with serving_names() as names:
        security = {"targets": [target], "proof": {"nameservers": [names.address]}}
        async with Fleet(tmp_path, own_redis.url, settings={"security": security}) as fleet:
            gateway = fleet.start("gateway")
            await fleet.wait_ready(gateway)
            status, answer = await submit(fleet, gateway.port)
            assert (status, answer["code"]) == (403, "target_not_allowed")
            # What is to be published stands in the refusal, so that nobody has to look for it.
            token = answer["detail"].partition(f'{RECORD} TXT "')[2].partition('"')[0]
            names.texts[RECORD] = [token]
            scheduler = fleet.start("scheduler")

            async def is_open() -> bool:
                return (await submit(fleet, gateway.port))[0] == 202

            await until(is_open)
            logged = [json.loads(line)["message"] for line in scheduler.log.splitlines()]
            assert f"{HOST} is proven: {RECORD} holds the token" in logged
            assert names.asked == [RECORD]
