"""The only hands on systemd: systemctl and journalctl, called with fixed words."""

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from captchad.deployment.log_lines import find_last_words
from captchad.domain.errors import DeploymentFailed

RUNNING_SYSTEMD = Path("/run/systemd/system")
PATTERNS = ("captchad-*", "captchad.target")
LONGEST_SECONDS = 300
LAST_LINES = 5
LINES_READ = 50
_SHOWN = (
    "Id",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "NeedDaemonReload",
    "NRestarts",
    "StatusText",
    "LoadState",
    "ActiveEnterTimestampMonotonic",
)
MICROSECONDS = 1_000_000
_KINDS = (".service", ".socket", ".timer", ".target")


@dataclass(frozen=True, slots=True)
class UnitState:
    """What systemd says of one unit; `status` is what the unit itself says, `active_since_seconds` is monotonic."""

    name: str
    active: str
    sub: str
    is_enabled: bool
    needs_reload: bool
    restarts: int
    status: str
    active_since_seconds: float

    @property
    def is_active(self) -> bool:
        """Whether it runs and is ready."""
        return self.active == "active"

    @property
    def is_failing(self) -> bool:
        """Whether it has ended by itself, and is to be started again."""
        return self.active == "activating" and self.sub == "auto-restart"

    @property
    def is_up(self) -> bool:
        """Whether it runs, or is about to."""
        return self.active in {"active", "activating", "reloading"}


def is_running() -> bool:
    """Say whether this host is booted with systemd."""
    return RUNNING_SYSTEMD.is_dir()


def read_units(units: Iterable[str] = ()) -> dict[str, UnitState]:
    """Return the state of units; without any, of all that are called captchad and are loaded or enabled."""
    names = sorted(set(units) or _list_units())
    if not names:
        return {}
    shown = _run(["systemctl", "show", f"--property={','.join(_SHOWN)}", *names])
    blocks = (dict(line.partition("=")[::2] for line in block.splitlines()) for block in shown.strip().split("\n\n"))
    return {block["Id"]: _read_unit(block) for block in blocks if block.get("LoadState") != "not-found"}


def reload_units() -> None:
    """Have systemd read all unit files."""
    _run(["systemctl", "daemon-reload"])


def act(verb: str, units: Sequence[str], *, waits: bool = True) -> None:
    """Do one of systemctl's verbs to units; DeploymentFailed has what a unit that fails logged last."""
    command = ["systemctl", verb, "--quiet", *([] if waits else ["--no-block"]), *units]
    try:
        _run(command)
    except DeploymentFailed as error:
        # One that ends at once is started again and again, and is `activating` meanwhile.
        broken = [unit for unit, state in read_units(units).items() if state.active == "failed" or state.is_failing]
        raise DeploymentFailed(describe_failure(broken[0]) if broken else error.message) from error


def describe_failure(unit: str) -> str:
    """Return one line with a unit's last words; where it had none, with what systemd says of it."""
    last_start = _run(["systemctl", "show", "--property=InvocationID", "--value", unit]).strip()
    matches = ([f"_SYSTEMD_INVOCATION_ID={last_start}"] if last_start else []) + [
        f"_SYSTEMD_UNIT={unit}",
        f"--unit={unit}",
    ]
    lines = next((lines for match in matches if (lines := _read_journal(match))), [])
    said = " / ".join(line.strip() for line in find_last_words(lines, LAST_LINES))
    return f"{unit} does not start: {said or 'it logged nothing'} — see `captchad logs {unit}`"


def run_as_unit(
    command: Sequence[str], properties: Sequence[str], limit_seconds: int
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end as a unit of its own; beyond its time systemd ends it."""
    given = [f"--property={one}" for one in (*properties, f"RuntimeMaxSec={limit_seconds}")]
    line = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", *given, *command]
    return _call(line, limit_seconds + LONGEST_SECONDS)


def _read_journal(match: str) -> list[str]:
    return _run(["journalctl", "--no-pager", f"--lines={LINES_READ}", "--output=cat", match]).splitlines()


def journal_command(units: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Return the command that shows the journal of units as JSON lines."""
    return ["journalctl", "--no-pager", "--output=json", *(f"--unit={unit}" for unit in units), *arguments]


def _list_units() -> set[str]:
    loaded = _run(["systemctl", "list-units", "--all", "--plain", "--no-legend", *PATTERNS])
    files = _run(["systemctl", "list-unit-files", "--no-legend", "--state=enabled", *PATTERNS], allowed=(0, 1))
    # Instances of templates are listed as loaded alone; those that are enabled and never started are on the disk.
    links = Path("/etc/systemd/system/captchad.target.wants")
    instances = {path.name for path in links.iterdir()} if links.is_dir() else set()
    found = {line.split()[0] for line in (*loaded.splitlines(), *files.splitlines()) if line.split()}
    return {name for name in found | instances if name.endswith(_KINDS) and "@." not in name}


def _read_unit(block: dict[str, str]) -> UnitState:
    return UnitState(
        name=block["Id"],
        active=block.get("ActiveState", ""),
        sub=block.get("SubState", ""),
        is_enabled=block.get("UnitFileState") == "enabled",
        needs_reload=block.get("NeedDaemonReload") == "yes",
        restarts=int(block.get("NRestarts") or 0),
        status=block.get("StatusText", ""),
        active_since_seconds=int(block.get("ActiveEnterTimestampMonotonic") or 0) / MICROSECONDS,
    )


def _run(command: list[str], allowed: tuple[int, ...] = (0,)) -> str:
    done = _call(command)
    if done.returncode not in allowed:
        reason = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[0]
        raise DeploymentFailed(f"`{' '.join(command[:4])}` failed: {reason}")
    return done.stdout


def _call(command: list[str], limit_seconds: int = LONGEST_SECONDS) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603 - fixed programs, and names of units that were looked up
            command, capture_output=True, text=True, timeout=limit_seconds, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise DeploymentFailed(f"there is no {command[0]} here: this host is not run by systemd") from None
    except subprocess.TimeoutExpired:
        raise DeploymentFailed(f"`{' '.join(command[:4])}` took longer than {limit_seconds} s") from None
