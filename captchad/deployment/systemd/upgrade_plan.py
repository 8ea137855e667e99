"""Plans an upgrade up to where the new release goes on by itself; nothing here touches a host."""

from captchad.deployment.systemd.steps import BackUp, Check, HandOver, Install, Step
from captchad.deployment.systemd.switch import current_release, previous_release, read_switch
from captchad.deployment.systemd.wanted import Found, Release
from captchad.domain.errors import DeploymentFailed


def plan_upgrade(release: Release, found: Found) -> list[Step]:
    """Return the steps to another release; none where it runs already. None but the last touches what runs."""
    is_installed = found.installed.get(release.name) == release.digest
    if is_installed and release.name == current_release(found):
        return [HandOver(release.name)] if read_switch(found) is not None else []
    return [
        BackUp(),
        *([] if is_installed else [Install(release.name, release.digest)]),
        Check(release.name, "config check"),
        Check(release.name, "doctor"),
        Check(release.name, "deploy --dry-run"),
        HandOver(release.name),
    ]


def plan_rollback(found: Found) -> list[Step]:
    """Return the steps back to the release that ran before; of an upgrade under way, those that undo it.

    Without a backup or `doctor`: what is new may be what stands in their way, and that release ran on this host.
    """
    switch = read_switch(found)
    if switch is not None:
        return [HandOver(switch.after if switch.is_back else switch.before)]
    previous = previous_release(found)
    if previous is None or previous == current_release(found):
        raise DeploymentFailed("no release that ran before is kept on this host; name one with `captchad upgrade --to`")
    return [Check(previous, "config check"), Check(previous, "deploy --dry-run"), HandOver(previous)]


def plan_completion(found: Found) -> list[Step]:
    """Return the step that ends a switch that was broken off; none where nothing of it was done yet."""
    switch = read_switch(found)
    if switch is None or (not switch.reason and current_release(found) == switch.before):
        return []
    return [HandOver(switch.before if switch.reason else switch.after)]
