"""Plans how a host becomes what is wanted of it; nothing here touches a host."""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from captchad.deployment.backup.folder import FOLDER_NAME as BACKUPS
from captchad.deployment.systemd import layout
from captchad.deployment.systemd.configuration_files import (
    configuration_text,
    join_text,
    read_joining_password,
    redis_text,
    request_text,
    secrets_tree,
)
from captchad.deployment.systemd.stamps import Stamp, make_stamp, read_stamp
from captchad.deployment.systemd.steps import (
    Disable,
    Enable,
    Install,
    Link,
    Reload,
    ReloadUnits,
    RemoveAllBut,
    RemovePath,
    Restart,
    Start,
    Step,
    Stop,
    WaitHealthy,
    WriteFile,
)
from captchad.deployment.systemd.switch import plan_end, plan_note
from captchad.deployment.systemd.timers import plan_note_of_timers, plan_timers
from captchad.deployment.systemd.unit_files import list_services, list_sockets, list_unit_files, service_of
from captchad.deployment.systemd.wanted import Found, Wanted

OWNER_ALONE = 0o600
EVERYBODY_READS = 0o644


def plan_deploy(wanted: Wanted, found: Found) -> list[Step]:
    """Return the steps that are left; each does no harm a second time, so that any of them may be the last."""
    files = _list_files(wanted, found)
    writes = [file for file in files if _differs(file, found)]
    wanted_units = (*list_sockets(wanted), *list_services(wanted))
    leftover = sorted(
        unit
        for unit in (found.active | found.enabled) - {*wanted_units}
        if layout.template_of(unit) in layout.RUN_BY_DEPLOY
    )
    enabled = [unit for unit in (layout.TARGET, *wanted_units) if unit not in found.enabled]
    is_reloaded = found.needs_reload or any(file.path.startswith(layout.UNIT_FOLDER) for file in writes)
    # The request first: a deploy that is broken off later is completed as what it was.
    first = [file for file in writes if file.path == layout.DEPLOYMENT]
    steps: list[Step] = [*first, *_plan_release(wanted, found), *(file for file in writes if file not in first)]
    if is_reloaded:
        steps.append(ReloadUnits())
    if enabled:
        steps.append(Enable(tuple(enabled)))
    steps += [*_plan_runs(wanted, found, files), WaitHealthy(wanted_units)]
    if leftover:
        # Last: no worker uses a browser node any more, and others take the tasks of a worker that drains.
        steps += [Stop(tuple(leftover)), Disable(tuple(leftover))]
    steps += _plan_removals(files, found)
    return [*steps, *plan_timers(found, {file.path for file in files}), *plan_end(found, wanted.release.name)]


def plan_undeploy(found: Found, is_purged: bool, keeps_backups: bool = False) -> list[Step]:
    """Return the steps that remove captchad; `is_purged` takes its configuration and all its data too.

    `keeps_backups` leaves the folder of backups where it is.
    """
    units = tuple(sorted(found.active | found.enabled))
    unit_files = sorted(path for path in found.files if path.startswith(layout.UNIT_FOLDER))
    links = [path for path in (layout.COMMAND, layout.CURRENT) if path in found.links]
    steps: list[Step] = [] if is_purged else [*plan_note_of_timers(found)]
    if units:
        steps += [Stop(units), Disable(units)]
    steps += [RemovePath(path) for path in (*unit_files, *links)]
    if unit_files or found.needs_reload:
        steps.append(ReloadUnits())
    steps.append(RemovePath(layout.PROGRAM_FOLDER))
    if is_purged:
        steps += _plan_purge(keeps_backups=keeps_backups)
    return steps


def _plan_purge(*, keeps_backups: bool) -> Iterator[Step]:
    yield RemovePath(layout.CONFIGURATION_FOLDER)
    (link, *other_links), (folder, *other_folders) = layout.STATE_LINKS, layout.STATE_FOLDERS
    yield from map(RemovePath, (*other_links, *other_folders))
    yield from [RemoveAllBut(folder, BACKUPS)] if keeps_backups else map(RemovePath, (link, folder))


def list_configuration_files(wanted: Wanted, found: Found) -> list[WriteFile]:
    """Return what a role reads at its start: the configuration, the secrets, and the authority of a Redis elsewhere."""
    there = found.files.get(layout.SECRETS)
    secrets = secrets_tree(wanted, there.text if there is not None else None)
    configuration = found.files.get(layout.CONFIGURATION)
    authority = wanted.joining.authority if wanted.joining is not None else ""
    return [
        *([WriteFile(layout.AUTHORITY, authority)] if authority else []),
        _secret(layout.SECRETS, json.dumps(secrets, indent=2) + "\n"),
        # Somebody's own is kept as it is. Last: a host that has it knows which Redis it uses.
        WriteFile(
            layout.CONFIGURATION,
            configuration.text if configuration is not None and configuration.text else configuration_text(wanted),
            configuration.mode if configuration is not None and configuration.text else EVERYBODY_READS,
        ),
    ]


