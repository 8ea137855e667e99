"""A switch from one release to another: noted before anything of it is done, and until all of it is."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from captchad.deployment.systemd import layout
from captchad.deployment.systemd.json_objects import read_object
from captchad.deployment.systemd.steps import Link, RemovePath, Step, WriteFile
from captchad.deployment.systemd.wanted import Found
from captchad.domain.errors import DeploymentFailed


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch between two releases, by their names.

    `is_back` says that it leads to the release that ran before; `reason` why it is being undone, empty where it is not.
    """

    before: str
    after: str
    is_back: bool = False
    reason: str = ""


def read_switch(found: Found) -> Switch | None:
    """Return the switch that has begun and not ended."""
    file = found.files.get(layout.SWITCH)
    if file is None or not file.text:
        return None
    # Another release has written it, perhaps with more in it.
    tree = read_object(layout.SWITCH, file.text)
    if not {"before", "after"} <= tree.keys():
        raise DeploymentFailed(f"{layout.SWITCH} does not say between which releases; `captchad version` names them")
    return Switch(tree["before"], tree["after"], tree.get("is_back", False), tree.get("reason", ""))


def switch_text(switch: Switch) -> str:
    """Return a switch as it is noted."""
    return json.dumps(asdict(switch), indent=2) + "\n"


def current_release(found: Found) -> str | None:
    """Return the release that units start from; None where none is deployed."""
    return _read_release(found, layout.CURRENT)


def previous_release(found: Found) -> str | None:
    """Return the release that ran before, as far as it is still whole."""
    release = _read_release(found, layout.PREVIOUS)
    return release if release in found.installed else None


def find_switch(found: Found, release: str) -> Switch | None:
    """Return the switch that a deploy of a release belongs to, begun or not; None where that release runs already."""
    begun, current = read_switch(found), current_release(found)
    if begun is not None:
        return begun if release in {begun.before, begun.after} else Switch(begun.before, release)
    if current is None or current == release:
        return None
    return Switch(current, release, is_back=release == previous_release(found))


def find_owed(found: Found, release: str) -> str | None:
    """Return the release that a deploy of `release` must leave the host to: the one before, where this one failed."""
    switch = read_switch(found)
    return switch.before if switch is not None and switch.reason and release == switch.after else None


def plan_note(found: Found, release: str) -> Iterator[Step]:
    """Return the step before the first one of a switch."""
    switch = find_switch(found, release)
    if switch is not None and switch != read_switch(found):
        yield WriteFile(layout.SWITCH, switch_text(switch))


def plan_end(found: Found, release: str) -> Iterator[Step]:
    """Return the steps after the last one: the release before stays to go back to, and no other."""
    switch, previous = find_switch(found, release), previous_release(found)
    if switch is not None:
        if release != switch.before:
            previous = switch.before
            yield Link(layout.PREVIOUS, layout.release_path(previous))
        yield RemovePath(layout.SWITCH)
    yield from (RemovePath(layout.release_path(name)) for name in sorted(found.installed.keys() - {release, previous}))


def _read_release(found: Found, link: str) -> str | None:
    return PurePosixPath(found.links[link]).name if link in found.links else None
