"""Where a release comes from, and what it is called: the version, with a digest beside it where that is not enough."""

import hashlib
import re
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import captchad
from captchad.broker.embedded_program import COMMANDS, find_bundled_program
from captchad.deployment.systemd import layout
from captchad.deployment.systemd.distributions import list_distributions
from captchad.deployment.systemd.wanted import Release
from captchad.domain.errors import DeploymentFailed

MARK = "complete"
"""The file in a release's folder that says that it is whole, and has its digest."""
PACKAGE = Path(captchad.__file__).parent
DIGEST_LENGTH = 16
SHOWN_DIGEST_LENGTH = 8
WHEEL_SUFFIX = ".whl"
_WHEEL = re.compile(r"captchad-(?P<version>[^-]+)(-[^-]+){3,4}\.whl")
_VERSION = re.compile(r"\d[\w.+!]*")


@dataclass(frozen=True, slots=True)
class Origin:
    """What pip makes a release from: `requirement`, out of a folder of wheels, else out of the index it is set to.

    `base` is a release whose packages go along, so that pip needs only what differs.
    """

    requirement: str
    wheels: Path | None
    base: Path | None = None


def of_wheels(folder: Path) -> Origin:
    """Return the origin of a release whose packages are all wheels of one folder."""
    found = sorted(folder.glob("captchad-*.whl"))
    if len(found) != 1:
        raise DeploymentFailed(f"{folder} has {len(found) or 'no'} wheels of captchad; there must be one")
    return Origin(str(found[0]), folder)


def of_next(asked: str, base: Path) -> Origin:
    """Return the origin of what an upgrade names, a wheel or a version; it shares the packages of `base`."""
    if asked.endswith(WHEEL_SUFFIX):
        wheel = Path(asked).absolute()
        if not wheel.is_file():
            raise DeploymentFailed(f"{wheel} is not there")
        return Origin(str(wheel), wheel.parent, base)
    if not _VERSION.fullmatch(asked):
        raise DeploymentFailed(f"{asked!r} is neither a version nor a wheel")
    return Origin(asked, None, base)


def describe_release(origin: Origin | None, installed: Mapping[str, str]) -> Release:
    """Return the release to install, with a digest of its code; without an origin, the environment that runs this."""
    own = Path(sys.prefix).resolve()
    if origin is None and own.is_relative_to(layout.PROGRAM_FOLDER) and (own / MARK).exists():
        return Release(own.name, read_mark(own), _find_redis_program())
    version = captchad.__version__ if origin is None else _read_version(origin)
    digest = _digest_package() if origin is None else _digest_origin(origin, version)
    return Release(name_release(version, digest, installed), digest, _find_redis_program())


def name_release(version: str, digest: str, installed: Mapping[str, str]) -> str:
    """Return the name of a release's folder; another one of the same version keeps its own beside it."""
    return version if installed.get(version, digest) == digest else f"{version}-{digest[:SHOWN_DIGEST_LENGTH]}"


def read_mark(folder: Path) -> str:
    """Return the digest of a release that is whole."""
    return (folder / MARK).read_text(encoding="ascii").strip()


def _read_version(origin: Origin) -> str:
    if not origin.requirement.endswith(WHEEL_SUFFIX):
        return origin.requirement
    name = _WHEEL.fullmatch(Path(origin.requirement).name)
    if name is None:
        raise DeploymentFailed(f"{origin.requirement} is no wheel of captchad's")
    return name["version"]


def _digest_package() -> str:
    total = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes())
    for distribution in sorted(list_distributions(), key=lambda one: one.name):
        total.update(f"{distribution.name} {distribution.version}\n".encode())
    return total.hexdigest()[:DIGEST_LENGTH]


def _digest_origin(origin: Origin, version: str) -> str:
    total = hashlib.sha256(version.encode())
    if origin.base is not None:
        total.update(read_mark(origin.base).encode())
        wheels = [Path(origin.requirement)] if origin.wheels is not None else []
    else:
        wheels = sorted(origin.wheels.glob(f"*{WHEEL_SUFFIX}")) if origin.wheels is not None else []
    for path in wheels:
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:DIGEST_LENGTH]


def _find_redis_program() -> str:
    """Return the host's server, else where the embedded one will lie."""
    for command in COMMANDS:
        found = shutil.which(command)
        if found:
            return found
    bundled = find_bundled_program()
    if bundled is None:
        return ""
    here = Path(sysconfig.get_paths()["purelib"])
    packages = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    return f"{layout.CURRENT}/{packages}/{bundled.relative_to(here)}"
