"""The timers that somebody has enabled: an undeploy switches them off, and the next deploy on again."""

from collections.abc import Collection, Iterator

from captchad.deployment.systemd import layout
from captchad.deployment.systemd.steps import Enable, RemovePath, Start, Step, WriteFile
from captchad.deployment.systemd.wanted import Found

TIMERS = frozenset(unit for unit in layout.TIMED_UNITS if unit.endswith(".timer"))


def find_timers(found: Found) -> tuple[str, ...]:
    """Return the timers that are enabled, and those that an undeploy has noted."""
    file = found.files.get(layout.TIMERS)
    noted = (file.text or "").split() if file is not None else []
    return tuple(sorted(TIMERS & found.enabled.union(noted)))


def plan_note_of_timers(found: Found) -> Iterator[Step]:
    """Return the step before an undeploy switches timers off."""
    timers, file = find_timers(found), found.files.get(layout.TIMERS)
    text = "".join(f"{timer}\n" for timer in timers)
    if timers and (file is None or file.text != text):
        yield WriteFile(layout.TIMERS, text)


def plan_timers(found: Found, unit_files: Collection[str]) -> Iterator[Step]:
    """Return the steps after which timers that were switched off run again, as far as this host still has them."""
    if layout.TIMERS not in found.files:
        return
    timers = tuple(timer for timer in find_timers(found) if layout.unit_path(timer) in unit_files)
    off = tuple(timer for timer in timers if timer not in found.enabled)
    if off:
        yield Enable(off)
    resting = tuple(timer for timer in timers if timer not in found.active)
    if resting:
        yield Start(resting)
    yield RemovePath(layout.TIMERS)
