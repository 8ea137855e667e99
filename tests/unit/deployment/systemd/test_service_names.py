import pytest

from captchad.deployment.systemd.service_names import find_units, own_name
from captchad.domain.errors import DeploymentFailed

PRESENT = (
    "captchad-gateway.service",
    "captchad-scheduler.service",
    "captchad-monitor.service",
    "captchad-redis.service",
    "captchad-worker@1.service",
    "captchad-worker@2.service",
    "captchad-browser@3000.service",
    "captchad-browser@3001.service",
)
WORKERS, BROWSERS = PRESENT[4:6], PRESENT[6:8]


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("api-gateway", PRESENT[:1]),
        ("task-scheduler", PRESENT[1:2]),
        ("monitoring", PRESENT[2:3]),
        ("redis-master", PRESENT[3:4]),
        ("worker-node", WORKERS),
        ("worker", WORKERS),
        ("worker-node-2", WORKERS[1:]),
        ("worker-2", WORKERS[1:]),
        ("chrome-node", BROWSERS),
        ("chrome-node-2", BROWSERS[1:]),
        ("selenium-hub", BROWSERS),
        ("captchad-worker@1.service", WORKERS[:1]),
    ],
)
def test_every_name_of_the_guide_means_units(name: str, units: tuple[str, ...]) -> None:
    assert find_units(name, PRESENT) == units


@pytest.mark.parametrize(
    "name", ["worker-node-3", "chrome-node-9", "redis-sentinel", "nginx", "worker-0", "worker-x", ""]
)
def test_what_is_not_there_is_refused_with_what_is(name: str) -> None:
    with pytest.raises(DeploymentFailed, match=r"there are: browser@3000, .*worker@2"):
        find_units(name, PRESENT)


def test_sentinel_is_a_unit_of_the_hosts_own() -> None:
    assert find_units("redis-sentinel", (*PRESENT, "redis-sentinel.service")) == ("redis-sentinel.service",)


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("api-gateway", "gateway"),
        ("monitoring", "monitor"),
        ("worker-node", "worker"),
        ("worker-node-2", "worker-2"),
        ("worker@2", "worker-2"),
        ("chrome-node-1", "browser-1"),
        ("nginx", "nginx"),
        ("nginx-2", "nginx-2"),
    ],
)
def test_a_name_of_the_guide_is_one_of_captchads_own(name: str, own: str) -> None:
    assert own_name(name) == own
