"""Keeping one child running."""

import asyncio

import pytest

from captchad.deployment.events import ServiceEvent, ServiceEventKind
from captchad.deployment.watch import ChildGaveUp, Watch, describe_exit
from captchad.runtime.spawn import TaskSet
from tests.unit.deployment.scripted_child import ScriptedChild, SteppedClock


class Scene:
    """A watch over a scripted child, with everything it tells."""

    def __init__(self, *lives: str) -> None:
        self.child = ScriptedChild("role", list(lives))
        self.clock = SteppedClock()
        self.told: list[ServiceEvent] = []
        self.watch = Watch(self.child, self.told.append, self.clock)
        self.work = TaskSet("test")

    def kinds(self) -> list[ServiceEventKind]:
        return [event.kind for event in self.told]


async def test_child_is_told_ready_and_stopped() -> None:
    scene = Scene("serve")
    running = scene.work.spawn(scene.watch.run(), "watch")
    await scene.watch.ready.wait()
    await scene.watch.stop()
    await running
    assert scene.child.diary == ["start role", "stop role"]
    assert scene.kinds() == [ServiceEventKind.READY, ServiceEventKind.STOPPED]


async def test_child_that_ends_by_itself_is_started_again() -> None:
    scene = Scene("serve", "serve")
    scene.work.spawn(scene.watch.run(), "watch")
    for _ in range(2):
        await scene.watch.ready.wait()
        scene.child.end(137)
        while scene.watch.ready.is_set():
            await asyncio.sleep(0)
    await scene.watch.ready.wait()
    await scene.watch.stop()
    ends = [event.text for event in scene.told if event.kind is ServiceEventKind.ENDED]
    assert ends == [
        "killed by SIGKILL; starting it again",
        "killed by SIGKILL; starting it again in 0.5 s",
    ]
    assert scene.clock.slept == [0.5]


async def test_child_that_never_works_is_given_up_with_its_last_words() -> None:
    scene = Scene("crash", "crash", "crash")
    with pytest.raises(ChildGaveUp, match="role does not start: the last words"):
        await scene.watch.run()
    assert scene.child.diary == ["start role"] * 3


async def test_child_that_can_not_be_started_says_why() -> None:
    scene = Scene("refuse", "refuse", "refuse")
    with pytest.raises(ChildGaveUp, match="refused to start"):
        await scene.watch.run()


async def test_child_that_lacks_a_dependency_is_started_once() -> None:
    scene = Scene("lack")
    with pytest.raises(ChildGaveUp, match="role does not start: something is not installed"):
        await scene.watch.run()
    assert scene.child.diary == ["start role"]
    assert scene.told == []


async def test_stop_ends_the_pause_before_a_restart() -> None:
    scene = Scene("crash", "crash")
    pausing = asyncio.Event()

    async def sleep_for_ever(seconds: float) -> None:
        pausing.set()
        await asyncio.Event().wait()

    scene.clock.sleep = sleep_for_ever  # type: ignore[method-assign]
    running = scene.work.spawn(scene.watch.run(), "watch")
    await pausing.wait()
    await scene.watch.stop()
    await running
    assert scene.child.diary == ["start role", "start role", "stop role"]


async def test_killed_child_is_not_started_again() -> None:
    scene = Scene("serve")
    running = scene.work.spawn(scene.watch.run(), "watch")
    await scene.watch.ready.wait()
    scene.watch.kill()
    await running
    assert scene.child.diary == ["start role", "kill role"]


@pytest.mark.parametrize(
    ("code", "words"), [(137, "killed by SIGKILL"), (1, "ended with exit code 1"), (255, "ended with exit code 255")]
)
def test_exit_codes_are_put_into_words(code: int, words: str) -> None:
    assert describe_exit(code) == words
