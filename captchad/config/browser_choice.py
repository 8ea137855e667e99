"""Decides where a configuration has its browsers from, and finds what is missing for that."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from captchad.config.settings import Configuration
from captchad.domain.errors import ConfigurationProblem
from captchad.domain.target import SCHEME_PORTS, is_loopback_host

Backend = Literal["launch", "playwright", "cdp", "selenium"]
SCHEMES: dict[Backend, tuple[str, ...]] = {
    "playwright": ("ws", "wss"),
    "cdp": ("http", "https", "ws", "wss"),
    "selenium": ("http", "https"),
}


@dataclass(frozen=True, slots=True)
class BrowserChoice:
    """The backend, and where its browsers are in order of preference; none for those of this machine."""

    backend: Backend
    urls: tuple[str, ...] = field(default=(), repr=False)

    @property
    def hosts(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each place: listening addresses that no page may reach."""
        parts = (urlsplit(url) for url in self.urls)
        return tuple((part.hostname or "", part.port or SCHEME_PORTS[part.scheme]) for part in parts)

    @property
    def first_elsewhere(self) -> tuple[str, int] | None:
        """The first place that is not this machine; None where all are."""
        return next((host for host in self.hosts if not is_loopback_host(host[0])), None)


def choose_browser(configuration: Configuration) -> BrowserChoice:
    """Return the source of browsers: the stated backend, else the Grid where a hub is named, else this machine."""
    hub_url = configuration.selenium.hub_url
    backend = configuration.browser.backend or ("selenium" if hub_url else "launch")
    if backend == "launch":
        return BrowserChoice(backend)
    further = tuple(url.get_secret_value() for url in configuration.browser.urls)
    return BrowserChoice(backend, (hub_url, *further) if backend == "selenium" and hub_url else further)


def find_browser_problems(configuration: Configuration) -> Iterator[ConfigurationProblem]:
    """Return what keeps a worker from its browsers."""
    choice = choose_browser(configuration)
    if choice.backend == "launch":
        return
    if not choice.urls:
        missing = "selenium.hub_url" if choice.backend == "selenium" else "browser.urls"
        yield ConfigurationProblem(missing, f"browser.backend is {choice.backend}, so this must say where browsers are")
    allowed = SCHEMES[choice.backend]
    if any(urlsplit(url).scheme not in allowed for url in choice.urls):
        schemes = ", ".join(f"{scheme}://" for scheme in allowed)
        yield ConfigurationProblem(
            "browser.urls", f"for browser.backend {choice.backend} each must begin with {schemes}"
        )
    yield from _find_untrusting(configuration, choice.backend)
    if choice.first_elsewhere is not None and is_loopback_host(configuration.browser.proxy_host or ""):
        host = choice.first_elsewhere[0]
        message = f"a browser on {host} can't reach the worker's proxy on loopback; name an address it can reach"
        if configuration.browser.proxy_advertised_host is None:
            yield ConfigurationProblem("browser.proxy_host", message)


def _find_untrusting(configuration: Configuration, backend: Backend) -> Iterator[ConfigurationProblem]:
    """Return the targets with certificates of their own, where the browser can't leave those to the worker."""
    if backend == "selenium":
        return
    for index, target in enumerate(configuration.security.declared_targets()):
        if target.has_own_trust:
            message = (
                f"certificates of its own need browser.backend launch or selenium: one that is reached by {backend} "
                "can't be told to trust the worker's proxy (docs/browsers.md)"
            )
            yield ConfigurationProblem(f"security.targets[{index}]", message)
