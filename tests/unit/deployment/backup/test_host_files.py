from pathlib import Path

import pytest

from captchad.deployment.backup.host_files import Chunk, FileRestorer, find_secret_files, read_secrets
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
