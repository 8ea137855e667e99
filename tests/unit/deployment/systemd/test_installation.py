"""What goes along into a release."""

import platform
import sys
import sysconfig
from pathlib import Path

import pytest

from captchad.deployment.systemd import installation
from captchad.deployment.systemd.distributions import list_distributions
from captchad.deployment.systemd.installation import _fill_from_origin, _remove_unfinished, check_obtainable
from captchad.deployment.systemd.origins import Origin
from captchad.domain.errors import DeploymentFailed


def test_what_the_roles_need_goes_along_and_nothing_else() -> None:
    names = {one.name.lower() for one in list_distributions()}
    # Of the base, of an extra, of an extra's requirement's own extra, and of a requirement.
    assert {"click", "playwright", "onnxruntime", "hiredis", "multidict"} <= names
    assert not {"captchad", "pytest", "torch", "hypothesis", "ruff"} & names


def test_packages_of_another_python_do_not_go_along(tmp_path: Path) -> None:
    draft, base = tmp_path / "draft", tmp_path / "0.2.0"
    (draft / "lib/python3.13/site-packages").mkdir(parents=True)
    (base / "lib/python3.11/site-packages").mkdir(parents=True)
    with pytest.raises(DeploymentFailed, match=r"0\.2\.0 is of python3\.11, and this host has python3\.13"):
        _fill_from_origin(draft, Origin("9.0.0", None, base))


def test_what_killed_installs_have_left_goes_before_the_next(tmp_path: Path) -> None:
    for name in ("0.3.0.1a2b3c4d.new", "0.3.0.1a2b3c4d.new.pip", "0.2.0.old", "0.2.0"):
        (tmp_path / name / "bin").mkdir(parents=True)
    _remove_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["0.2.0"]


@pytest.mark.parametrize(("version", "is_copyable"), [(platform.python_version(), True), ("3.11.99", False)])
def test_another_python_is_refused_to_its_last_number(
    version: str, is_copyable: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    system = tmp_path / "python3"
    system.write_text(f"#!/bin/sh\necho {version} {sysconfig.get_config_var('SOABI')}\n")
    system.chmod(0o755)
    monkeypatch.setattr(installation, "SYSTEM_PYTHON", system)
    problem = installation.check_copyable()
    assert (problem == "") is is_copyable
    assert is_copyable or f"not the system's ({version} " in problem


def test_a_version_that_pip_does_not_find_is_said_with_where_it_looked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # An environment with pip takes a while to make; this one's pip does as well.
    system = tmp_path / "python3"
    system.write_text(
        f'#!/bin/sh\nmkdir -p "$3/bin"\nprintf \'#!/bin/sh\\nexec {sys.executable} "$@"\\n\' >"$3/bin/python"\n'
        'chmod +x "$3/bin/python"\n'
    )
    system.chmod(0o755)
    monkeypatch.setattr(installation, "SYSTEM_PYTHON", system)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(DeploymentFailed) as refused:
        check_obtainable(Origin("9.9.9", None))
    said = refused.value.message
    assert said.startswith(
        "captchad 9.9.9 can't be had, and nothing was changed: it is not kept in /opt/captchad, and pip"
    )
    assert f"links: {tmp_path}: Could not find a version that satisfies the requirement captchad==9.9.9" in said
    assert "\n" not in said
