"""The steps of a plan: each says what it does, and does no harm a second time."""

from dataclasses import dataclass, field
from typing import Literal

from captchad.deployment.systemd import layout

By = Literal["config check", "doctor", "deploy --dry-run"]
"""The commands by which a release judges a host."""


@dataclass(frozen=True, slots=True)
class Install:
    """Put a release under /opt/captchad."""

    release: str
    digest: str

    def describe(self) -> str:
        """Return it as one line."""
        return f"install captchad {self.release}"


@dataclass(frozen=True, slots=True)
class Link:
    """Have a symbolic link lead to `target`."""

    path: str
    target: str

    def describe(self) -> str:
        """Return it as one line."""
        return f"ln -sfn {self.target} {self.path}"


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Have a file of root's with exactly this text; `is_secret` keeps it out of what is printed."""

    path: str
    text: str = field(repr=False)
    mode: int = 0o644
    is_secret: bool = False

    def describe(self) -> str:
        """Return it as one line."""
        return f"write {self.path} (mode {self.mode:04o})"


@dataclass(frozen=True, slots=True)
class RemovePath:
    """Remove a file, a link or a folder with all that is in it."""

    path: str

    def describe(self) -> str:
        """Return it as one line."""
        return f"remove {self.path}"


@dataclass(frozen=True, slots=True)
class RemoveAllBut:
    """Remove all that is in a folder but one thing, which stays with the folder."""

    path: str
    kept: str

    def describe(self) -> str:
        """Return it as one line."""
        return f"remove all of {self.path} but {self.kept}"


@dataclass(frozen=True, slots=True)
class ReloadUnits:
    """Have systemd read all unit files."""

    def describe(self) -> str:
        """Return it as one line."""
        return "systemctl daemon-reload"


@dataclass(frozen=True, slots=True)
class Enable:
    """Have units started at boot."""

    units: tuple[str, ...]

    def describe(self) -> str:
        """Return it as one line."""
        return f"systemctl enable {' '.join(self.units)}"


@dataclass(frozen=True, slots=True)
class Disable:
    """Have units not started at boot."""

    units: tuple[str, ...]

    def describe(self) -> str:
        """Return it as one line."""
        return f"systemctl disable {' '.join(self.units)}"


@dataclass(frozen=True, slots=True)
class Start:
    """Start units without waiting for them."""

    units: tuple[str, ...]

    def describe(self) -> str:
        """Return it as one line."""
        return f"systemctl start {' '.join(self.units)}"


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart one unit, and return once it is ready: the others serve meanwhile."""

    unit: str

    def describe(self) -> str:
        """Return it as one line."""
        return f"systemctl restart {self.unit}"


@dataclass(frozen=True, slots=True)
class Reload:
    """Have one unit take its configuration over while it runs."""

    unit: str

    def describe(self) -> str:
        """Return it as one line."""
        return f"systemctl reload {self.unit}"


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop units, and return once they have drained."""

    units: tuple[str, ...]

    def describe(self) -> str:
        """Return it as one line."""
        return f"systemctl stop {' '.join(self.units)}"


@dataclass(frozen=True, slots=True)
class WaitHealthy:
    """Return once every unit is ready."""

    units: tuple[str, ...]

    def describe(self) -> str:
        """Return it as one line."""
        return f"wait until ready: {' '.join(self.units)}"


@dataclass(frozen=True, slots=True)
class BackUp:
    """Make a backup into the state folder."""

    def describe(self) -> str:
        """Return it as one line."""
        return f"{layout.CURRENT}/bin/captchad backup"


@dataclass(frozen=True, slots=True)
class Check:
    """Have a release that does not run yet judge this host and its configuration."""

    release: str
    by: By

    def describe(self) -> str:
        """Return it as one line."""
        return f"{layout.program_path(self.release)} {self.by}"


@dataclass(frozen=True, slots=True)
class HandOver:
    """Go on as the deploy of another release, which alone knows its units."""

    release: str

    def describe(self) -> str:
        """Return it as one line."""
        return f"{layout.program_path(self.release)} deploy"


Step = (
    Install
    | Link
    | WriteFile
    | RemovePath
    | RemoveAllBut
    | ReloadUnits
    | Enable
    | Disable
    | Start
    | Restart
    | Reload
    | Stop
    | WaitHealthy
    | BackUp
    | Check
    | HandOver
)
