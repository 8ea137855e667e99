"""A host as far as a plan can see it, for tests of plans."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from captchad.config.changes import split_reloadable
from captchad.config.json_file import parse_text
from captchad.deployment.systemd import layout
from captchad.deployment.systemd.plan import plan_deploy
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
from captchad.deployment.systemd.wanted import (
    Certificates,
    Found,
    FoundFile,
    Joining,
    Listening,
    Release,
    Secrets,
    Wanted,
)
from captchad.domain.errors import DeploymentFailed

UNITS = {path.name: path.read_text() for path in (Path(__file__).parents[4] / "systemd").iterdir()}
FRESH = Secrets("p" * 43, "j" * 43, "s" * 43, "n" * 43)


CERTIFICATES = Certificates("ca", "ca-key", "certificate", "redis-key")
LISTENING = Listening("10.0.0.5", ("10.0.0.0/24",), CERTIFICATES, "resetkeys ~captchad:* -@all +ping")
JOINING = Joining({"url": "rediss://captchad:theirs@10.0.0.5:6379", "tls": {"enabled": True}}, "PEM", "k" * 43)


def want(**changes: object) -> Wanted:
    release = Release("0.2.0", "abc", "/usr/bin/redis-server")
    wanted = Wanted("prod", "single", 2, 0, release, FRESH, UNITS)
    return replace(wanted, **changes)  # type: ignore[arg-type]


@dataclass
class Host:
    """What the steps do to a host, as far as a plan can see; `started_with` is the text each unit was started with."""

    files: dict[str, FoundFile] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    installed: dict[str, str] = field(default_factory=dict)
    read_by_systemd: dict[str, FoundFile] = field(default_factory=dict)
    enabled: set[str] = field(default_factory=set)
    active: set[str] = field(default_factory=set)
    started_with: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    broken: tuple[str, str] | None = None
    """A unit that does not come up with the release of this name."""

    @property
    def release(self) -> str:
        """The release that units are started from."""
        return self.links.get(layout.CURRENT, "").rpartition("/")[2]

    def look(self) -> Found:
        needs_reload = self._unit_files() != self.read_by_systemd
        return Found(
            dict(self.files),
            dict(self.links),
            dict(self.installed),
            needs_reload,
            frozenset(self.enabled),
            frozenset(self.active),
        )

    def apply(self, steps: Iterable[Step]) -> None:
        for step in steps:
            self._apply(step)

    def inputs(self, unit: str) -> tuple[str | None, ...]:
        """Return what a unit reads at its start."""
        template = layout.template_of(unit)
        paths = [layout.unit_path(template), layout.drop_in_path(template)]
        if unit == layout.REDIS_UNIT:
            paths += [layout.REDIS_CONFIGURATION, layout.REDIS_CERTIFICATE, layout.REDIS_KEY]
        elif unit.endswith(".service"):
            paths += [layout.ENVIRONMENT_FILE]
        texts = [self.files[path].text if path in self.files else None for path in paths]
        return (*texts, *(self._read_configuration(unit) if layout.ENVIRONMENT_FILE in paths else ()))

    def _read_configuration(self, unit: str) -> tuple[str, ...]:
        """Return what of the configuration counts for a unit, what of it it can reload, and the release."""
        tree = parse_text(self.files[layout.CONFIGURATION].text or "", "").tree
        rest, reloadable = split_reloadable(tree)
        if layout.template_of(unit) == layout.BROWSER_TEMPLATE:
            rest, reloadable = {"browser": rest.get("browser")}, {}
        kept = {name: value for name, value in rest.items() if name not in ("environment", "deployment_mode")}
        return json.dumps(kept), json.dumps(reloadable, sort_keys=True), self.installed[self.release]

    def _apply(self, step: Step) -> None:
        match step:
            case Install(release, digest):
                self.installed[release] = digest
            case Link(path, target):
                self.links[path] = target
            case WriteFile(path, text, mode, _):
                self.files[path] = FoundFile(text, mode)
            case RemovePath(path):
                self._remove(path)
            case RemoveAllBut():
                # Nothing of it is to be seen by a plan.
                pass
            case _:
                self._tell_systemd(step)

    def _tell_systemd(self, step: Step) -> None:
        match step:
            case ReloadUnits():
                self.read_by_systemd = self._unit_files()
            case Enable(units):
                self.enabled.update(units)
            case Disable(units):
                self.enabled.difference_update(units)
            case Start(units):
                for unit in units:
                    self._start(unit)
            case Restart(unit):
                assert not (unit.endswith(".socket") and unit.replace(".socket", ".service") in self.active)
                self._start(unit)
            case Reload(unit):
                assert unit in self.active
                *rest, _, release = self.started_with[unit]
                self.started_with[unit] = (*rest, self.inputs(unit)[-2], release)
            case Stop(units):
                self.active.difference_update(units)
            case WaitHealthy(units):
                assert set(units) <= self.active

    def _start(self, unit: str) -> None:
        assert self._unit_files() == self.read_by_systemd, "started before systemd has read its file"
        self.active.add(unit)
        if (unit, self.release) == self.broken:
            # As systemd has it, it is started again and again.
            self.started_with.pop(unit, None)
            raise DeploymentFailed(f"{unit} does not start")
        self.started_with[unit] = self.inputs(unit)

    def _remove(self, path: str) -> None:
        for mapping in (self.files, self.links):
            for name in [name for name in mapping if name == path or name.startswith(f"{path}/")]:
                del mapping[name]
        if path == layout.PROGRAM_FOLDER:
            self.installed.clear()
        self.installed.pop(path.removeprefix(f"{layout.PROGRAM_FOLDER}/"), None)

    def _unit_files(self) -> dict[str, FoundFile]:
        return {path: file for path, file in self.files.items() if path.startswith(layout.UNIT_FOLDER)}


def deploy(host: Host, wanted: Wanted) -> list[Step]:
    steps = plan_deploy(wanted, host.look())
    host.apply(steps)
    return steps


def changing(steps: list[Step]) -> list[Step]:
    return [step for step in steps if not isinstance(step, WaitHealthy)]
