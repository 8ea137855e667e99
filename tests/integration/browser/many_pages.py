"""Visits many pages at once: most of a visit to a page without a captcha is waiting."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from captchad.domain.capture import CaptchaCapture
from captchad.domain.errors import AttemptFailed
from tests.integration.browser.stage import LocalSite, Stage

VISITS_LIMIT = 6

Outcome = CaptchaCapture | AttemptFailed
Result = TypeVar("Result")


async def visit(site: LocalSite, stage: Stage, path: str = "/") -> Outcome:
    """Return what a visit ends with."""
    try:
        return await stage.capture(site.url(path))
    except AttemptFailed as failure:
        return failure


async def do_all(work: Callable[[str], Awaitable[Result]], things: Mapping[str, str]) -> dict[str, Result]:
    """Return what `work` makes of each thing, by the thing's name; a few at a time."""
    room = asyncio.Semaphore(VISITS_LIMIT)

    async def do_one(thing: str) -> Result:
        async with room:
            return await work(thing)

    results = await asyncio.gather(*(do_one(thing) for thing in things.values()))
    return dict(zip(things, results, strict=True))


async def visit_all(site: LocalSite, stage: Stage, pages: Mapping[str, str]) -> dict[str, Outcome]:
    """Put pages on a site and give what a visit to each ends with."""
    paths = {name: f"/page-{number}" for number, name in enumerate(pages)}
    for name, path in paths.items():
        site.put_page(path, pages[name])
    return await do_all(lambda path: visit(site, stage, path), paths)
