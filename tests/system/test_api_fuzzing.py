"""A real gateway under requests drawn at random: some here, 20,000 cases and 100,000 raw ones in `make prove-api`."""

import os
import secrets
from pathlib import Path

from tests.redis_server import RedisServer
from tests.system.api_proof.front_door import run_front_door
from tests.system.api_proof.raw_requests import draw_raw_requests, draw_slow_requests
from tests.system.api_proof.raw_run import send_all
from tests.system.api_proof.schema_cases import PHASES, try_cases, try_many_cases

SEED = int(os.environ.get("CAPTCHAD_PROOF_SEED", "1"))
CASES = int(os.environ.get("CAPTCHAD_PROOF_API_CASES", "0"))
EXAMPLES, PROVEN_EXAMPLES = 8, 100
RAW_REQUESTS = int(os.environ.get("CAPTCHAD_PROOF_RAW_REQUESTS", "2000"))
SLOW_REQUESTS = 2
ROUND_REQUESTS = 2000
WARM_UP_REQUESTS = 500
GROWTH_LIMIT_BYTES = 16 * 1024 * 1024
"""What the allocator keeps in pieces; a leak of 200 bytes a request would be more than that in a proof."""


async def test_every_answer_is_as_the_document_says(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_front_door(tmp_path, own_redis.url, are_keys_required=True) as door:
        if CASES:
            seed = SEED if "CAPTCHAD_PROOF_SEED" in os.environ else secrets.randbelow(2**31)
            cases = await try_many_cases(door, PROVEN_EXAMPLES, seed, CASES)
        else:
            cases = await try_cases(door, PHASES, EXAMPLES, SEED)
        print(f"{cases.tried} cases")
        assert cases.reports == [], "\n".join(cases.reports)
        assert cases.tried >= (CASES or 200)
        # What is refused for its target is allowed to be; most are not.
        assert await door.count_stored() > cases.tried // 50
        await door.check()


async def test_no_bytes_do_the_gateway_any_harm(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_front_door(tmp_path, own_redis.url, are_keys_required=False) as door:
        await send_all(door.gateway.port, draw_raw_requests(WARM_UP_REQUESTS, SEED))
        warm_bytes, sent = door.memory_bytes, 0
        while sent < RAW_REQUESTS:
            drawn = draw_raw_requests(min(ROUND_REQUESTS, RAW_REQUESTS - sent), SEED + 1 + sent)
            slow = draw_slow_requests(SLOW_REQUESTS, SEED + sent) if sent == 0 else []
            outcome = await send_all(door.gateway.port, [*slow, *drawn])
            assert outcome.faults == [], "\n".join(outcome.faults[:20])
            sent += len(drawn)
            print(
                f"{sent} raw requests: {dict(sorted(outcome.statuses.items()))}, {door.memory_bytes >> 10} KiB",
                flush=True,
            )
        await door.check()
        assert door.memory_bytes - warm_bytes < GROWTH_LIMIT_BYTES
