"""Puts a release under /opt/captchad: a copy of the environment that runs this, or what pip makes from its origin."""

import importlib.metadata
import platform
import secrets
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from captchad.deployment.systemd import layout
from captchad.deployment.systemd.distributions import list_distributions
from captchad.deployment.systemd.origins import MARK, PACKAGE, WHEEL_SUFFIX, Origin, read_mark
from captchad.domain.errors import DeploymentFailed
from captchad.runtime.extras import Extra

SYSTEM_PYTHON = Path("/usr/bin/python3")
SCRIPTS = {"captchad": "captchad.cli.main", "captchad-browser": "captchad.cli.browser_node"}
INSTALL_LIMIT_SECONDS = 600
DRAFT_SUFFIX, OLD_SUFFIX, TOOL_SUFFIX = ".new", ".old", ".pip"
UNFINISHED_SUFFIXES = (DRAFT_SUFFIX, OLD_SUFFIX, TOOL_SUFFIX)


def install(name: str, digest: str, origin: Origin | None) -> None:
    """Make the folder of a release, whole or not at all."""
    final = Path(layout.PROGRAM_FOLDER) / name
    # A name of its own: what a killed install had started may still write into its folder.
    draft = final.with_name(f"{name}.{secrets.token_hex(4)}{DRAFT_SUFFIX}")
    try:
        _remove_unfinished(final.parent)
        _run([str(SYSTEM_PYTHON), "-m", "venv", "--without-pip", str(draft)])
        _fill_from_origin(draft, origin) if origin is not None else _copy_environment(_packages_of(draft))
        _write_scripts(draft, final)
        _run([str(draft / "bin/python"), "-m", "compileall", "-q", "-j", "0", str(_packages_of(draft))], allowed=(0, 1))
        (draft / MARK).write_text(digest + "\n", encoding="ascii")
        if final.exists():
            # What runs from it has its modules open; it is restarted next.
            old = final.with_name(f"{name}{OLD_SUFFIX}")
            final.rename(old)
            draft.rename(final)
            shutil.rmtree(old, ignore_errors=True)
        else:
            draft.rename(final)
    except OSError as error:
        raise DeploymentFailed(f"{final} can't be made: {error.strerror or error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def check_obtainable(origin: Origin) -> None:
    """Raise DeploymentFailed where pip finds no such release; a wheel that is there needs no look."""
    if origin.requirement.endswith(WHEEL_SUFFIX):
        return
    with tempfile.TemporaryDirectory() as folder, _with_pip(Path(folder) / "pip") as python:
        looked = [str(python), "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--retries=1"]
        done = _call([*looked, "--disable-pip-version-check", f"captchad=={origin.requirement}"])
    if done.returncode:
        places = [line for line in done.stdout.splitlines() if line.startswith("Looking in ")]
        where = "; ".join(places).replace("Looking in ", "") or "the index that it is set to (`pip config list`)"
        reason = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[0]
        raise DeploymentFailed(
            f"captchad {origin.requirement} can't be had, and nothing was changed: it is not kept in "
            f"{layout.PROGRAM_FOLDER}, and pip looked in {where}: {reason.removeprefix('ERROR: ')}"
        )


def find_installed() -> dict[str, str]:
    """Return the releases that are whole, and their digests."""
    folder = Path(layout.PROGRAM_FOLDER)
    marks = folder.glob(f"*/{MARK}") if folder.is_dir() else ()
    return {
        mark.parent.name: read_mark(mark.parent)
        for mark in marks
        if not mark.parent.name.endswith(UNFINISHED_SUFFIXES) and not mark.parent.is_symlink()
    }


def check_copyable() -> str:
    """Return why this environment can't be copied; empty where it can."""
    if not SYSTEM_PYTHON.exists():
        return f"there is no {SYSTEM_PYTHON}: apt-get install python3"
    asked = "import platform, sysconfig; print(platform.python_version(), sysconfig.get_config_var('SOABI'))"
    found = _run([str(SYSTEM_PYTHON), "-c", asked]).strip()
    # To the last number: what a package requires may depend on it.
    mine = f"{platform.python_version()} {sysconfig.get_config_var('SOABI')}"
    if found != mine:
        return (
            f"captchad runs here on a Python ({mine}) that is not the system's ({found}), so it can't be copied: "
            f"install it with {SYSTEM_PYTHON} -m venv, or give its wheels with --wheels DIR"
        )
    return ""


def _remove_unfinished(folder: Path) -> None:
    for suffix in UNFINISHED_SUFFIXES:
        for path in folder.glob(f"*{suffix}"):
            shutil.rmtree(path, ignore_errors=True)


def _copy_environment(packages: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__")
    # A checkout's links to units and examples become files.
    shutil.copytree(PACKAGE, packages / "captchad", ignore=ignore)
    own = importlib.metadata.distribution("captchad")
    for distribution in (own, *list_distributions()):
        for file in distribution.files or ():
            is_inside = ".." not in file.parts and "__pycache__" not in file.parts
            is_of_checkout = distribution is own and not file.parts[0].endswith(".dist-info")
            source = Path(str(file.locate()))
            if is_inside and not is_of_checkout and source.is_file():
                target = packages / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)


def _fill_from_origin(draft: Path, origin: Origin) -> None:
    if origin.base is not None:
        here, there = (_packages_of(folder).parent.name for folder in (draft, origin.base))
        if here != there:
            raise DeploymentFailed(
                f"{origin.base} is of {there}, and this host has {here}: install captchad with {SYSTEM_PYTHON} -m venv "
                "and run its `captchad upgrade`"
            )
        # All but captchad itself, which pip would take for the one that is asked for.
        ignore = shutil.ignore_patterns("__pycache__", "captchad", "captchad-*.dist-info")
        shutil.copytree(
            _packages_of(origin.base), _packages_of(draft), ignore=ignore, symlinks=True, dirs_exist_ok=True
        )
    with _with_pip(draft.with_name(f"{draft.name}{TOOL_SUFFIX}")) as python:
        _run([str(python), *_pip_arguments(draft / "bin/python", origin)])


@contextmanager
def _with_pip(folder: Path) -> Iterator[Path]:
    """Have a Python with pip for a while: neither a release nor the environment that runs this need have it."""
    try:
        _run([str(SYSTEM_PYTHON), "-m", "venv", str(folder)])
        yield folder / "bin/python"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _pip_arguments(python: Path, origin: Origin) -> list[str]:
    extras = f"[{Extra.WORKER.value},{Extra.EMBEDDED.value}]"
    is_wheel = origin.requirement.endswith(WHEEL_SUFFIX)
    source = [] if origin.wheels is None else ["--no-index", f"--find-links={origin.wheels}"]
    return [
        *("-m", "pip", f"--python={python}", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
        *source,
        f"{origin.requirement}{extras}" if is_wheel else f"captchad{extras}=={origin.requirement}",
    ]


def _write_scripts(draft: Path, final: Path) -> None:
    for name, module in SCRIPTS.items():
        script = draft / "bin" / name
        script.write_text(f"#!{final}/bin/python\nfrom {module} import main\n\nmain()\n", encoding="utf-8")
        script.chmod(0o755)


def _packages_of(environment: Path) -> Path:
    return next(environment.glob("lib/python*/site-packages"))


def _run(command: list[str], allowed: tuple[int, ...] = (0,)) -> str:
    done = _call(command)
    if done.returncode not in allowed:
        reason = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise DeploymentFailed(f"`{' '.join(command[:3])}` failed: {reason}")
    return done.stdout


def _call(command: list[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603 - programs of this host, with fixed arguments
            command, capture_output=True, text=True, timeout=INSTALL_LIMIT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise DeploymentFailed(f"`{' '.join(command[:3])}` took longer than {INSTALL_LIMIT_SECONDS} s") from None
