import socket
from typing import Any

import pytest

from captchad.browser.remote.endpoint import dial_by_address, show_place


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("ws://browsers:3000/secret", "ws://browsers:3000"),
        ("http://user:password@hub:4444/grid?token=1", "http://hub:4444"),
    ],
)
def test_a_place_is_shown_without_its_secrets(url: str, place: str) -> None:
    assert show_place(url) == place


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9222",
        "http://localhost:9222",
        "ws://[::1]:9222/devtools/browser/1",
        "https://chromium.example:9222",
        "wss://chromium.example/devtools/browser/1",
    ],
)
def test_an_address_that_chromium_answers_or_that_is_encrypted_stays_as_it_is(url: str) -> None:
    assert dial_by_address(url) == url


@pytest.mark.parametrize(
    ("address", "dialled"),
    [
        ("10.1.2.3", "ws://10.1.2.3:9222/devtools/browser/1"),
        ("fd00::5", "ws://[fd00::5]:9222/devtools/browser/1"),
    ],
)
def test_a_name_is_dialled_by_its_address(monkeypatch: pytest.MonkeyPatch, address: str, dialled: str) -> None:
    def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 9222))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert dial_by_address("ws://chromium:9222/devtools/browser/1") == dialled
