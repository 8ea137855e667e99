"""Tries the browser once as the worker would: `python -m captchad.browser.trial` reads settings, prints JSON.

`captchad doctor` runs it as a child process, so that nothing but the worker ever loads the browser's driver.
"""

import asyncio
import json
import sys
from typing import Any

from captchad.browser.backends import choose_source
from captchad.browser.browsers.connection import BrowserConnection, BrowserSource, LaunchFailed, describe_proxy
from captchad.browser.launch.executable import HOW_TO_INSTALL
from captchad.browser.launch.process import LaunchedBrowsers
from captchad.config.browser_choice import choose_browser
from captchad.config.settings import Configuration
from captchad.domain.errors import DependencyMissing
from captchad.egress.proxy import FilteringProxy
from captchad.egress.scope import ScopePolicy
from captchad.runtime.clock import Clock, Stopwatch

PAGE = "<body style='margin:0'><p id='sample' style='display:inline-block;font:40px sans-serif'>captchad</p></body>"
OWNER = "doctor"


async def try_browser(configuration: Configuration) -> dict[str, Any]:
    """Open a browser, render a text and photograph it; return the version and the time, or why it failed.

    A local browser is tried without its sandbox too, so that the outcome can name the reason.
    """
    clock = Clock()
    if choose_browser(configuration).backend == "launch":
        # In production a missing sandbox is an error; here it is a finding.
        configuration = configuration.model_copy(update={"environment": "dev"})
    stopwatch, proxy = Stopwatch(clock), FilteringProxy(ScopePolicy(()), clock)
    source = choose_source(configuration, OWNER, proxy, clock)
    try:
        await proxy.start()
        browser = await source.open()
        draws_text = await _draw(browser)
        await browser.close()
    except (LaunchFailed, DependencyMissing) as error:
        # The doctor says by itself how to get one.
        return {
            "error": str(error).removesuffix(f"; {HOW_TO_INSTALL}"),
            "is_missing": isinstance(error, DependencyMissing),
        }
    finally:
        await source.stop()
        await proxy.close()
    return {
        "version": browser.version,
        "where": browser.describe(),
        "milliseconds": round(stopwatch.total_ms()),
        "draws_text": draws_text,
        **_describe_sandbox(source),
    }


async def _draw(browser: BrowserConnection) -> bool:
    access = await browser.open_access()
    context = await browser.browser.new_context(proxy=describe_proxy(access.address))
    page = await context.new_page()
    await page.set_content(PAGE)
    box = await page.locator("#sample").bounding_box()
    picture = await page.locator("#sample").screenshot()
    return bool(box and box["width"] > 0 and picture)


def _describe_sandbox(source: BrowserSource) -> dict[str, Any]:
    """Describe the sandbox of a local browser; of a remote one only the flags were inspected."""
    sandbox = source.sandbox if isinstance(source, LaunchedBrowsers) else None
    if sandbox is None:
        return {"has_sandbox": True, "sandbox": "as the browser was started", "sandbox_problem": ""}
    return {
        "has_sandbox": sandbox.has_sandbox,
        "sandbox": sandbox.describe(),
        "sandbox_problem": sandbox.problem,
    }


if __name__ == "__main__":
    settings = Configuration.model_validate_json(sys.stdin.read() or "{}")
    sys.stdout.write(json.dumps(asyncio.run(try_browser(settings))))
