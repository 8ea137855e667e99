"""Kills `captchad upgrade` and its rollback after ever more of their steps; one command more leaves one release.

`kill_upgrades.py WHEEL BROKEN`: the wheel of a release that works, and that of one whose workers do not come up.
"""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "/usr/local/bin/captchad"
CURRENT = Path("/opt/captchad/current")
SWITCH = Path("/opt/captchad/switch.json")
UPGRADE_STEPS = (4, 8, 10)
"""Before the new release's doctor, before the link is changed, and before a unit is restarted."""
UNDOING_STEPS = (1, 3)
ROLLBACK_STEPS = (2, 6)
"""Before the dry run of the former release's deploy, and before a unit is restarted."""
UNDOING = "going back to captchad"


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of captchad's to its end."""
    return subprocess.run([PROGRAM, *arguments], check=False, capture_output=True, text=True)


def kill_before(arguments: tuple[str, ...], step: int, after: str = "") -> bool:
    """Run a command, and kill it as it announces this step, counted from the line with `after`; False if it ends."""
    with subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        lines = itertools.dropwhile(lambda line: after not in line, child.stdout)
        announced = (line for line in lines if line.startswith("[") and "/" in line.partition("]")[0])
        is_killed = next(itertools.islice(announced, step - 1, None), None) is not None
        if is_killed:
            child.kill()
        child.stdout.close()
        return is_killed


def find_running() -> set[str]:
    """Return the releases from which the services of this host run, and the one that the link names."""
    listed = subprocess.run(
        ["systemctl", "list-units", "--plain", "--no-legend", "--state=active", "captchad-*.service"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = {CURRENT.readlink().name}
    for unit in (line.split()[0] for line in listed.splitlines() if "redis" not in line):
        pid = subprocess.run(
            ["systemctl", "show", "-P", "MainPID", unit], capture_output=True, text=True, check=True
        ).stdout.strip()
        found.add(Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("/")[3])
    return found


@dataclass(frozen=True)
class Trial:
    """A command that is killed before a step, and the one that ends what was broken off.

    The step is counted from the line with `after`; `before` is the release that runs at first, `wanted` may run then.
    """

    before: str
    killed: tuple[str, ...]
    step: int
    ending: tuple[str, ...]
    wanted: frozenset[str]
    after: str = ""

    def passes(self) -> bool:
        """Say whether one wanted release runs in all units then, and a deploy has nothing to add."""
        is_killed = kill_before(self.killed, self.step, self.after)
        where = "within" if SWITCH.exists() else "outside of"
        ended, again, running = run(*self.ending), run("deploy"), find_running()
        print(
            f"{' '.join(self.killed)}: killed before step {self.step}{f' of {self.after!r}' if self.after else ''}, "
            f"{where} the switch; {' '.join(self.ending)}: {running}",
            flush=True,
        )
        is_well = is_killed and len(running) == 1 and running <= self.wanted and not SWITCH.exists()
        if is_well and "nothing differs" in again.stdout:
            return True
        print(is_killed, self.wanted, ended.stdout, ended.stderr, again.stdout, again.stderr, sep="\n")
        return False


def list_trials(wheel: str, broken: str) -> Iterator[Trial]:
    """Return all trials, on a host that runs one release now and is upgraded to the wheel's."""
    first, new = CURRENT.readlink().name, Path(wheel).name.split("-")[1]
    upgrade, back, deploy = ("upgrade", "--to", wheel), ("upgrade", "--rollback"), ("deploy",)
    either = frozenset({first, new})
    # A deploy ends a switch as far as it has come; the command that was killed completes it.
    for step, ending in itertools.product(UPGRADE_STEPS, (deploy, upgrade)):
        yield Trial(first, upgrade, step, ending, either if ending == deploy else frozenset({new}))
    for step in UNDOING_STEPS:
        yield Trial(first, ("upgrade", "--to", broken), step, deploy, frozenset({first}), UNDOING)
    for step, ending in itertools.product(ROLLBACK_STEPS, (deploy, back)):
        yield Trial(new, back, step, ending, either if ending == deploy else frozenset({first}))


def switch_to(release: str, wheel: str) -> bool:
    """Have a release run, before a trial."""
    if CURRENT.readlink().name == release:
        return True
    is_new = Path(wheel).name.split("-")[1] == release
    done = run("upgrade", "--to", wheel) if is_new else run("upgrade", "--rollback")
    if done.returncode or CURRENT.readlink().name != release:
        print(done.stdout, done.stderr, sep="\n")
        return False
    return True


def main() -> int:
    """Return 0 where every kill is mended by the one command after it."""
    wheel, broken = sys.argv[1:]
    return 0 if all(switch_to(trial.before, wheel) and trial.passes() for trial in list_trials(wheel, broken)) else 1


if __name__ == "__main__":
    sys.exit(main())
