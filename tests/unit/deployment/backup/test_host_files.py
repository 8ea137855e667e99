import os
from pathlib import Path

import pytest

from captchad.deployment.backup.file_restorer import FileRestorer
from captchad.deployment.backup.host_files import Chunk, StateFiles, find_secret_files, read_secrets
from captchad.domain.errors import BackupRefused

BESIDE = ("secrets.json", "captchad.env", "join.json", "tls/ca.key")


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A configuration with its secrets beside it, as a deployed host has them."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "tls").mkdir()
    for name in ("distributed.json", *BESIDE, "redis.conf"):
        (folder / name).write_text(f"text of {name}")
    return folder / "distributed.json"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "session.key").write_text("the key")
    return folder


def restore_file(restorer: FileRestorer, whole: Chunk) -> None:
    restorer.put(whole)
    restorer.finish()


def test_every_file_of_secrets_is_found(state: Path, configuration: Path) -> None:
    found = find_secret_files(state, configuration)
    assert found.keys() == {"state/session.key", *(f"configuration/{name}" for name in BESIDE)}
    assert dict(read_secrets(state, configuration)) == {
        "configuration/distributed.json": b"text of distributed.json",
        **{name: path.read_bytes() for name, path in found.items()},
    }


def test_secrets_that_can_not_be_read_are_not_passed_over(state: Path, configuration: Path) -> None:
    configuration.with_name("secrets.json").unlink()
    configuration.with_name("secrets.json").mkdir()
    with pytest.raises(BackupRefused, match=r"secrets\.json can't be read"):
        list(read_secrets(state, configuration))


def test_secrets_are_restored_beside_the_configuration_and_laid_beside_those_in_use(
    tmp_path: Path, state: Path, configuration: Path
) -> None:
    new = tmp_path / "new/distributed.json"
    restorer = FileRestorer(state, new, replaces=True)
    for name, content in read_secrets(state, configuration):
        restorer.put(Chunk(name, 0, content))
    restorer.finish()
    restored = {str(path.relative_to(new.parent)): path for path in new.parent.rglob("*") if path.is_file()}
    assert {name: path.read_text() for name, path in restored.items()} == {
        name: f"text of {name}" for name in ("distributed.json", *BESIDE)
    }
    assert new.with_name("secrets.json").stat().st_mode & 0o777 == 0o600
    new.with_name("secrets.json").write_text("in use")
    restorer = FileRestorer(state, new, replaces=True)
    restorer.put(Chunk("configuration/secrets.json", 0, b"of the backup"))
    restorer.finish()
    assert restorer.beside == [new.with_name("secrets.json.restored")]
    assert new.with_name("secrets.json").read_text() == "in use"


def test_links_and_pipes_of_the_state_folder_are_passed_over_and_named(tmp_path: Path, state: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "shadow").write_text("what root alone may read")
    (state / "labels/a").mkdir(parents=True)
    (state / "labels/a/real.label").write_bytes(b"kept")
    (state / "labels/a/x.label").symlink_to(elsewhere / "shadow")
    (state / "labels/b").symlink_to(elsewhere)
    (state / "models").symlink_to(elsewhere)
    os.mkfifo(state / "labels/a/pipe")
    files = StateFiles(state)
    assert list(files.read()) == [Chunk("state/labels/a/real.label", 0, b"kept")]
    passed_over = {str(path.relative_to(state)) for path in files.passed_over}
    assert passed_over == {"labels/a/x.label", "labels/a/pipe", "labels/b", "models"}


def test_a_key_of_the_state_folder_that_is_a_link_is_not_read(tmp_path: Path, state: Path) -> None:
    (tmp_path / "shadow").write_text("what root alone may read")
    (state / "browser-node.secret").symlink_to(tmp_path / "shadow")
    with pytest.raises(BackupRefused, match=r"browser-node\.secret is a link"):
        list(read_secrets(state, None))


@pytest.mark.parametrize("link", ["labels", "labels/a", "labels/a/x.label"])
def test_nothing_is_restored_through_a_link(tmp_path: Path, state: Path, configuration: Path, link: str) -> None:
    target = tmp_path / "elsewhere"
    (target / "a").mkdir(parents=True)
    (target / "x.label").write_text("root's")
    (state / link).parent.mkdir(parents=True, exist_ok=True)
    (state / link).symlink_to(target / "x.label" if link.endswith(".label") else target)
    before = sorted(target.rglob("*"))
    restorer = FileRestorer(state, configuration, replaces=True)
    with pytest.raises(BackupRefused, match="is a link or leads through one"):
        restorer.check("state/labels/a/x.label")
    with pytest.raises(BackupRefused, match="is a link or leads through one"):
        restore_file(restorer, Chunk("state/labels/a/x.label", 0, b"of the backup"))
    assert (target / "x.label").read_text() == "root's"
    assert sorted(target.rglob("*")) == before


def test_long_files_come_back_in_their_pieces_and_a_missing_one_is_refused(state: Path, configuration: Path) -> None:
    restorer = FileRestorer(state, configuration, replaces=False)
    for offset, content in ((0, b"abc"), (3, b"def")):
        restorer.put(Chunk("state/models/m.onnx", offset, content))
    restorer.finish()
    assert (state / "models/m.onnx").read_bytes() == b"abcdef"
    restorer.put(Chunk("state/models/n.onnx", 0, b"abc"))
    with pytest.raises(BackupRefused, match="lacks a piece"):
        restorer.put(Chunk("state/models/n.onnx", 5, b"f"))
