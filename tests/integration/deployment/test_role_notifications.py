"""A real process whose event loop stops, stands still or goes on, and what is heard of it."""

import asyncio
import os
import sys
import textwrap

import pytest

from captchad.deployment.role_notifications import WATCHDOG_SECONDS, RoleNotifications
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.runtime.tethered_process import TetheredProcess

SPEAKING = """
    import asyncio, os, signal, sys, time
    from captchad.runtime.notify import notify_systemd
    notify_systemd("READY=1")
    async def speak():
        while True:
            notify_systemd("WATCHDOG=1")
            await asyncio.sleep(0.01)
    async def main():
        speaking = asyncio.ensure_future(speak())
        await asyncio.sleep(0.1)
        {end}
    asyncio.run(main())
"""


class HastyClock(Clock):
    """A second of its sleep is a tenth of one."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 10)


async def start(end: str) -> tuple[TetheredProcess, RoleNotifications]:
    notifications = RoleNotifications(HastyClock())
    script = textwrap.dedent(SPEAKING).format(end=end)
    environment = notifications.make_environment(os.environ)
    process = TetheredProcess([sys.executable, "-c", script], environment, asyncio.subprocess.DEVNULL)
    await process.start()
    await notifications.is_ready.wait()
    return process, notifications


@pytest.mark.parametrize(
    "end",
    ["time.sleep(600)", "exec('while True: pass')", "os.kill(os.getpid(), signal.SIGSTOP)"],
    ids=["asleep", "busy", "stopped"],
)
async def test_a_loop_that_no_longer_turns_is_found_whatever_keeps_it(end: str) -> None:
    process, notifications = await start(end)
    await notifications.wait_until_hung()
    assert process.is_running
    process.kill()
    await process.wait()
    notifications.close()


async def test_a_loop_that_turns_is_left_alone() -> None:
    process, notifications = await start("await asyncio.sleep(600)")
    work = TaskSet("test")
    watching = work.spawn(notifications.wait_until_hung(), "watch")
    # More steps than a hang takes.
    await HastyClock().sleep(1.5 * WATCHDOG_SECONDS)
    assert not watching.done()
    await work.cancel_all()
    process.kill()
    await process.wait()
    notifications.close()