def _list_files(wanted: Wanted, found: Found) -> list[WriteFile]:
    read = list_configuration_files(wanted, found)
    units = [WriteFile(path, text) for path, text in sorted(list_unit_files(wanted).items())]
    *_, secrets_file, configuration_file = read
    secrets, configuration = json.loads(secrets_file.text), configuration_file.text
    redis = _list_redis_files(wanted, found, secrets, configuration)
    return [WriteFile(layout.DEPLOYMENT, request_text(wanted)), *read, *redis, *units]


def _list_redis_files(wanted: Wanted, found: Found, secrets: dict[str, Any], configuration: str) -> Iterator[WriteFile]:
    if not wanted.has_own_redis:
        return
    there, listening = found.files.get(layout.JOIN), wanted.listening
    password = read_joining_password(there.text if there is not None else None, wanted)
    yield _secret(layout.REDIS_CONFIGURATION, redis_text(secrets, listening, password))
    if listening is None:
        return
    certificates = listening.certificates
    yield WriteFile(layout.OWN_AUTHORITY, certificates.authority)
    yield _secret(layout.OWN_AUTHORITY_KEY, certificates.authority_key)
    yield WriteFile(layout.REDIS_CERTIFICATE, certificates.certificate)
    yield _secret(layout.REDIS_KEY, certificates.key)
    yield _secret(layout.JOIN, join_text(wanted, listening, secrets, configuration, password))


def _secret(path: str, text: str) -> WriteFile:
    return WriteFile(path, text, OWNER_ALONE, is_secret=True)


def _differs(file: WriteFile, found: Found) -> bool:
    there = found.files.get(file.path)
    return there is None or (there.text, there.mode) != (file.text, file.mode)


def _plan_release(wanted: Wanted, found: Found) -> Iterator[Step]:
    release = wanted.release
    if found.installed.get(release.name) != release.digest:
        yield Install(release.name, release.digest)
    yield from plan_note(found, release.name)
    links = {
        layout.CURRENT: layout.release_path(release.name),
        layout.COMMAND: f"{layout.CURRENT}/bin/captchad",
    }
    if wanted.has_own_redis:
        links[layout.REDIS_PROGRAM] = release.redis_program
    yield from (Link(path, target) for path, target in links.items() if found.links.get(path) != target)


def _plan_runs(wanted: Wanted, found: Found, files: Collection[WriteFile]) -> Iterator[Step]:
    """Start what does not run, and restart or reload what runs with something else; each is noted once it is done."""
    stopped: set[str] = set()
    workers, drained = _choose_workers(list_services(wanted)), _choose_workers(sorted(found.active))
    for unit in (*list_sockets(wanted), *list_services(wanted)):
        stamp, there = make_stamp(unit, files, wanted, found), read_stamp(unit, found)
        is_active = unit in found.active and unit not in stopped
        if is_active and there is not None and there.restart == stamp.restart:
            yield from _plan_reload(unit, stamp, there)
            continue
        if stamp != there and there is not None:
            # Until the next one stands, nobody knows what it runs with: a deploy of the former files starts it too.
            yield RemovePath(layout.stamp_path(unit))
        if layout.template_of(unit) == layout.BROWSER_TEMPLATE and is_active and not stopped.issuperset(drained):
            # Its pages end with it, and a worker that has drained has none there.
            stopped.update(drained)
            yield Stop(drained)
        if unit.endswith(".socket") and is_active:
            # A socket can't be restarted under a running service.
            stopped.add(service_of(unit))
            yield Stop((service_of(unit),))
        yield Restart(unit) if is_active else Start((unit,))
        if stamp != there:
            yield stamp.write(unit)
        if (unit,) == workers[-1:] and stopped.intersection(workers):
            yield WaitHealthy(workers)
    if layout.TARGET not in found.active:
        yield Start((layout.TARGET,))


def _plan_reload(unit: str, stamp: Stamp, there: Stamp) -> Iterator[Step]:
    """Have a running unit take over what differs, if anything does."""
    if stamp == there:
        return
    if there.reload:
        # Until the next one stands, nobody knows what it has taken over: a deploy of the former files reloads it too.
        yield Stamp(stamp.restart).write(unit)
    yield Reload(unit)
    yield stamp.write(unit)


def _choose_workers(units: Iterable[str]) -> tuple[str, ...]:
    return tuple(unit for unit in units if layout.template_of(unit) == layout.WORKER_TEMPLATE)


def _plan_removals(files: Iterable[WriteFile], found: Found) -> Iterator[Step]:
    """Remove the units that are not wanted here any more: captchad.target would start them."""
    kept = {file.path for file in files}
    ours = {path(unit) for unit in layout.RUN_BY_DEPLOY for path in (layout.unit_path, layout.drop_in_path)}
    removed = sorted((found.files.keys() & ours) - kept)
    yield from map(RemovePath, removed)
    if removed:
        yield ReloadUnits()
