import json

import pytest

from captchad.config.redaction import MASK, redact, redact_url
from captchad.config.settings import Configuration

SECRETS = ("hunter2", "opensesame", "swordfish")


def test_no_secret_is_left_in_what_is_shown() -> None:
    configuration = Configuration.model_validate(
        {
            "redis": {
                "url": "redis://user:hunter2@host/0?password=swordfish",
                "master": {"password": "opensesame"},
                "sentinel": {"hosts": ["a:1"], "password": "swordfish"},
            },
            "selenium": {"hub_url": "http://me:hunter2@hub:4444"},
            "security": {
                "callback_secret": "opensesame",
                "session_key": "swordfish" * 4,
                "targets": [{"host": "localhost", "expires": "2027-01-01"}],
            },
        }
    )
    shown = redact(configuration)
    text = json.dumps(shown)
    assert not any(secret in text for secret in SECRETS)
    assert shown["redis"]["url"] == f"redis://user:{MASK}@host/0?{MASK}"
    assert shown["security"]["session_key"] == MASK
    assert shown["security"]["targets"][0]["expires"] == "2027-01-01"


def test_an_empty_secret_is_shown_as_empty() -> None:
    assert redact(Configuration.model_validate({"redis": {"master": {}}}))["redis"]["master"]["password"] == ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host:1/0", "redis://host:1/0"),
        ("redis://:pw@host/0", f"redis://:{MASK}@host/0"),
        ("redis://user@host/0", "redis://user@host/0"),
        ("redis://[broken", MASK),
    ],
)
def test_a_url_keeps_all_but_its_password(url: str, shown: str) -> None:
    assert redact_url(url) == shown
