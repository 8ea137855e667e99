from typing import Any

import pytest

from captchad.config.redaction import flatten
from captchad.config.settings import Configuration
from captchad.config.validation import validate
from captchad.config.without_secrets import leave_out_secrets

PASSWORD, HUB = "redis.master.password", "selenium.hub_url"


@pytest.mark.parametrize(
    ("tree", "kept", "left_out"),
    [
        ({"redis": {"url": "redis://me:hidden@a:1/1"}}, {"redis": {"url": "redis://me@a:1/1"}}, ["redis.url"]),
        ({"redis": {"url": "redis://a:1"}}, {"redis": {"url": "redis://a:1"}}, []),
        ({"redis": {"master": {"host": "a", "password": "b"}}}, {"redis": {"master": {"host": "a"}}}, [PASSWORD]),
        ({"security": {"session_key": "hidden"}}, {"security": {}}, ["security.session_key"]),
        ({"browser": {"urls": ["ws://node/hidden"]}}, {"browser": {}}, ["browser.urls"]),
        ({"selenium": {"hub_url": "http://me:b@hub/"}}, {"selenium": {"hub_url": "http://me@hub/"}}, [HUB]),
        ({"unknown": {"a": [1, {"b": None}]}}, {"unknown": {"a": [1, {"b": None}]}}, []),
    ],
)
def test_secrets_are_left_out_and_named(tree: dict[str, Any], kept: dict[str, Any], left_out: list[str]) -> None:
    assert leave_out_secrets(tree) == (kept, tuple(left_out))


def test_no_secret_of_any_section_is_kept() -> None:
    secrets = [path for path, value in flatten(_fill()).items() if "Secret" in type(value).__name__]
    assert len(secrets) >= 5
    tree: dict[str, Any] = {}
    for path in secrets:
        here = tree
        *sections, name = path.split(".")
        for section in sections:
            here = here.setdefault(section, {})
        here[name] = "x" * 40
    assert set(leave_out_secrets(tree)[1]) == set(secrets)


def _fill() -> Configuration:
    key = "x" * 40
    tree = {
        "redis": {"url": "redis://a", "master": {}, "sentinel": {"hosts": ["a:1"]}},
        "security": {"session_key": key, "callback_secret": key},
        "browser": {"node_secret": key},
    }
    return validate(Configuration, tree)
