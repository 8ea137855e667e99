from typing import Any

import pytest

from captchad.config.browser_choice import choose_browser, find_browser_problems
from captchad.config.redaction import redact
from captchad.config.settings import Configuration

NODE = "ws://browsers.example:3000/secret-path"
HUB = "http://hub:4444"


def configure(**sections: Any) -> Configuration:
    return Configuration.model_validate(sections)


def problems(**sections: Any) -> list[str]:
    return [problem.path for problem in find_browser_problems(configure(**sections))]


def test_without_a_word_browsers_are_launched_here() -> None:
    assert choose_browser(configure()).backend == "launch"
    assert problems() == []


def test_a_hub_makes_the_backend_selenium_unless_another_is_stated() -> None:
    assert choose_browser(configure(selenium={"hub_url": HUB})).backend == "selenium"
    stated = configure(selenium={"hub_url": HUB}, browser={"backend": "launch"})
    assert choose_browser(stated).backend == "launch"
    assert choose_browser(stated).urls == ()


def test_further_hubs_come_after_the_first() -> None:
    choice = choose_browser(configure(selenium={"hub_url": HUB}, browser={"urls": ["https://other/grid"]}))
    assert choice.urls == (HUB, "https://other/grid")
    assert choice.hosts == (("hub", 4444), ("other", 443))


def test_the_first_place_elsewhere_decides_the_way_of_the_proxy() -> None:
    local, remote = "http://127.0.0.1:9222", "http://10.0.0.7:9222"
    assert choose_browser(configure(browser={"backend": "cdp", "urls": [local]})).first_elsewhere is None
    both = configure(browser={"backend": "cdp", "urls": [local, remote]})
    assert choose_browser(both).first_elsewhere == ("10.0.0.7", 9222)


@pytest.mark.parametrize(
    ("sections", "paths"),
    [
        ({"browser": {"backend": "playwright"}}, ["browser.urls"]),
        ({"browser": {"backend": "selenium"}}, ["selenium.hub_url"]),
        ({"browser": {"backend": "playwright", "urls": ["http://a:1"]}}, ["browser.urls"]),
        ({"browser": {"backend": "cdp", "urls": ["http://127.0.0.1:9222"], "proxy_host": "127.0.0.1"}}, []),
        ({"browser": {"backend": "playwright", "urls": [NODE], "proxy_host": "127.0.0.1"}}, ["browser.proxy_host"]),
        ({"browser": {"backend": "playwright", "urls": [NODE], "proxy_host": "10.0.0.1"}}, []),
        ({"browser": {"backend": "playwright", "urls": [NODE]}}, []),
    ],
)
def test_what_keeps_a_worker_from_its_browsers_is_found(sections: dict[str, Any], paths: list[str]) -> None:
    assert problems(**sections) == paths


def test_the_secret_of_an_address_is_never_shown() -> None:
    configuration = configure(browser={"backend": "playwright", "urls": [NODE]})
    assert redact(configuration)["browser"]["urls"] == ["ws://browsers.example:3000/********"]
    assert "secret-path" not in repr(configuration) + repr(choose_browser(configuration))
