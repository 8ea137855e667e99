"""Inspects the flags of a remote browser before any page is opened in it."""

from playwright.async_api import Browser

from captchad.browser.browsers.connection import LaunchFailed
from captchad.browser.launch.executable import WEBRTC_FLAG
from captchad.telemetry.logs import shared_logger

NO_SANDBOX_FLAG = "--no-sandbox"

_logger = shared_logger(__name__)


async def inspect_flags(browser: Browser, place: str, *, must_have_sandbox: bool) -> None:
    """Raise LaunchFailed if a page could reach around the proxy, or past its sandbox where that is forbidden."""
    session = await browser.new_browser_cdp_session()
    try:
        information = await session.send("SystemInfo.getInfo")
    finally:
        await session.detach()
    judge_flags(str(information.get("commandLine", "")).split(), place, must_have_sandbox=must_have_sandbox)


def judge_flags(command_line: list[str], place: str, *, must_have_sandbox: bool) -> None:
    """Raise LaunchFailed if a browser with this command line must not be used."""
    if WEBRTC_FLAG not in command_line:
        raise LaunchFailed(f"the browser at {place} would let WebRTC around the proxy; start it with {WEBRTC_FLAG}")
    if NO_SANDBOX_FLAG not in command_line:
        return
    if must_have_sandbox:
        raise LaunchFailed(f"the browser at {place} runs with {NO_SANDBOX_FLAG}, which production does not accept")
    _logger.warning("pages run WITHOUT Chromium's sandbox: the browser at %s was started so", place)
