"""The order of starts and stops on one machine."""

import pytest

from captchad.deployment.local_fleet import LocalFleet
from captchad.deployment.watch import ChildGaveUp
from captchad.runtime.spawn import TaskSet
from tests.unit.deployment.scripted_child import ScriptedChild, SteppedClock


def make_fleet(diary: list[str], broken: str = "", is_configuration_good: bool = True) -> LocalFleet:
    def make(name: str) -> ScriptedChild:
        return ScriptedChild(name, ["crash"] * 3 if name == broken else [], diary)

    stages = [[make("gateway")], [make("worker-1"), make("worker-2")], [make("monitor")]]
    return LocalFleet([make("redis")], stages, lambda: is_configuration_good, lambda _: None, SteppedClock())


async def test_redis_starts_first_and_stops_last() -> None:
    diary: list[str] = []
    fleet = make_fleet(diary)
    await fleet.start()
    await fleet.stop()
    assert diary[0] == "start redis"
    assert set(diary[1:5]) == {"start gateway", "start worker-1", "start worker-2", "start monitor"}
    assert diary[5] == "stop gateway"
    assert set(diary[6:8]) == {"stop worker-1", "stop worker-2"}
    assert diary[8:] == ["stop monitor", "stop redis"]


async def test_child_without_hope_ends_the_start_and_the_rest_is_stopped() -> None:
    diary: list[str] = []
    fleet = make_fleet(diary, broken="worker-2")
    with pytest.raises(ChildGaveUp, match="worker-2 does not start"):
        await fleet.start()
    await fleet.stop()
    assert diary[-1] == "stop redis"
    assert {"stop gateway", "stop worker-1", "stop monitor"} <= set(diary)


async def test_failure_later_on_is_raised_to_who_waits_for_it() -> None:
    fleet = make_fleet([], broken="monitor")
    waiting = TaskSet("test").spawn(fleet.wait_for_failure(), "wait")
    with pytest.raises(ChildGaveUp):
        await fleet.start()
    with pytest.raises(ChildGaveUp):
        await waiting
    await fleet.stop()


async def test_hurry_kills_all_that_runs() -> None:
    diary: list[str] = []
    fleet = make_fleet(diary)
    await fleet.start()
    fleet.stop_at_once()
    await fleet.stop()
    killed = {line for line in diary if line.startswith("kill")}
    assert killed == {f"kill {name}" for name in ("redis", "gateway", "worker-1", "worker-2", "monitor")}


@pytest.mark.parametrize(("is_good", "reloads"), [(True, 5), (False, 0)])
async def test_a_configuration_that_can_be_used_reaches_everyone(is_good: bool, reloads: int) -> None:
    diary: list[str] = []
    fleet = make_fleet(diary, is_configuration_good=is_good)
    await fleet.start()
    fleet.reload()
    assert sum(line.startswith("reload") for line in diary) == reloads
    await fleet.stop()


async def test_fleet_that_never_started_stops_without_a_word() -> None:
    diary: list[str] = []
    await make_fleet(diary).stop()
    assert diary == []
