import os
from pathlib import Path

import pytest

from captchad.cli.state_folder import find_state_directory
from captchad.deployment.systemd import layout
from captchad.domain.errors import DeploymentFailed


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A deployed host's configuration; its services keep their state in tmp_path/services."""
    for name in ("CAPTCHAD_STATE_DIRECTORY", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "own"))
    monkeypatch.setattr(layout, "CONFIGURATION", str(tmp_path / "distributed.json"))
    monkeypatch.setattr(layout, "DEPLOYMENT", str(tmp_path / "deployment.json"))
    monkeypatch.setattr(layout, "STATE_LINKS", (str(tmp_path / "services"),))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "deployment.json").write_text("{}")
    return tmp_path / "distributed.json"


def test_with_the_configuration_of_a_deployment_it_is_the_services_own(deployed: Path, tmp_path: Path) -> None:
    assert find_state_directory(deployed) == tmp_path / "services"


def test_with_any_other_configuration_it_is_this_users(deployed: Path, tmp_path: Path) -> None:
    assert find_state_directory(None) == find_state_directory(tmp_path / "other.json") == tmp_path / "own/captchad"


@pytest.mark.parametrize("variable", ["CAPTCHAD_STATE_DIRECTORY", "STATE_DIRECTORY"])
def test_one_that_is_named_is_taken(variable: str, deployed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "/srv/named")
    assert find_state_directory(deployed) == Path("/srv/named")


def test_a_configuration_without_a_deployment_is_this_users(deployed: Path, tmp_path: Path) -> None:
    (tmp_path / "deployment.json").unlink()
    assert find_state_directory(deployed) == tmp_path / "own/captchad"


def test_another_user_is_told_to_be_root_instead_of_getting_an_empty_folder(
    deployed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(DeploymentFailed, match="run it again with sudo"):
        find_state_directory(deployed)
