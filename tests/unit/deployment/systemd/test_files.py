from pathlib import Path

import pytest

from captchad.deployment.systemd import files
from captchad.deployment.systemd.wanted import FoundFile
from captchad.domain.errors import DeploymentFailed


def test_what_was_written_is_found_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "new/secrets.json"
    files.write(path, "first", 0o644)
    files.write(path, "second", 0o600)
    assert files.read(path) == FoundFile("second", 0o600)
    assert [one.name for one in path.parent.iterdir()] == ["secrets.json"]


def test_a_write_that_fails_leaves_what_was_there_and_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write(path, "whole", 0o644)

    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(DeploymentFailed, match=r"file can't be written: No space left on device"):
        files.write(path, "half", 0o644)
    assert files.read(path) == FoundFile("whole", 0o644)
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "current"
    files.link(path, "0.1.0")
    files.link(path, "0.2.0")
    assert str(path.readlink()) == "0.2.0"


def test_removing_twice_does_no_harm_and_takes_an_emptied_folder_of_drop_ins(tmp_path: Path) -> None:
    path = tmp_path / "captchad-gateway.service.d/10-deploy.conf"
    files.write(path, "", 0o644)
    files.remove(path)
    files.remove(path)
    assert list(tmp_path.iterdir()) == []


def test_a_drop_in_of_somebody_elses_stays(tmp_path: Path) -> None:
    folder = tmp_path / "captchad-gateway.service.d"
    for name in ("10-deploy.conf", "50-mine.conf"):
        files.write(folder / name, "", 0o644)
    files.remove(folder / "10-deploy.conf")
    assert [one.name for one in folder.iterdir()] == ["50-mine.conf"]
