"""Real clients of other services against a real fleet; `make prove-compatibility` runs four more."""

import asyncio
import sys
from pathlib import Path

from captchad.domain.label import LabelOrigin, Verdict
from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.compatibility_proof.real_clients import (
    ANTICAPTCHA,
    DDDDOCR,
    RUCAPTCHA,
    TWO_CAPTCHA,
    find_faults,
    run_client,
)
from tests.system.compatibility_proof.solver import HOST, serve_clients

CLIENTS = (ANTICAPTCHA, TWO_CAPTCHA, RUCAPTCHA, DDDDOCR)
"""Those that may be installed beside captchad."""
RIGHT, WRONG = 2, 3


async def test_clients_solve_fail_and_report(tmp_path: Path, own_redis: RedisServer) -> None:
    async with serve_clients(tmp_path, own_redis.url) as solver:
        found = await asyncio.gather(*(run_client(client, sys.executable, solver.environment) for client in CLIENTS))
        for client, steps in zip(CLIENTS, found, strict=True):
            assert not find_faults(client, steps, solver.text)

        async def has_all() -> bool:
            return len(solver.labels.read(HOST)) == RIGHT + WRONG

        await until(has_all)
        labels = solver.labels.read(HOST)
    assert {label.origin for label in labels} == {LabelOrigin.REPORTED}
    assert {label.text for label in labels} == {solver.text}
    assert sum(label.verdict is Verdict.RIGHT for label in labels) == RIGHT
