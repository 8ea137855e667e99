"""The file of secrets: laid over the configuration file, from a credential or from beside it."""

from pathlib import Path

import pytest

from captchad.config.loader import load_configuration
from captchad.config.secrets_file import NAME
from captchad.domain.errors import ConfigurationError

KEY = "k" * 40


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    path = tmp_path / "distributed.json"
    path.write_text('{"environment": "prod", "security": {"api_key_required": true}}')
    return path


def test_secrets_beside_the_file_are_laid_over_it(configuration: Path) -> None:
    configuration.with_name(NAME).write_text(f'{{"security": {{"session_key": "{KEY}"}}}}')
    security = load_configuration(str(configuration), {}).configuration.security
    assert security.session_key is not None
    assert (security.session_key.get_secret_value(), security.api_key_required) == (KEY, True)


def test_a_units_credential_wins_over_what_lies_beside_the_file(configuration: Path, tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / NAME).write_text(f'{{"security": {{"session_key": "{KEY}"}}}}')
    configuration.with_name(NAME).write_text('{"security": {"session_key": "another"}}')
    environment = {"CREDENTIALS_DIRECTORY": str(credentials)}
    key = load_configuration(str(configuration), environment).configuration.security.session_key
    assert key is not None
    assert key.get_secret_value() == KEY


def test_the_environment_wins_over_both(configuration: Path) -> None:
    configuration.with_name(NAME).write_text(f'{{"security": {{"session_key": "{KEY}"}}}}')
    environment = {"CAPTCHAD_SECURITY__SESSION_KEY": "e" * 40}
    key = load_configuration(str(configuration), environment).configuration.security.session_key
    assert key is not None
    assert key.get_secret_value() == "e" * 40


def test_what_is_wrong_in_it_is_named_with_its_file(configuration: Path) -> None:
    secrets = configuration.with_name(NAME)
    secrets.write_text("{half")
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(str(configuration), {})
    assert [problem.source for problem in caught.value.problems] == [str(secrets)]
