"""Tries the browser once as the worker would: `python -m captchad.browser.trial [EXECUTABLE]` prints JSON.

`captchad doctor` runs it as a child process, so that nothing but the worker ever loads the browser's driver.
"""

import asyncio
import json
import sys
from typing import Any

from captchad.browser.executable import is_sandbox_usable
from captchad.browser.process import LaunchFailed, PlaywrightDriver
from captchad.domain.errors import DependencyMissing
from captchad.egress.proxy import ProxyAddress
from captchad.runtime.clock import Clock, Stopwatch

NOWHERE = ProxyAddress("http://127.0.0.1:9", "none", "none")
PAGE = "<body style='margin:0'><p id='sample' style='display:inline-block;font:40px sans-serif'>captchad</p></body>"


async def try_browser(executable: str | None) -> dict[str, Any]:
    """Launch, draw a text, take a picture of it; give the version and the time, or why it failed."""
    clock = Clock()
    stopwatch, driver = Stopwatch(clock), PlaywrightDriver(executable, clock)
    try:
        launched = await driver.launch(NOWHERE)
        page = await launched.browser.new_page()
        await page.set_content(PAGE)
        box = await page.locator("#sample").bounding_box()
        picture = await page.locator("#sample").screenshot()
        await launched.close()
    except (LaunchFailed, DependencyMissing) as error:
        return {"error": str(error)}
    finally:
        await driver.stop()
    return {
        "version": launched.version,
        "milliseconds": round(stopwatch.total_ms()),
        "has_sandbox": is_sandbox_usable(),
        "draws_text": bool(box and box["width"] > 0 and picture),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(try_browser(sys.argv[1] if len(sys.argv) > 1 else None))))  # noqa: T201
