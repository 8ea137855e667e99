"""Runs schemathesis, which draws valid and invalid requests from the OpenAPI document and judges the answers."""

import asyncio
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.system.api_proof.front_door import FrontDoor

ROOT = Path(__file__).resolve().parents[3]
HOOKS = "tests.system.api_proof.hooks"
# Its answer is a stream that never ends; tests/integration/gateway/test_fleet.py reads it.
ENDLESS_OPERATION = "stream"
PHASES = "examples,fuzzing,stateful"
ANSWER_SECONDS = 60
_GENERATED = re.compile(r"^\s+(\d+) generated", re.MULTILINE)


@dataclass
class Cases:
    """What all rounds have found so far: how many cases they tried, and the reports of those that failed."""

    tried: int = 0
    reports: list[str] = field(default_factory=list)


async def try_cases(door: FrontDoor, phases: str, examples: int, seed: int) -> Cases:
    """Run one round, of at most so many examples for each operation and phase; all checks are made of each answer."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--no-color", "run", f"{door.url}/openapi.json"),
        *("--phases", phases, "--max-examples", str(examples), "--seed", str(seed)),
        *("--checks", "all", "--continue-on-failure", "--exclude-operation-id", ENDLESS_OPERATION),
        *("--header", f"Authorization: Bearer {door.key}", "--request-timeout", str(ANSWER_SECONDS)),
        *("--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off"),
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=door.fleet.folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": HOOKS},
    )
    report = (await process.communicate())[0].decode()
    counted = _GENERATED.search(report)
    tried = int(counted.group(1)) if counted is not None else 0
    return Cases(tried, [] if process.returncode == 0 and tried else [f"seed {seed}:\n{report}"])


async def try_many_cases(door: FrontDoor, examples: int, first_seed: int, wanted: int) -> Cases:
    """Run rounds, each with a seed of its own, until so many cases are tried or a round fails.

    The first one also has schemathesis's systematic cases, which are the same for every seed.
    """
    cases, seed = Cases(), first_seed
    while cases.tried < wanted and not cases.reports:
        phases = f"coverage,{PHASES}" if seed == first_seed else PHASES
        found = await try_cases(door, phases, examples, seed)
        cases.tried += found.tried
        cases.reports += found.reports
        print(f"seed {seed}: {found.tried} cases, {cases.tried} in all", flush=True)
        seed += 1
    return cases
