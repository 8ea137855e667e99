"""The demo's work: pages of the sample site submitted by HTTP, and the answers held against the site's own record."""

import asyncio
import json
import secrets
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from captchad.cli.demo_report import DemoResult
from captchad.client import AsyncCaptchad, Task, TaskUnfinished
from captchad.domain.ports import LOOPBACK_HOST
from captchad.sample_site.kinds import KINDS, PageKind
from captchad.sample_site.site import OTHER_NAME, SampleSite

WAIT_SECONDS = 180.0
VISIT_BYTES = 12
UNLIMITED_PER_MINUTE = 1_000_000
CONCURRENT_PAGES = 8
TASKS_AT_ONCE = 2 * CONCURRENT_PAGES


def write_configuration(folder: Path, site: SampleSite) -> Path:
    """Write a configuration that declares the sample site and nothing else; return its path."""
    authority = folder / "authority.pem"
    authority.write_bytes(site.authority_pem)
    common = {
        "owner": "captchad demo",
        "max_per_minute": UNLIMITED_PER_MINUTE,
        "max_concurrent": CONCURRENT_PAGES,
        "allow_private_addresses": True,
    }
    targets = [
        {"host": LOOPBACK_HOST, "ports": [site.port], **common},
        {"host": OTHER_NAME, "ports": [site.secure_port], "certificate_authorities": str(authority), **common},
    ]
    configuration = {"gateway": {"rate_limit": {"enabled": False}}, "security": {"targets": targets}}
    path = folder / "distributed.json"
    path.write_text(json.dumps(configuration, indent=2))
    return path


class DemoRun:
    """Solves pages of the sample site, kind after kind, and asks the site afterwards what was right."""

    def __init__(self, site: SampleSite, gateway_url: str, is_progress_shown: bool) -> None:
        self._site = site
        self._client = AsyncCaptchad(gateway_url)
        self._places = asyncio.Semaphore(TASKS_AT_ONCE)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not is_progress_shown,
        )

    async def solve(self, count: int) -> list[DemoResult]:
        """Solve `count` pages, all kinds in turn; return their results in that order."""
        with self._progress:
            bar = self._progress.add_task("Solving captchas", total=count)
            kinds = (KINDS[number % len(KINDS)] for number in range(count))
            return list(await asyncio.gather(*(self._solve(kind, bar) for kind in kinds)))

    async def _solve(self, kind: PageKind, bar: TaskID) -> DemoResult:
        visit = secrets.token_urlsafe(VISIT_BYTES)
        async with self._places:
            (submitted,) = await self._client.batch([self._site.make_task(visit, kind)])
            task = await self._wait(submitted)
        self._progress.advance(bar)
        result, error = task.result, task.error
        return DemoResult(
            task_id=task.task_id,
            page=kind.name,
            status=str(task.status),
            verified=result.verified if result else None,
            is_right=self._site.verdict(visit) is True,
            truth=self._site.truth(visit) or "",
            text=result.text if result else "",
            confidence=result.confidence if result else None,
            answers=task.answers,
            left_scope_to=result.body.get("left_scope_to") if result else None,
            total_ms=result.timings_ms.get("total") if result else None,
            error=f"{error.code}: {error.message}" if error else "",
        )

    async def _wait(self, task: Task) -> Task:
        try:
            return await self._client.wait(task, WAIT_SECONDS)
        except TaskUnfinished as unfinished:
            return unfinished.task
