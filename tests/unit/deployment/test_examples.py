"""The examples that travel are those under config/, and each is used as its reader would use it."""

import json
from datetime import date
from pathlib import Path

import pytest

from captchad.config.json_file import read_file
from captchad.config.loader import load_configuration
from captchad.config.setting_names import all_settings
from captchad.deployment.examples import EXAMPLES

FOLDER = Path(__file__).parents[3] / "config"
OWN = FOLDER / "distributed.json"


def test_every_file_under_config_is_an_example_and_nothing_else() -> None:
    there = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file() and path != OWN}
    assert {one.file for one in EXAMPLES.values()} == there


def test_the_examples_are_in_the_documentation() -> None:
    chapter = (FOLDER.parent / "docs" / "configuration.md").read_text(encoding="utf-8")
    for name, one in EXAMPLES.items():
        assert f"| `{name}` | `{one.file}` |" in chapter


@pytest.mark.parametrize("name", ["development", "production"])
def test_a_start_is_good_and_commented(name: str) -> None:
    path = FOLDER / EXAMPLES[name].file
    loaded = load_configuration(str(path), {}, today=read_last_day_of_its_target(path))
    assert loaded.warnings == ()
    assert loaded.configuration.environment == ("prod" if name == "production" else "dev")
    assert path.read_text().count("//") > 8


def test_production_has_keys_and_redis_by_tls() -> None:
    configuration = load_configuration(str(FOLDER / EXAMPLES["production"].file), {}).configuration
    assert configuration.security.api_key_required
    assert configuration.redis.tls.enabled
    assert configuration.redis.tls.check_hostname
    assert [target.host for target in configuration.security.targets] == ["captcha.example.com"]


@pytest.mark.parametrize("name", ["development", "production"])
def test_what_a_comment_suggests_is_a_setting(name: str) -> None:
    """Uncomment each line that is JSON and look its key up."""
    known = {setting.path.split(".")[-1].removesuffix("[]") for setting in all_settings()} | {"redis"}
    for line in (FOLDER / EXAMPLES[name].file).read_text().splitlines():
        text = line.strip().removeprefix("//").strip().rstrip(",")
        if line.strip().startswith("//") and text.startswith('"') and ": " in text:
            assert json.loads(f"{{{text}}}").keys() <= known, line


def read_last_day_of_its_target(path: Path) -> date | None:
    (target,) = read_file(path).tree["security"]["targets"]
    return date.fromisoformat(target["expires"]) if "expires" in target else None
