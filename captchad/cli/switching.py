"""What a deploy does beside its steps where it replaces another release: it is undone where it fails."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from captchad.cli.failures import describe_failure
from captchad.cli.printing import say
from captchad.deployment.systemd import files, host, layout
from captchad.deployment.systemd.switch import Switch, find_owed, read_switch, switch_text
from captchad.deployment.systemd.wanted import Found
from captchad.domain.errors import CaptchadError, DeploymentFailed


def hand_back_where_owed(found: Found, release: str) -> None:
    """Go on as the release before where a switch to this one has failed, and undoing it was broken off."""
    owed = find_owed(found, release)
    if owed is not None:
        host.hand_over(owed)


@contextmanager
def undone_where_it_fails(release: str) -> Iterator[None]:
    """Have what fails in a switch to a release be undone by the release before; elsewhere it just fails."""
    try:
        yield
    except Exception as error:
        # Whatever it is: no host may stay between two releases.
        found = host.look()
        switch = read_switch(found)
        if switch is None or release == switch.before or switch.before not in found.installed:
            raise
        reason = _describe(error)
        say(f"captchad: {reason}", is_error=True)
        say(f"going back to captchad {switch.before}")
        with suppress(DeploymentFailed):
            files.write(Path(layout.SWITCH), switch_text(replace(switch, reason=reason)), 0o644)
        host.hand_over(switch.before)


def say_end_of_switch(switch: Switch | None, release: str) -> None:
    """Say what a switch has come to; DeploymentFailed where it was undone because it had failed."""
    if switch is None:
        return
    if release != switch.before:
        say(f"captchad {release} runs; {switch.before} is kept for `captchad upgrade --rollback`")
        return
    if switch.reason:
        raise DeploymentFailed(f"captchad {switch.before} runs again, {switch.after} did not do: {switch.reason}")
    say(f"the switch to captchad {switch.after} was broken off, and is undone: {switch.before} runs")


def _describe(error: Exception) -> str:
    return (
        "; ".join(describe_failure(error)) if isinstance(error, CaptchadError) else f"{type(error).__name__}: {error}"
    )
