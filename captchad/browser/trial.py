"""Tries the browser once as the worker would: `python -m captchad.browser.trial` reads settings, prints JSON.

`captchad doctor` runs it as a child process, so that nothing but the worker ever loads the browser's driver.
"""

import asyncio
import json
import sys
from typing import Any

from captchad.browser.connection import LaunchFailed
from captchad.browser.process import LaunchedBrowsers
from captchad.config.sections import BrowserSection
from captchad.domain.errors import DependencyMissing
from captchad.egress.proxy import ProxyAddress
from captchad.runtime.clock import Clock, Stopwatch

NOWHERE = ProxyAddress("http://127.0.0.1:9", "none", "none")
PAGE = "<body style='margin:0'><p id='sample' style='display:inline-block;font:40px sans-serif'>captchad</p></body>"


async def try_browser(config: BrowserSection) -> dict[str, Any]:
    """Launch, draw a text, take a picture of it; give the version and the time, or why it failed."""
    clock = Clock()
    stopwatch, source = Stopwatch(clock), LaunchedBrowsers(config, lambda: NOWHERE, clock)
    try:
        launched = await source.open()
        page = await launched.browser.new_page()
        await page.set_content(PAGE)
        box = await page.locator("#sample").bounding_box()
        picture = await page.locator("#sample").screenshot()
        await launched.close()
    except (LaunchFailed, DependencyMissing) as error:
        return {"error": str(error)}
    finally:
        await source.stop()
    confinement = source.confinement
    return {
        "version": launched.version,
        "milliseconds": round(stopwatch.total_ms()),
        "has_sandbox": confinement is not None and confinement.has_sandbox,
        "sandbox": confinement.describe() if confinement is not None else "",
        "sandbox_problem": confinement.problem if confinement is not None else "",
        "draws_text": bool(box and box["width"] > 0 and picture),
    }


if __name__ == "__main__":
    section = BrowserSection.model_validate_json(sys.stdin.read() or "{}")
    sys.stdout.write(json.dumps(asyncio.run(try_browser(section))))
