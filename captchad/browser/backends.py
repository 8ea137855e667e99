"""Makes the browser source that a configuration asks for."""

from captchad.browser.browsers.connection import BrowserSource
from captchad.browser.launch.process import LaunchedBrowsers
from captchad.browser.remote.cdp import CdpEndpoint
from captchad.browser.remote.endpoint import RemoteEndpoint
from captchad.browser.remote.playwright_server import PlaywrightServerEndpoint
from captchad.browser.remote.selenium import SeleniumEndpoint, SessionLimits
from captchad.browser.remote.source import RemoteBrowsers
from captchad.config.browser_choice import choose_browser
from captchad.config.settings import BrowserSection, Configuration
from captchad.egress.proxy import FilteringProxy
from captchad.egress.proxy_place import ProxyPlace
from captchad.runtime.clock import Clock


def choose_source(configuration: Configuration, owner: str, proxy: FilteringProxy, clock: Clock) -> BrowserSource:
    """Return the source; `owner` is the name that other users of a hub see."""
    # Development goes on without a sandbox and warns, production refuses to (docs/browsers.md).
    must_have_sandbox = configuration.environment == "prod"
    choice = choose_browser(configuration)
    if choice.backend == "launch":
        return LaunchedBrowsers(configuration.browser, proxy, clock, must_have_sandbox=must_have_sandbox)
    endpoints: list[RemoteEndpoint]
    if choice.backend == "playwright":
        endpoints = [PlaywrightServerEndpoint(url) for url in choice.urls]
    elif choice.backend == "cdp":
        endpoints = [CdpEndpoint(url) for url in choice.urls]
    else:
        selenium = configuration.selenium
        limits = SessionLimits(selenium.max_sessions, selenium.session_timeout)
        endpoints = [SeleniumEndpoint(url, owner, limits, proxy, clock) for url in choice.urls]
    return RemoteBrowsers(endpoints, proxy.open_login, clock, must_have_sandbox=must_have_sandbox)


def choose_proxy_place(configuration: Configuration) -> ProxyPlace:
    """Return where the proxy must listen for those browsers to reach it."""
    section = configuration.browser
    towards = choose_browser(configuration).first_elsewhere
    return ProxyPlace(section.proxy_host, section.proxy_advertised_host, section.proxy_port, towards)


def choose_recycle_limits(configuration: Configuration) -> BrowserSection:
    """Return the browser section with the age from which a browser takes no further page.

    A Grid session ends at a fixed age, so its last page must begin at least one attempt's time before that.
    """
    section = configuration.browser
    if choose_browser(configuration).backend != "selenium":
        return section
    life_seconds = configuration.selenium.session_timeout
    # Never under half a session: with a task timeout near the session's life, each page would otherwise need a
    # session of its own.
    useful_seconds = max(life_seconds / 2, life_seconds - configuration.worker.task_timeout)
    return section.model_copy(update={"recycle_age_seconds": min(section.recycle_age_seconds, useful_seconds)})
