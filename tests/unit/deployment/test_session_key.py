from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from captchad.config.loader import load_configuration
from captchad.deployment.session_key import FILE, VARIABLE, keep_session_key
from captchad.domain.errors import ConfigurationError


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "state"
    key = keep_session_key(folder)
    assert keep_session_key(folder) == key
    assert keep_session_key(tmp_path) != key
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_two_that_make_one_at_the_same_time_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(keep_session_key, [tmp_path] * 32))) == 1


def test_a_role_takes_the_key_from_its_environment(tmp_path: Path) -> None:
    key = keep_session_key(tmp_path)
    (tmp_path / "distributed.json").write_text("{}")
    loaded = load_configuration(str(tmp_path / "distributed.json"), {VARIABLE: key})
    assert loaded.configuration.security.session_key is not None
    assert loaded.configuration.security.session_key.get_secret_value() == key


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 40])
def test_a_file_that_holds_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ConfigurationError, match=FILE):
        keep_session_key(tmp_path)
