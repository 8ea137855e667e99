import os

import pytest

from captchad.domain.errors import TargetNotAllowed
from captchad.testing.errors import FleetNotStarted
from captchad.testing.fleet import SessionFleet, declare_targets


def test_pictures_of_this_machine_are_read_and_pages_opened_at_named_ports_alone() -> None:
    targets = {one["host"]: one for one in declare_targets(["http://127.0.0.1:8000/login", "http://127.0.0.1:8001"])}
    assert targets.keys() == {"127.0.0.1", "localhost", "::1"}
    assert targets["127.0.0.1"]["ports"] == [8000, 8001]
    assert "ports" not in targets["localhost"]


@pytest.mark.parametrize("url", ["https://example.com/", "http://192.168.0.1/", "http://127.0.0.1.example.com/", "x"])
def test_nothing_but_this_machine_can_be_named(url: str) -> None:
    with pytest.raises(TargetNotAllowed):
        declare_targets([url])


def test_a_fleet_that_does_not_come_up_says_why_and_leaves_nothing_behind() -> None:
    fleet = SessionFleet([], {**os.environ, "PYTHONHOME": "/nowhere"})
    with (
        pytest.raises(FleetNotStarted, match=r"did not come up for the tests, it has ended: .*encodings.*doctor"),
        fleet,
    ):
        pytest.fail("it must not come up")
    assert not os.path.exists(fleet._folder.name)  # noqa: PTH110
