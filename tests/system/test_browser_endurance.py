"""Pages without end, browsers and workers killed among them: the engine goes on, and nothing is left behind.

A short form by default; `make prove-browser` runs it with thousands of pages and hundreds of kills.
"""

import asyncio
import json
import sys
from typing import Any

import pytest

from captchad.domain.errors import FINAL_AT_ONCE
from tests.system.browser_proof.memory import MemorySample, compare_parts
from tests.system.browser_proof.plan import Blow, Proof, plan_blows, read_proof

LIMIT_SECONDS = 3600 + 2 * read_proof().pages
PAGES_FOR_A_TREND = 5000
FLAT_PERCENT = 5.0
SHORT_RUN_PERCENT = 150.0
"""A hundred pages are too few for a trend; a leak of whole renderers shows all the same."""

UNDISTURBED_FAILED_SHARE = 0.01
FAILURES_PER_BLOW = 8
"""All four pages at once fail with their browser, and again if it was struck while it came up."""


async def run_proof() -> dict[str, Any]:
    """Run the proof in a process of its own; return what it found."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.system.browser_proof", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(output)
    return found


@pytest.mark.alone
@pytest.mark.timeout(LIMIT_SECONDS)
async def test_pages_browsers_and_workers_that_end_by_force_leave_nothing_behind_and_memory_is_flat() -> None:
    found = await run_proof()
    print(json.dumps(found, indent=2))
    proof = found["proof"]
    assert found["left_behind"] == []
    assert found["pages_done"] == {"undisturbed": proof["pages"], "disturbed": proof["pages"]}
    assert sum(found["failures"].get("undisturbed", {}).values()) <= UNDISTURBED_FAILED_SHARE * proof["pages"]
    failures = found["failures"].get("disturbed", {})
    assert not failures.keys() & {str(code) for code in FINAL_AT_ONCE}
    assert sum(failures.values()) <= FAILURES_PER_BLOW * (proof["browser_kills"] + proof["worker_kills"])
    allowed_percent = FLAT_PERCENT if proof["pages"] >= PAGES_FOR_A_TREND else SHORT_RUN_PERCENT
    for part, figures in found["memory"].items():
        assert figures["growth_percent"] <= allowed_percent, part


def test_all_blows_are_spread_over_the_pages() -> None:
    planned = plan_blows(Proof(pages=5000, browser_kills=200, worker_kills=20, seed=1))
    blows = [blow for found in planned.values() for blow in found]
    assert (blows.count(Blow.KILL_BROWSER), blows.count(Blow.STOP_BROWSER)) == (150, 50)
    assert blows.count(Blow.KILL_WORKER) == 20
    assert min(planned) > 0
    assert max(planned) < 5000


def test_the_second_and_the_last_part_are_compared() -> None:
    samples = [MemorySample(pages, 100_000_000 + 1000 * pages, 200_000_000) for pages in range(0, 5001, 100)]
    found = compare_parts(samples, 5000)
    assert found["worker"]["growth_percent"] == 3.01
    assert found["browser"]["growth_percent"] == 0.0
