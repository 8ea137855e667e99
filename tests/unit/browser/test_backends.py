from typing import Any

import pytest

from captchad.browser.backends import choose_proxy_place, choose_recycle_limits, choose_source
from captchad.browser.launch.process import LaunchedBrowsers
from captchad.browser.remote.source import RemoteBrowsers
from captchad.config.settings import Configuration
from captchad.egress.proxy import FilteringProxy
from captchad.egress.scope import ScopePolicy
from captchad.runtime.clock import Clock


def configure(**sections: Any) -> Configuration:
    return Configuration.model_validate(sections)


@pytest.mark.parametrize(
    ("sections", "kind"),
    [
        ({}, LaunchedBrowsers),
        ({"browser": {"backend": "playwright", "urls": ["ws://a:1/x"]}}, RemoteBrowsers),
        ({"browser": {"backend": "cdp", "urls": ["http://a:1"]}}, RemoteBrowsers),
        ({"selenium": {"hub_url": "http://a:1"}}, RemoteBrowsers),
        ({"selenium": {"hub_url": "http://a:1"}, "browser": {"backend": "launch"}}, LaunchedBrowsers),
    ],
)
def test_the_configured_source_is_made(sections: dict[str, Any], kind: type) -> None:
    clock = Clock()
    assert isinstance(choose_source(configure(**sections), "me", FilteringProxy(ScopePolicy(()), clock), clock), kind)


@pytest.mark.parametrize(
    ("timeout_seconds", "useful_seconds"),
    [(300, 180), (7200, 3600), (100, 50)],
)
def test_a_session_takes_no_page_that_could_outlast_it(timeout_seconds: float, useful_seconds: float) -> None:
    configuration = configure(selenium={"hub_url": "http://a:1", "session_timeout": timeout_seconds})
    assert choose_recycle_limits(configuration).recycle_age_seconds == useful_seconds
    assert choose_recycle_limits(configure()).recycle_age_seconds == 3600


def test_the_proxy_listens_on_loopback_for_browsers_of_this_machine() -> None:
    local = configure(browser={"backend": "cdp", "urls": ["http://localhost:9222"]})
    assert choose_proxy_place(local).find_listen_host() == "127.0.0.1"


def test_the_proxy_listens_where_it_is_told_to() -> None:
    stated = configure(browser={"backend": "cdp", "urls": ["http://10.0.0.1:9222"], "proxy_host": "10.0.0.2"})
    assert choose_proxy_place(stated).find_listen_host() == "10.0.0.2"


def test_the_proxy_listens_on_the_way_to_a_browser_elsewhere() -> None:
    elsewhere = configure(browser={"backend": "cdp", "urls": ["http://127.0.0.1:1", "http://127.0.0.2.nip:9222"]})
    assert choose_proxy_place(elsewhere).towards == ("127.0.0.2.nip", 9222)
