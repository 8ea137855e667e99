"""The demo's work: pages of the sample site submitted by HTTP, and the answers held against the site's own record."""

import asyncio
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from captchad.cli.demo_report import DemoResult
from captchad.client import GatewayClient
from captchad.config.environment import (
    CONFIGURATION_PATH_VARIABLE,
    PREFIX,
    REDIS_PASSWORD_VARIABLE,
    SPECIFIED_VARIABLES,
)
from captchad.config.state import STATE_VARIABLE
from captchad.domain.task import TaskStatus
from captchad.runtime.clock import Clock
from captchad.sample_site.drawing import ALPHABET, TEXT_LENGTH
from captchad.sample_site.site import LOGIN, SampleSite

PAGES = (LOGIN, "data-uri", "canvas", "late", "frame")
WAIT_SECONDS = 180.0
ONE_WAIT_SECONDS = 2.0
VISIT_BYTES = 12
UNLIMITED_PER_MINUTE = 1_000_000
CONCURRENT_PAGES = 8
STATE_FOLDER = "state"
PRIVATE_NAMES = frozenset({*SPECIFIED_VARIABLES, REDIS_PASSWORD_VARIABLE, CONFIGURATION_PATH_VARIABLE})


def write_configuration(folder: Path, site_port: int) -> Path:
    """Write a configuration that declares the sample site and nothing else; return its path."""
    target = {
        "host": "127.0.0.1",
        "ports": [site_port],
        "owner": "captchad demo",
        "max_per_minute": UNLIMITED_PER_MINUTE,
        "max_concurrent": CONCURRENT_PAGES,
        "allow_private_addresses": True,
    }
    configuration = {"gateway": {"rate_limit": {"enabled": False}}, "security": {"targets": [target]}}
    path = folder / "distributed.json"
    path.write_text(json.dumps(configuration, indent=2))
    return path


def make_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment without anything that would lead the demo to another Redis or configuration."""
    kept = {
        name: value for name, value in environment.items() if not name.startswith(PREFIX) and name not in PRIVATE_NAMES
    }
    return {**kept, STATE_VARIABLE: str(folder / STATE_FOLDER)}


class DemoRun:
    """Submits visits of the sample site and gathers how they ended; what is true, it asks the site afterwards."""

    def __init__(self, site: SampleSite, gateway_url: str, is_progress_shown: bool) -> None:
        self._site = site
        self._client = GatewayClient(gateway_url)
        self._clock = Clock()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not is_progress_shown,
        )

    async def solve(self, count: int) -> list[DemoResult]:
        """Solve `count` pages; return their results in the order of submission."""
        with self._progress:
            bar = self._progress.add_task("Solving captchas", total=count)
            submitted = [await self._submit(number) for number in range(count)]
            return list(await asyncio.gather(*(self._finish(*one, bar) for one in submitted)))

    async def _submit(self, number: int) -> tuple[str, str, str]:
        page, visit = PAGES[number % len(PAGES)], secrets.token_urlsafe(VISIT_BYTES)
        task = {
            "url": self._site.url(visit, page),
            "hints": {"charset": ALPHABET, "min_length": TEXT_LENGTH, "max_length": TEXT_LENGTH},
        }
        answer = await asyncio.to_thread(self._client.submit, task)
        return str(answer["task_id"]), page, visit

    async def _finish(self, task_id: str, page: str, visit: str, bar: TaskID) -> DemoResult:
        state = await self._wait(task_id)
        self._progress.advance(bar)
        result, error = state.get("result") or {}, state.get("error") or {}
        return DemoResult(
            task_id=task_id,
            page=page,
            status=str(state["status"]),
            truth=self._site.truth(visit) or "",
            text=str(result.get("captcha_text") or ""),
            confidence=result.get("confidence"),
            total_ms=(result.get("timings_ms") or {}).get("total"),
            error=": ".join(filter(None, (error.get("code"), error.get("message")))),
        )

    async def _wait(self, task_id: str) -> dict[str, Any]:
        """Return the task's state once it is final; by short waits, for a thread that waits can't be cancelled."""
        deadline = self._clock.monotonic_seconds() + WAIT_SECONDS
        while True:
            state = await asyncio.to_thread(self._client.task_status, task_id, ONE_WAIT_SECONDS)
            if TaskStatus(state["status"]).is_final or self._clock.monotonic_seconds() > deadline:
                return state
