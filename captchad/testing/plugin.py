"""The pytest plugin: the fixtures `captchad` and `captchad_targets`, and the marker `captchad`.

pytest loads it in every run where captchad is installed, so that it imports next to nothing until it is asked.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from captchad.domain.ports import GATEWAY_VARIABLE, LOOPBACK_HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from captchad.testing.toolbox import CaptchadFixture

MARKER = "captchad"
TARGETS_SETTING = "captchad_targets"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that names the pages of all tests."""
    parser.addini(TARGETS_SETTING, "URLs on this machine that the session's own captchad may open", "linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Explain the marker."""
    explanation = "captchad(*urls): URLs on this machine that the session's own captchad may open"
    config.addinivalue_line("markers", explanation)


@pytest.fixture(scope="session")
def captchad_targets(request: pytest.FixtureRequest) -> list[str]:
    """URLs on this machine that the session's own captchad may open; override it where they are known late."""
    return list(request.config.getini(TARGETS_SETTING))


@pytest.fixture(scope="session")
def captchad(request: pytest.FixtureRequest, captchad_targets: list[str]) -> Iterator[CaptchadFixture]:
    """A client with the helpers of docs/testing.md, of the gateway at CAPTCHAD_GATEWAY_URL or of one of its own."""
    from captchad.testing.toolbox import CaptchadFixture  # noqa: PLC0415

    if os.environ.get(GATEWAY_VARIABLE):
        yield CaptchadFixture(target=LOOPBACK_HOST)
        return
    from captchad.domain.errors import TargetNotAllowed  # noqa: PLC0415
    from captchad.testing.fleet import SessionFleet  # noqa: PLC0415

    marked = (url for item in request.session.items for mark in item.iter_markers(MARKER) for url in mark.args)
    try:
        fleet = SessionFleet([*captchad_targets, *marked])
    except TargetNotAllowed as error:
        raise pytest.UsageError(error.message) from None
    with fleet:
        yield CaptchadFixture(fleet.gateway_url, target=LOOPBACK_HOST).of_own_fleet()
